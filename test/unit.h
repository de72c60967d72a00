/* SPDX-License-Identifier: BSD-2-Clause */
/* What the C tests share: checks that report and go on, named tests, totals in the form that test/run reads, and IVF
 * files. */
#ifndef UNIT_H
#define UNIT_H

#include <math.h>
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

/* A number or a string of any type. */
struct unit_value {
    enum { UNIT_SIGNED, UNIT_UNSIGNED, UNIT_REAL, UNIT_STRING } kind;
    union {
        int64_t i;
        uint64_t u;
        double d;
        const char *s;
    } as;
};

static inline struct unit_value unit_signed(int64_t value)
{
    return value < 0 ? (struct unit_value){ UNIT_SIGNED, { .i = value } }
                     : (struct unit_value){ UNIT_UNSIGNED, { .u = (uint64_t)value } };
}

static inline struct unit_value unit_unsigned(uint64_t value)
{
    return (struct unit_value){ UNIT_UNSIGNED, { .u = value } };
}

static inline struct unit_value unit_real(double value)
{
    return (struct unit_value){ UNIT_REAL, { .d = value } };
}

static inline struct unit_value unit_string(const char *value)
{
    return (struct unit_value){ UNIT_STRING, { .s = value ? value : "(null)" } };
}

#define UNIT_VALUE(x)                                                                                                  \
    _Generic((x),                                                                                                      \
        float: unit_real,                                                                                              \
        double: unit_real,                                                                                             \
        char *: unit_string,                                                                                           \
        const char *: unit_string,                                                                                     \
        unsigned long: unit_unsigned,                                                                                  \
        unsigned long long: unit_unsigned,                                                                             \
        default: unit_signed)(x)

static inline double unit_as_real(struct unit_value v)
{
    return v.kind == UNIT_REAL ? v.as.d : v.kind == UNIT_SIGNED ? (double)v.as.i : (double)v.as.u;
}

/* Less than, equal to or greater than 0, as a is to b; integers of different types are compared by value. */
static inline int unit_order(struct unit_value a, struct unit_value b)
{
    if (a.kind == UNIT_STRING && b.kind == UNIT_STRING) {
        return strcmp(a.as.s, b.as.s);
    }
    if (a.kind == UNIT_REAL || b.kind == UNIT_REAL) {
        return (unit_as_real(a) > unit_as_real(b)) - (unit_as_real(a) < unit_as_real(b));
    }
    if (a.kind != b.kind) {
        return a.kind == UNIT_SIGNED ? -1 : 1; /* only negative numbers have that kind */
    }
    return a.kind == UNIT_SIGNED ? (a.as.i > b.as.i) - (a.as.i < b.as.i) : (a.as.u > b.as.u) - (a.as.u < b.as.u);
}

/* Not if one of them is no number at all. */
static inline bool unit_comparable(struct unit_value a, struct unit_value b)
{
    return !(a.kind == UNIT_REAL && isnan(a.as.d)) && !(b.kind == UNIT_REAL && isnan(b.as.d));
}

static inline void unit_print(char text[100], struct unit_value v)
{
    switch (v.kind) {
    case UNIT_SIGNED:
        snprintf(text, 100, "%lld", (long long)v.as.i);
        break;
    case UNIT_UNSIGNED:
        snprintf(text, 100, "%llu", (unsigned long long)v.as.u);
        break;
    case UNIT_REAL:
        snprintf(text, 100, "%g", v.as.d);
        break;
    case UNIT_STRING:
        snprintf(text, 100, "\"%.90s\"", v.as.s);
        break;
    }
}

static inline void unit_check_values(bool good, struct unit_value a, struct unit_value b, const char *file, int line,
                                     const char *what)
{
    char text_a[100], text_b[100];
    if (!good && !unit_reason[0]) {
        unit_print(text_a, a);
        unit_print(text_b, b);
        snprintf(unit_reason, sizeof unit_reason, "%s:%d: %s, but they are %s and %s", file, line, what, text_a,
                 text_b);
    }
}

/* Compares numbers, or strings, and prints both if that is false: CHECK_COMPARE(size, <=, limit). */
#define CHECK_COMPARE(a, op, b)                                                                                        \
    do {                                                                                                               \
        const struct unit_value unit_a = UNIT_VALUE(a), unit_b = UNIT_VALUE(b);                                        \
        const bool unit_good = unit_comparable(unit_a, unit_b) && unit_order(unit_a, unit_b) op 0;                     \
        unit_check_values(unit_good, unit_a, unit_b, __FILE__, __LINE__, #a " " #op " " #b);                           \
    } while (0)
#define CHECK_EQUAL(a, b) CHECK_COMPARE(a, ==, b)

/* The same for a library call: the message that it gave is the reason. */
#define CHECK_OK(call, err) unit_check((call) == XC_OK, __FILE__, __LINE__, (err).text)

/* Ends the test that began after the last call of this, and reports it. */
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
