/* SPDX-License-Identifier: BSD-2-Clause */
/* What modes and vectors cost to code, for deciding between many: the figures of xc_modes_measure, from tables. */
#ifndef XC_ENCODE_MODE_COST_H
#define XC_ENCODE_MODE_COST_H

#include "bitstream/mode_fit.h"

/* Of an interframe with this header; in 1/256 bit. */
struct xc_mode_costs {
    uint16_t skip[2];                  /* the skip flag */
    uint16_t segment[XC_SEGMENTS];     /* 0 where the frame sends no segments */
    uint16_t reference[XC_REF_FRAMES]; /* intra prediction is one, too */
    uint16_t y_mode[XC_B_PRED + 1];    /* of intra prediction: XC_DC_PRED to XC_B_PRED */
    uint16_t uv_mode[XC_TM_PRED + 1];
    uint16_t b_mode[XC_B_MODES];
    uint16_t vector[2][2 * XC_MV_MAX + 1]; /* component by component (row, column): the difference from what predicts
                                            * it, plus XC_MV_MAX */
};

void xc_mode_costs_fill(struct xc_mode_costs *costs, const struct xc_frame_header *header);

/* What the modes of an intra predicted macroblock cost. */
static inline unsigned xc_intra_bits(const struct xc_mode_costs *costs, const struct xc_macroblock *mb)
{
    unsigned bits = costs->y_mode[mb->y_mode] + costs->uv_mode[mb->uv_mode];
    for (int i = 0; mb->y_mode == XC_B_PRED && i < 16; i++) {
        bits += costs->b_mode[mb->b_mode[i]];
    }
    return bits;
}

/* Of one macroblock, which predicts from one reference: its surroundings. */
struct xc_vector_costs {
    struct xc_near_mvs near;                  /* clamped */
    uint16_t mode[XC_SPLITMV - XC_NEARESTMV]; /* from XC_NEARESTMV on */
};

void xc_vector_costs_find(struct xc_vector_costs *costs, const struct xc_frame *frame, unsigned row, unsigned column,
                          unsigned reference);

/* Names a vector by a mode. Sets *bits to what both cost; false: the vector cannot be coded. */
static inline bool xc_vector_bits(const struct xc_mode_costs *costs, const struct xc_vector_costs *here,
                                  struct xc_mv mv, uint8_t *y_mode, unsigned *bits)
{
    *y_mode = (uint8_t)xc_mode_of_vector(&here->near, mv);
    *bits = here->mode[*y_mode - XC_NEARESTMV];
    if (*y_mode != XC_NEWMV) {
        return true;
    }
    if (!xc_can_be_new(mv, here->near.best)) {
        return false;
    }
    *bits += costs->vector[0][mv.row - here->near.best.row + XC_MV_MAX] +
             costs->vector[1][mv.column - here->near.best.column + XC_MV_MAX];
    return true;
}

#endif
