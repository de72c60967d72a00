/* SPDX-License-Identifier: BSD-2-Clause */
#include "timing.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "chunk-name.h"

double xc_tool_timing_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

void xc_tool_timing_set_usage(struct xc_tool_timing *timing, const struct rusage *usage)
{
    enum { KILOBYTE = 1024 }; /* the unit of ru_maxrss on Linux */
    timing->cpu = seconds(usage->ru_utime) + seconds(usage->ru_stime);
    timing->memory = (int64_t)usage->ru_maxrss * KILOBYTE;
}

FILE *xc_tool_timings_open(const char *path)
{
    static char buffer[16 * 1024];
    FILE *file = fopen(path, "ae"); /* e: close on exec */
    if (file) {
        setvbuf(file, buffer, _IOFBF, sizeof buffer);
    }
    return file;
}

void xc_tool_timings_add(FILE *file, const struct xc_tool_timing *timing)
{
    const int name = (int)strcspn(timing->outputs, " "),
              digits = name < XC_TOOL_CHUNK_DIGITS ? name : XC_TOOL_CHUNK_DIGITS;
    fprintf(file, "%.*s\t%.*s\t%.6f\t%.6f\t%.6f\t%lld\t%lld\t%lld\t%.6g\n", name, timing->outputs, digits,
            timing->outputs, timing->start, timing->end, timing->cpu, (long long)timing->memory,
            (long long)timing->read, (long long)timing->wrote, timing->billed);
}

bool xc_tool_timings_close(FILE *file)
{
    const bool failed = ferror(file);
    errno = EIO; /* for a failure before this one, whose errno is lost */
    return !fclose(file) && !failed;
}
