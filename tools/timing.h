/* The times that timings.tsv has (docs/latency.md), in seconds: for xc-timed and for the worker on Lambda. */
#ifndef XC_TOOLS_TIMING_H
#define XC_TOOLS_TIMING_H

#include <sys/time.h>
#include <time.h>

/* Since 1970. */
static inline double xc_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static inline double xc_seconds(struct timeval time)
{
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

#endif
