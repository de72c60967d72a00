/* SPDX-License-Identifier: BSD-2-Clause */
/* What the examples share: they end at the first thing that goes wrong, and say what it was. After `make install`:
 *
 *     gcc NAME.c $(pkg-config --cflags --libs excamera)
 *
 * They are C11 as well as C++11. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <excamera/excamera.h>
#include <stdlib.h>

static struct xc_error err;

static inline void must(enum xc_status status)
{
    if (status != XC_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

static inline FILE *must_open(const char *name, const char *mode)
{
    FILE *stream = fopen(name, mode);
    if (!stream) {
        perror(name);
        exit(1);
    }
    return stream;
}

static inline void must_close(FILE *stream)
{
    if (fclose(stream)) {
        perror("cannot write");
        exit(1);
    }
}

static inline void must_have(int argc, int count, const char *usage)
{
    if (argc != 1 + count) {
        fprintf(stderr, "usage: %s (excamera %s)\n", usage, xc_version());
        exit(1);
    }
}

#endif
