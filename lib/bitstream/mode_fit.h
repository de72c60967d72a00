/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors first, modes after: an encoder decides which vectors a macroblock has, and the neighbours decide which modes
 * name them. */
#ifndef XC_BITSTREAM_MODE_FIT_H
#define XC_BITSTREAM_MODE_FIT_H

#include "bitstream/near_mvs.h"
#include "bitstream/tables.h"

/* What the vectors of a macroblock that predicts from this reference are coded relative to, clamped as they are used.
 * The macroblocks above and to the left of it must be settled. */
void xc_near_vectors(struct xc_near_mvs *near, const struct xc_frame *frame, unsigned row, unsigned column,
                     unsigned reference);

/* The mode that names a vector, which the macroblock has as a whole: that of a neighbour, if it is equal. */
static inline unsigned xc_mode_of_vector(const struct xc_near_mvs *near, struct xc_mv mv)
{
    return xc_mv_zero(mv)                   ? XC_ZEROMV
           : xc_mv_equal(mv, near->nearest) ? XC_NEARESTMV
           : xc_mv_equal(mv, near->near)    ? XC_NEARMV
                                            : XC_NEWMV;
}

/* Whether a vector can be coded as a new one. */
static inline bool xc_can_be_new(struct xc_mv mv, struct xc_mv best)
{
    return xc_within(XC_MV_MAX, mv.row - best.row, mv.column - best.column);
}

/* Gives a macroblock of an interframe modes that name its vectors: those of its neighbours where they are equal, which
 * cost least. Splits stay splits. Returns false if a vector is too far from what predicts it. An intra predicted
 * macroblock stays as it is. */
bool xc_fit_modes(struct xc_frame *frame, unsigned row, unsigned column);

#endif
