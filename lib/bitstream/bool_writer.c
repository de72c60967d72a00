/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/bool_writer.h"

#include "bitstream/bytes.h"

void xc_bool_writer_start(struct xc_bool_writer *w, struct xc_bytes *out)
{
    *w = (struct xc_bool_writer){ .range = 255, .out = out, .start = out->size };
}

/* The byte before may be 255: then the carry runs on. It cannot run out of the partition, whose interval lies below
 * 1. */
static void carry(struct xc_bool_writer *w)
{
    size_t i = w->out->size;
    while (i > w->start && w->out->data[i - 1] == 255) {
        w->out->data[--i] = 0;
    }
    if (i > w->start) {
        w->out->data[i - 1]++;
    }
}

void xc_bool_writer_emit(struct xc_bool_writer *w)
{
    int bytes = w->pending >> 3, rest = w->pending + 8 - bytes * 8; /* bits that stay */
    uint64_t emitted = w->low >> rest;
    if (emitted >> (bytes * 8)) {
        carry(w);
    }
    if (xc_bytes_reserve(w->out, (size_t)bytes)) {
        for (int i = bytes - 1; i >= 0; i--) {
            w->out->data[w->out->size++] = (uint8_t)(emitted >> (8 * i));
        }
    } else {
        w->failed = true;
    }
    w->low &= (1ULL << rest) - 1;
    w->pending -= bytes * 8;
}

/* Enough for a decoder to read ahead into, as libvpx does. */
size_t xc_bool_writer_finish(struct xc_bool_writer *w)
{
    for (int i = 0; i < 16; i++) {
        xc_bool_write(w, 128, false);
    }
    xc_bool_writer_emit(w);
    return w->out->size - w->start;
}
