/* The boolean entropy decoder, RFC 6386 section 7, with a window of 64 bits so that memory is touched once in several symbols. */
#ifndef XC_BITSTREAM_BOOL_READER_H
#define XC_BITSTREAM_BOOL_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct xc_bool_reader {
    uint64_t value;   /* the window; the section's "value" is its top two bytes */
    int32_t bits;     /* how many bits of the window lie beyond its top byte; below 0: fill before use */
    uint32_t range;   /* 128 to 255 between symbols */
    const uint8_t *next, *end;
};

/* Behind the end of the data a decoder reads zeros (section 7.3). They are added to bits as one large loan, which also tells
 * afterwards whether any of them was needed. */
#define XC_BOOL_LOAN (1 << 30)

static inline void xc_bool_fill(struct xc_bool_reader *r)
{
    int shift = 48 - r->bits; /* where in the window the next byte goes */
    if (r->end - r->next >= 8) {
        uint64_t word;
        memcpy(&word, r->next, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        /* The bits below the last whole byte come again with the next fill, at the same place. */
        r->value |= word >> (56 - shift);
        int bytes = (shift >> 3) + 1;
        r->next += bytes;
        r->bits += bytes * 8;
        return;
    }
    for (; shift >= 0 && r->next < r->end; shift -= 8) {
        r->value |= (uint64_t)*r->next++ << shift;
        r->bits += 8;
    }
    if (r->next == r->end && r->bits < XC_BOOL_LOAN / 2) {
        r->bits += XC_BOOL_LOAN;
    }
}

static inline void xc_bool_start(struct xc_bool_reader *r, const uint8_t *data, size_t size)
{
    *r = (struct xc_bool_reader){ .bits = -8, .range = 255, .next = data, .end = data + size };
    xc_bool_fill(r);
}

/* True if symbols were read for which there was no data: the partition is truncated or corrupt. As in libvpx, an encoder owes
 * one byte more than the arithmetic needs. */
static inline bool xc_bool_overrun(const struct xc_bool_reader *r)
{
    return r->bits > 64 && r->bits < XC_BOOL_LOAN;
}

static inline bool xc_bool_read(struct xc_bool_reader *r, unsigned probability)
{
    uint32_t split = 1 + (((r->range - 1) * probability) >> 8);
    uint64_t big_split = (uint64_t)split << 56;
    bool bit = r->value >= big_split;
    uint32_t range = bit ? r->range - split : split;
    if (bit) {
        r->value -= big_split;
    }
    int shift = __builtin_clz(range) - 24;
    r->range = range << shift;
    r->value <<= shift;
    r->bits -= shift;
    if (r->bits < 0) {
        xc_bool_fill(r);
    }
    return bit;
}

#endif
