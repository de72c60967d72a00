/* SPDX-License-Identifier: BSD-2-Clause */
/* What a macroblock's vectors are coded relative to: those of its neighbours; RFC 6386 section 16.3. */
#ifndef XC_BITSTREAM_NEAR_MVS_H
#define XC_BITSTREAM_NEAR_MVS_H

#include <string.h>

#include "excamera/frame.h"

struct xc_neighbours {
    const struct xc_macroblock *above, *left, *above_left;
};

static inline struct xc_neighbours xc_find_neighbours(const struct xc_frame *frame, unsigned row, unsigned column)
{
    /* Beyond the frame's edge all is intra predicted. */
    static const struct xc_macroblock outside = { .y_mode = XC_DC_PRED };
    const struct xc_macroblock *here = &frame->macroblocks[(size_t)row * frame->mb_cols + column];
    return (struct xc_neighbours){
        .above = row ? here - frame->mb_cols : &outside,
        .left = column ? here - 1 : &outside,
        .above_left = row && column ? here - frame->mb_cols - 1 : &outside,
    };
}

static inline bool xc_mv_equal(struct xc_mv a, struct xc_mv b)
{
    return a.row == b.row && a.column == b.column;
}

static inline bool xc_mv_zero(struct xc_mv mv)
{
    return mv.row == 0 && mv.column == 0;
}

static inline bool xc_sign_bias(const struct xc_frame_header *h, unsigned reference)
{
    return (reference == XC_REF_GOLDEN && h->sign_bias_golden) || (reference == XC_REF_ALTREF && h->sign_bias_altref);
}

/* Vectors near a macroblock, from its neighbours above, left and above left; section 16.3. Not yet clamped. */
struct xc_near_mvs {
    struct xc_mv best, nearest, near;
    uint8_t context[4]; /* row of xc_mode_context_probability for each node of the mode tree */
};

static inline bool xc_is_still(const struct xc_macroblock *mb)
{
    return mb->reference != XC_REF_INTRA && xc_mv_zero(mb->mv);
}

/* The first of those contexts alone, with which most macroblocks of a still picture are known: they need no search. */
static inline unsigned xc_zero_mv_context(const struct xc_neighbours *n)
{
    return 2u * xc_is_still(n->above) + 2u * xc_is_still(n->left) + xc_is_still(n->above_left);
}

/* n: of the macroblock, which is predicted from this reference. */
static inline void xc_find_near_mvs(struct xc_near_mvs *out, const struct xc_frame_header *h,
                                    const struct xc_neighbours *n, unsigned reference)
{
    const struct xc_macroblock *const by_weight[3] = { n->above, n->left, n->above_left };
    static const uint8_t weight[3] = { 2, 2, 1 };
    struct xc_mv found[4] = { 0 }; /* [0] stays zero, then up to three distinct vectors */
    uint8_t count[4] = { 0 };
    int last = 0;

    for (int i = 0; i < 3; i++) {
        const struct xc_macroblock *mb = by_weight[i];
        if (mb->reference == XC_REF_INTRA) {
            continue;
        }
        struct xc_mv mv = mb->mv;
        if (xc_mv_zero(mv)) {
            count[0] += weight[i];
            continue;
        }
        if (xc_sign_bias(h, mb->reference) != xc_sign_bias(h, reference)) {
            mv.row = (int16_t)-mv.row;
            mv.column = (int16_t)-mv.column;
        }
        if (last == 0 || !xc_mv_equal(mv, found[last])) {
            found[++last] = mv;
        }
        count[last] += weight[i];
    }

    /* Three distinct vectors found in a row, the third equal to the first: it counts there, too. */
    if (count[3] && xc_mv_equal(found[3], found[1])) {
        count[1]++;
    }
    count[3] = (uint8_t)((n->above->y_mode == XC_SPLITMV) * 2 + (n->left->y_mode == XC_SPLITMV) * 2 +
                         (n->above_left->y_mode == XC_SPLITMV));
    if (count[2] > count[1]) {
        uint8_t swapped = count[1];
        count[1] = count[2];
        count[2] = swapped;
        struct xc_mv mv = found[1];
        found[1] = found[2];
        found[2] = mv;
    }
    out->best = found[count[1] >= count[0]];
    out->nearest = found[1];
    out->near = found[2];
    memcpy(out->context, count, sizeof count);
}

static inline int16_t xc_clamp_component(int value, int low, int high)
{
    return (int16_t)(value < low ? low : value > high ? high : value);
}

/* Keeps a vector's block within reach: at most one macroblock's width beyond the edge; section 16.3, with
 * libvpx's margins. */
static inline struct xc_mv xc_clamp_mv(struct xc_mv mv, const struct xc_frame *frame, unsigned row, unsigned column)
{
    const int macroblock = 16 * 4; /* in quarter samples */
    return (struct xc_mv){
        .row = xc_clamp_component(mv.row, -macroblock * (int)(row + 1), macroblock * (int)(frame->mb_rows - row)),
        .column =
            xc_clamp_component(mv.column, -macroblock * (int)(column + 1), macroblock * (int)(frame->mb_cols - column)),
    };
}

/* The vector of a neighbouring macroblock's block, whatever the macroblock's mode. */
static inline struct xc_mv xc_block_mv(const struct xc_macroblock *mb, int block)
{
    return mb->y_mode == XC_SPLITMV ? mb->split[block] : mb->mv;
}

static inline bool xc_within(int limit, int row, int column)
{
    return row >= -limit && row <= limit && column >= -limit && column <= limit;
}

#endif
