/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/bool_reader.h"

#include <string.h>

/* After the end of the data a decoder reads zeros (section 7.3). They are added to bits as one large loan, which also
 * tells afterwards whether any of them was needed. */
enum { LOAN = 1 << 30 };

static uint64_t load_big_endian(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

void xc_bool_reader_fill(struct xc_bool_reader *r)
{
    int shift = 48 - r->bits; /* where in the window the next byte goes */
    if (r->end - r->next >= 8) {
        /* The bits below the last whole byte come again with the next fill, at the same place. */
        r->value |= load_big_endian(r->next) >> (56 - shift);
        int bytes = (shift >> 3) + 1;
        r->next += bytes;
        r->bits += bytes * 8;
        return;
    }
    for (; shift >= 0 && r->next < r->end; shift -= 8) {
        r->value |= (uint64_t)*r->next++ << shift;
        r->bits += 8;
    }
    if (r->next == r->end && r->bits < LOAN / 2) {
        r->bits += LOAN;
    }
}

void xc_bool_reader_start(struct xc_bool_reader *r, const uint8_t *data, size_t size)
{
    *r = (struct xc_bool_reader){ .bits = -8, .range = 255, .next = data, .end = data + size };
    xc_bool_reader_fill(r);
}

/* As in libvpx, an encoder owes one byte more than the arithmetic needs. */
bool xc_bool_reader_overrun(const struct xc_bool_reader *r)
{
    return r->bits > 64 && r->bits < LOAN;
}
