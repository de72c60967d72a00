/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors first, modes after: an encoder decides which vectors a macroblock has, and the neighbours decide which modes
 * name them. */
#ifndef XC_BITSTREAM_MODE_FIT_H
#define XC_BITSTREAM_MODE_FIT_H

#include "excamera/frame.h"

/* The vectors of XC_NEARESTMV and XC_NEARMV for a macroblock that predicts from this reference. Those above and to the
 * left of it must be settled. */
void xc_near_vectors(struct xc_mv vectors[2], const struct xc_frame *frame, unsigned row, unsigned column,
                     unsigned reference);

/* Gives a macroblock of an interframe modes that name its vectors: those of its neighbours where they are equal, which
 * cost least. Splits stay splits. Returns false if a vector is too far from what predicts it. An intra predicted
 * macroblock stays as it is. */
bool xc_fit_modes(struct xc_frame *frame, unsigned row, unsigned column);

#endif
