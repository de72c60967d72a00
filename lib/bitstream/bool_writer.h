/* The boolean entropy encoder, RFC 6386 section 7.3. */
#ifndef XC_BITSTREAM_BOOL_WRITER_H
#define XC_BITSTREAM_BOOL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "excamera/frame.h"

struct xc_bool_writer {
    uint32_t low;        /* bottom of the interval; bits above the low 24 wait for their carry in count */
    uint32_t range;      /* 128 to 255 between symbols */
    int32_t count;       /* bits until the next byte is complete, negated */
    struct xc_bytes *out;
    size_t start;        /* where this partition begins in out */
    bool failed;         /* out of memory */
};

/* Appends a partition to out. */
void xc_bool_writer_start(struct xc_bool_writer *w, struct xc_bytes *out);
/* Completes it and returns its size. */
size_t xc_bool_writer_finish(struct xc_bool_writer *w);

void xc_bool_writer_emit(struct xc_bool_writer *w, int shift); /* part of xc_bool_write: the byte that a shift completes */

static inline void xc_bool_write(struct xc_bool_writer *w, unsigned probability, bool bit)
{
    uint32_t split = 1 + (((w->range - 1) * probability) >> 8);
    if (bit) {
        w->low += split;
        w->range -= split;
    } else {
        w->range = split;
    }
    int shift = __builtin_clz(w->range) - 24;
    w->range <<= shift;
    w->count += shift;
    if (w->count >= 0) {
        xc_bool_writer_emit(w, shift);
    } else {
        w->low <<= shift;
    }
}

#endif
