/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of checksums. Where the environment variable XC_SUMS names a file, by its absolute path, each tool adds a
 * record to it for each output in the same directory, before the output gets its name. Generated makefiles and
 * ./excamera set XC_SUMS, and have xc-check compare the files with the list when they start: after a power cut a file
 * may have its name and its time, but not its data. */
#ifndef XC_TOOLS_TOOL_SUMS_H
#define XC_TOOLS_TOOL_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xc_tool_sum {
    uint64_t size; /* bytes */
    uint64_t hash; /* XXH3-64 of the whole file, seed 0 */
};

/* Reads the file; false with errno on failure. */
bool xc_tool_sum_file(struct xc_tool_sum *sum, const char *path);

/* Adds a record to the list, that temporary is going to be called target. Does nothing if there is no list, or if
 * target, an absolute path, is in another directory. Fails as xc_tool_fail does. */
void xc_tool_sums_note(const char *temporary, const char *target);

/* A list in memory. */
struct xc_tool_sums {
    char *text;
    struct xc_tool_sums_record {
        const char *name; /* without a directory; points into text */
        struct xc_tool_sum sum;
    } *records; /* sorted by name; of several with the same name, the last one is valid */
    size_t count;
};

/* Reads a list; records that are cut off or damaged are passed over. No such file: an empty list. */
void xc_tool_sums_read(struct xc_tool_sums *sums, const char *path);
void xc_tool_sums_free(struct xc_tool_sums *sums);
/* NULL: the list does not have the name. */
const struct xc_tool_sum *xc_tool_sums_find(const struct xc_tool_sums *sums, const char *name);

#endif
