/* SPDX-License-Identifier: BSD-2-Clause */
/* The boolean entropy encoder, RFC 6386 section 7.3, which hands over several bytes at a time. */
#ifndef XC_BITSTREAM_BOOL_WRITER_H
#define XC_BITSTREAM_BOOL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "excamera/frame.h"

struct xc_bool_writer {
    uint64_t low;   /* bottom of the interval: its last 8 bits line up with range, the pending ones stand before them */
    uint32_t range; /* 128 to 255 between symbols */
    int32_t pending; /* bits before the last 8; besides them there may be a carry */
    struct xc_bytes *out;
    size_t start; /* where this partition begins in out */
    bool failed;  /* out of memory */
};

/* Appends a partition to out. */
void xc_bool_writer_start(struct xc_bool_writer *w, struct xc_bytes *out);
/* Completes it and returns its size. */
size_t xc_bool_writer_finish(struct xc_bool_writer *w);

enum { XC_BOOL_PENDING = 40 }; /* so many pending bits are handed over; a symbol may add 7 to one less */
void xc_bool_writer_emit(struct xc_bool_writer *w); /* part of xc_bool_write: the whole bytes among the pending bits */

static inline __attribute__((always_inline)) void xc_bool_write(struct xc_bool_writer *w, unsigned probability,
                                                                bool bit)
{
    uint32_t split = 1 + (((w->range - 1) * probability) >> 8);
    uint32_t range = bit ? w->range - split : split;
    int shift = __builtin_clz(range) - 24;
    w->low = (w->low + (bit ? split : 0)) << shift;
    w->range = range << shift;
    w->pending += shift;
    if (__builtin_expect(w->pending >= XC_BOOL_PENDING, 0)) {
        struct xc_bool_writer copy = *w; /* whose address may be known elsewhere, so that *w stays in registers */
        xc_bool_writer_emit(&copy);
        w->low = copy.low;
        w->pending = copy.pending;
        w->failed = copy.failed;
    }
}

#endif
