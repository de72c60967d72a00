/* SPDX-License-Identifier: BSD-2-Clause */
/* The quantized coefficients of macroblocks as tokens; RFC 6386 section 13. */
#ifndef XC_BITSTREAM_TOKENS_H
#define XC_BITSTREAM_TOKENS_H

#include "bitstream/coder.h"

/* Which blocks next to the current macroblock have tokens: the contexts of section 13.3. One above every column, one to
 * the left of the current macroblock. */
struct xc_token_context {
    uint8_t y[4], u[2], v[2], y2;
};

/* Reads a macroblock's tokens, unless it is marked as skipped. Its blocks that have some are put into levels, one after
 * the other, the first of them zeroed by the caller; returns the place after them, which is zeroed as well, so there
 * must be room for XC_BLOCKS + 1. */
typedef xc_block *xc_tokens_read_fn(struct xc_bool_reader *reader, const struct xc_probabilities *probabilities,
                                    struct xc_macroblock *mb, xc_block *levels, struct xc_token_context *above,
                                    struct xc_token_context *left);

/* The version for a machine with these bits of enum xc_cpu. */
xc_tokens_read_fn *xc_tokens_reader(unsigned cpu_features);

/* The inverse, and the same for counting and measuring; levels: the macroblock's. */
void xc_tokens_write(struct xc_bool_writer *writer, const struct xc_frame_header *header,
                     const struct xc_macroblock *mb, const xc_block *levels, struct xc_token_context *above,
                     struct xc_token_context *left);
void xc_tokens_count(struct xc_branch_counts *counts, const struct xc_frame_header *header,
                     const struct xc_macroblock *mb, const xc_block *levels, struct xc_token_context *above,
                     struct xc_token_context *left);
void xc_tokens_measure(struct xc_bits *bits, const struct xc_frame_header *header, const struct xc_macroblock *mb,
                       const xc_block *levels, struct xc_token_context *above, struct xc_token_context *left);

/* What a level costs, in units of xc_cost: with its sign, where no end of block can stand in its place; and the extra
 * bits of one that is in a category of large levels (xc_token_category). */
unsigned xc_level_cost(const struct xc_frame_header *header, int type, int band, int context, int level);
unsigned xc_extra_cost(int category, int level);

static inline bool xc_has_y2(const struct xc_macroblock *mb)
{
    return mb->y_mode != XC_B_PRED && mb->y_mode != XC_SPLITMV;
}

/* Whether any block has tokens, which is what the loop filter asks for. */
bool xc_has_tokens(const struct xc_macroblock *mb);

/* Block types, the first index of the coefficient probabilities; section 13.3. */
enum { XC_Y_AFTER_Y2, XC_Y2, XC_CHROMA, XC_Y_WITH_DC };

#endif
