/* SPDX-License-Identifier: BSD-2-Clause */
/* The boolean entropy decoder, RFC 6386 section 7, with a window of 64 bits so that memory is touched once in many
 * symbols.
 *
 * Whoever reads much keeps a reader in a local variable and calls nothing with its address but the functions here: then
 * the compiler keeps it in registers. */
#ifndef XC_BITSTREAM_BOOL_READER_H
#define XC_BITSTREAM_BOOL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For a function that reads much: with these instructions, counting leading zeros takes one step and a shift by any
 * register, too, which makes decoding a tenth faster. What it calls must be inlined into it. */
#if defined(__x86_64__)
#define XC_TARGET_BMI2 __attribute__((target("bmi,bmi2,lzcnt")))
#endif

struct xc_bool_reader {
    uint64_t value; /* the window; the section's "value" is its top two bytes */
    int32_t bits;   /* how many bits of the window lie beyond its top byte; below 0: fill before use */
    uint32_t range; /* 128 to 255 between symbols */
    const uint8_t *next, *end;
};

void xc_bool_reader_start(struct xc_bool_reader *r, const uint8_t *data, size_t size);

/* True if symbols were read for which there was no data: the partition is truncated or corrupt. */
bool xc_bool_reader_overrun(const struct xc_bool_reader *r);

/* Part of xc_bool_read: fills a window of which less than a byte is left. */
void xc_bool_reader_fill(struct xc_bool_reader *r);

/* Also part of it: makes range 128 to 255 again. */
static inline __attribute__((always_inline)) void xc_bool_reader_normalize(struct xc_bool_reader *r, uint32_t range)
{
    int shift = __builtin_clz(range) ^ 24; /* of 24 to 31, less 24 */
    r->range = range << shift;
    r->value <<= shift;
    r->bits -= shift;
    if (__builtin_expect(r->bits < 0, 0)) {
        struct xc_bool_reader copy = { r->value, r->bits, r->range, r->next, r->end };
        xc_bool_reader_fill(&copy); /* the copy's address is known elsewhere now, that of *r is not */
        r->value = copy.value;
        r->bits = copy.bits;
        r->next = copy.next;
    }
}

/* Written so that what the caller does with a 0 and with a 1 follows on one branch, with nothing in common before it,
 * and so that the branch knows where to go as soon as can be. */
static inline __attribute__((always_inline)) bool xc_bool_read(struct xc_bool_reader *r, unsigned probability)
{
    uint32_t split_less_1 = ((r->range - 1) * probability) >> 8;
    if (r->value >> 56 <= split_less_1) {
        xc_bool_reader_normalize(r, split_less_1 + 1);
        return false;
    }
    r->value -= (uint64_t)(split_less_1 + 1) << 56;
    xc_bool_reader_normalize(r, r->range - 1 - split_less_1);
    return true;
}

/* The same for a bool that is 0 almost certainly, after which range mostly is as it should be. */
static inline __attribute__((always_inline)) bool xc_bool_read_rare(struct xc_bool_reader *r, unsigned probability)
{
    uint32_t split = (((r->range - 1) * probability) >> 8) + 1;
    if (__builtin_expect(r->value >> 56 < split && split >= 128, 1)) {
        r->range = split;
        return false;
    }
    return xc_bool_read(r, probability);
}

/* The same for a bool of probability 128. There is no branch, which would be mispredicted every second time. */
static inline __attribute__((always_inline)) bool xc_bool_read_even(struct xc_bool_reader *r)
{
    const uint32_t split = (r->range + 1) >> 1, rest = r->range - split;
    const uint64_t threshold = (uint64_t)split << 56;
    const bool bit = r->value >= threshold;
    const uint64_t mask = -(uint64_t)bit;
    r->value -= threshold & mask;
    xc_bool_reader_normalize(r, split ^ ((split ^ rest) & (uint32_t)mask));
    return bit;
}

#endif
