/* What the C tests share: checks that report and go on, named tests, totals in the form that test/run reads, and IVF
 * files. */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excamera/ivf.h"

static unsigned unit_passed, unit_failed;
static char unit_reason[1024]; /* of the first failed check of the test that is running; empty: none so far */

static inline void unit_check(bool good, const char *file, int line, const char *what)
{
    if (!good && !unit_reason[0]) {
        snprintf(unit_reason, sizeof unit_reason, "%s:%d: %s", file, line, what);
    }
}

/* Notes the failure and goes on. */
#define CHECK(condition) unit_check(condition, __FILE__, __LINE__, #condition)

/* The same for a library call: the message that it gave is the reason. */
#define CHECK_OK(call, err) unit_check((call) == XC_OK, __FILE__, __LINE__, (err).text)

/* Ends the test that began behind the last call of this, and reports it. */
static inline void unit_end(const char *name)
{
    if (unit_reason[0]) {
        printf("FAILED %s: %s\n", name, unit_reason);
        unit_failed++;
    } else {
        printf("passed %s\n", name);
        unit_passed++;
    }
    fflush(stdout); /* so that a crash later on does not take it along */
    unit_reason[0] = '\0';
}

/* The last line and the exit status of a test program. */
static inline int unit_finish(void)
{
    printf("%u passed, %u failed, 0 skipped\n", unit_passed, unit_failed);
    return unit_failed != 0;
}

/* Marsaglia's xorshift64*: the tests' random numbers are the same everywhere. */
static inline uint32_t unit_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)(*seed * 2685821657736338717u >> 32);
}

/* Memory, or the end: no test is about running out of it. */
static inline void *unit_realloc(void *memory, size_t size)
{
    void *grown = realloc(memory, size);
    if (!grown) {
        exit(2);
    }
    return grown;
}

/* A number below n. */
static inline unsigned unit_below(uint64_t *seed, unsigned n)
{
    return (unsigned)((uint64_t)unit_random(seed) * n >> 32);
}

/* Reads an IVF file, or ends the program: without its input a test has nothing to say. */
static inline struct xc_ivf unit_read_ivf(const char *path)
{
    struct xc_ivf ivf;
    struct xc_error err = { .text = "cannot open" };
    FILE *stream = fopen(path, "rb");
    if (!stream || xc_ivf_read(&ivf, stream, &err) != XC_OK) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        exit(2);
    }
    fclose(stream);
    return ivf;
}

#endif
