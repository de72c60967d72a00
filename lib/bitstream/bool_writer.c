#include "bitstream/bool_writer.h"

#include "bitstream/bytes.h"

void xc_bool_writer_start(struct xc_bool_writer *w, struct xc_bytes *out)
{
    *w = (struct xc_bool_writer){ .range = 255, .count = -24, .out = out, .start = out->size };
}

/* The byte before may be 255: then the carry runs on. It cannot run out of the partition, whose interval lies below 1. */
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

void xc_bool_writer_emit(struct xc_bool_writer *w, int shift)
{
    int offset = shift - w->count; /* how much of the shift completes the byte */
    if ((w->low << (offset - 1)) & 0x80000000) {
        carry(w);
    }
    if (!xc_bytes_reserve(w->out, 1)) {
        w->failed = true;
    } else {
        w->out->data[w->out->size++] = (uint8_t)(w->low >> (24 - offset));
    }
    w->low = ((w->low << offset) & 0xffffff) << w->count;
    w->count -= 8;
}

size_t xc_bool_writer_finish(struct xc_bool_writer *w)
{
    for (int i = 0; i < 32; i++) {
        xc_bool_write(w, 128, false);
    }
    return w->out->size - w->start;
}
