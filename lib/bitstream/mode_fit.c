/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/mode_fit.h"

void xc_near_vectors(struct xc_near_mvs *near, const struct xc_frame *frame, unsigned row, unsigned column,
                     unsigned reference)
{
    const struct xc_neighbours n = xc_find_neighbours(frame, row, column);
    xc_find_near_mvs(near, &frame->header, &n, reference);
    near->best = xc_clamp_mv(near->best, frame, row, column);
    near->nearest = xc_clamp_mv(near->nearest, frame, row, column);
    near->near = xc_clamp_mv(near->near, frame, row, column);
}

static bool fit_part(struct xc_macroblock *mb, int part, const struct xc_neighbours *n, struct xc_mv best)
{
    const uint8_t *layout = xc_split_layout[mb->partitioning];
    int first = 0;
    while (layout[first] != part) {
        first++;
    }
    const struct xc_mv mv = mb->split[first];
    const struct xc_mv left = first & 3 ? mb->split[first - 1] : xc_block_mv(n->left, first + 3);
    const struct xc_mv above = first >> 2 ? mb->split[first - 4] : xc_block_mv(n->above, first + 12);
    const int mode = xc_mv_equal(mv, left)    ? XC_LEFT4X4
                     : xc_mv_equal(mv, above) ? XC_ABOVE4X4
                     : xc_mv_zero(mv)         ? XC_ZERO4X4
                                              : XC_NEW4X4;
    for (int i = first; i < 16; i++) {
        if (layout[i] == part) {
            mb->b_mode[i] = (uint8_t)mode;
        }
    }
    return mode != XC_NEW4X4 || xc_can_be_new(mv, best);
}

static bool fit_split(struct xc_macroblock *mb, const struct xc_neighbours *n, struct xc_mv best)
{
    bool good = true;
    for (int part = 0; part < xc_split_count[mb->partitioning]; part++) {
        good &= fit_part(mb, part, n, best);
    }
    return good;
}

bool xc_fit_modes(struct xc_frame *frame, unsigned row, unsigned column)
{
    struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols + column];
    if (mb->reference == XC_REF_INTRA) {
        return true;
    }
    struct xc_near_mvs near;
    xc_near_vectors(&near, frame, row, column, mb->reference);
    if (mb->y_mode == XC_SPLITMV) {
        const struct xc_neighbours n = xc_find_neighbours(frame, row, column);
        return fit_split(mb, &n, near.best);
    }
    mb->y_mode = (uint8_t)xc_mode_of_vector(&near, mb->mv);
    return mb->y_mode != XC_NEWMV || xc_can_be_new(mb->mv, near.best);
}
