/* SPDX-License-Identifier: BSD-2-Clause */
/* One description of the syntax, four ways to run it.
 *
 * Header and macroblock modes are described once, in header.c and modes.c, as a walk over the parsed values. A coder
 * decides what the walk does: read the values from bits, write them as bits, count how often each probability meets
 * a 0 and a 1, from which optimize.c finds better ones, or measure what the bits are spent on. So parsing and
 * serializing cannot disagree.
 *
 * A coder is passed by value. Where a walk is long, everything it calls is inlined into one copy per coding, in which
 * that is a constant (modes.c, tokens.c). */
#ifndef XC_BITSTREAM_CODER_H
#define XC_BITSTREAM_CODER_H

#include <stdbool.h>
#include <stdint.h>

#include "bitstream/bool_reader.h"
#include "bitstream/bool_writer.h"
#include "bitstream/cost.h"
#include "bitstream/tables.h"
#include "excamera/bits.h"

/* Probabilities are either constants of the standard or bytes of the frame header. The latter are named by their place
 * in it, and only they are counted. */
#define XC_PLACE(member) offsetof(struct xc_frame_header, member)

/* How often the bool of a probability was 0 and 1, by the probability's place in the header. */
struct xc_branch_counts {
    uint32_t at[sizeof(struct xc_frame_header)][2];
};

enum xc_coding { XC_READ, XC_WRITE, XC_COUNT, XC_MEASURE };

/* What the coding at hand needs; the rest is NULL. */
struct xc_coder {
    enum xc_coding coding;
    struct xc_bool_reader *reader;
    struct xc_bool_writer *writer;
    struct xc_branch_counts *counts;
    struct xc_bits *bits;
    enum xc_bit_kind kind;                /* what the walk is at, for bits */
    const struct xc_frame_header *header; /* whose probabilities the places name */
};

#define XC_INLINE static inline __attribute__((always_inline))

/* One bool whose probability is a constant: returns the value read, or the value given. */
XC_INLINE bool xc_code_constant(struct xc_coder c, uint8_t probability, bool bit)
{
    if (c.coding == XC_READ) {
        return xc_bool_read(c.reader, probability);
    }
    if (c.coding == XC_WRITE) {
        xc_bool_write(c.writer, probability, bit);
    }
    if (c.coding == XC_MEASURE) {
        c.bits->of[c.kind] += xc_cost(probability, bit);
    }
    return bit;
}

/* The same for one that is 0 almost certainly. */
XC_INLINE bool xc_code_rare(struct xc_coder c, uint8_t probability, bool bit)
{
    return c.coding == XC_READ ? xc_bool_read_rare(c.reader, probability) : xc_code_constant(c, probability, bit);
}

XC_INLINE const uint8_t *xc_probabilities_at(struct xc_coder c, size_t place)
{
    return (const uint8_t *)c.header + place;
}

/* The same for a probability of the header. */
XC_INLINE bool xc_code(struct xc_coder c, size_t place, bool bit)
{
    if (c.coding == XC_COUNT) {
        c.counts->at[place][bit]++;
        return bit;
    }
    return xc_code_constant(c, *xc_probabilities_at(c, place), bit);
}

/* A bool that is as likely 0 as 1, and an unsigned number of such bits, most significant first; section 7.3. */
static inline bool xc_code_flag(struct xc_coder c, bool bit)
{
    return xc_code_constant(c, 128, bit);
}

static inline unsigned xc_code_literal(struct xc_coder c, int bits, unsigned value)
{
    unsigned result = 0;
    while (bits-- > 0) {
        result = result << 1 | xc_code_flag(c, value >> bits & 1);
    }
    return result;
}

/* A magnitude and then its sign; a zero has a sign, too, which is lost. */
static inline int xc_code_signed(struct xc_coder c, int bits, int value)
{
    int magnitude = (int)xc_code_literal(c, bits, (unsigned)(value < 0 ? -value : value));
    return xc_code_flag(c, value < 0) ? -magnitude : magnitude;
}

XC_INLINE int xc_read_tree(struct xc_bool_reader *reader, const xc_tree *tree, const uint8_t *probabilities)
{
    int at = 0;
    do {
        at = tree[at + xc_bool_read(reader, probabilities[at >> 1])];
    } while (at > 0);
    return -at;
}

/* Finds the way from a value's leaf to the root: the pair that leads to a pair is the one that names it. Returns its
 * length. */
XC_INLINE int xc_tree_way(int way[XC_TREE_DEPTH], const xc_tree *tree, int value)
{
    int length = 0;
    for (int at = -value;; at = way[length - 1] & ~1) {
        int parent = 0;
        while (tree[parent] != at) {
            parent++;
        }
        way[length++] = parent;
        if (parent < 2) {
            return length;
        }
    }
}

/* A value coded by a tree; section 8.1. The tree's probabilities are those of the header from a place on. */
XC_INLINE int xc_code_tree(struct xc_coder c, const xc_tree *tree, size_t place, int value)
{
    if (c.coding == XC_READ) {
        return xc_read_tree(c.reader, tree, xc_probabilities_at(c, place));
    }
    int way[XC_TREE_DEPTH], length = xc_tree_way(way, tree, value);
    while (length > 0) {
        int at = way[--length];
        xc_code(c, place + (size_t)(at >> 1), at & 1);
    }
    return value;
}

/* The same for a tree whose probabilities are constants. */
XC_INLINE int xc_code_constant_tree(struct xc_coder c, const xc_tree *tree, const uint8_t *probabilities, int value)
{
    if (c.coding == XC_READ) {
        return xc_read_tree(c.reader, tree, probabilities);
    }
    int way[XC_TREE_DEPTH], length = xc_tree_way(way, tree, value);
    while (c.coding != XC_COUNT && length > 0) {
        int at = way[--length];
        xc_code_constant(c, probabilities[at >> 1], at & 1);
    }
    return value;
}

#endif
