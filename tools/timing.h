/* SPDX-License-Identifier: BSD-2-Clause */
/* timings.tsv: a row for each step that was run; docs/latency.md explains the columns. xc-timed writes it for local
 * steps, and xc-remote for those that ran on Lambda. Nothing here prints a message or ends the program. */
#ifndef XC_TOOLS_TIMING_H
#define XC_TOOLS_TIMING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

struct xc_tool_timing {
    const char *outputs;         /* names with blanks between them; the first one names the step */
    double start, end;           /* seconds since 1970 */
    double cpu;                  /* seconds, user and system together */
    int64_t memory, read, wrote; /* bytes */
    double billed;               /* seconds */
};

/* The time of now, as in start and end. */
double xc_tool_timing_now(void);
/* Sets cpu and memory. */
void xc_tool_timing_set_usage(struct xc_tool_timing *timing, const struct rusage *usage);

/* Opens the file for appending; NULL with errno on failure. */
FILE *xc_tool_timings_open(const char *path);
void xc_tool_timings_add(FILE *file, const struct xc_tool_timing *timing);
/* Closes the file; false with errno if not everything could be written. The rows added since it was opened are written
 * by one call, up to 16 kB of them, so those of programs that run at the same time do not mix. */
bool xc_tool_timings_close(FILE *file);

#endif
