/* SPDX-License-Identifier: BSD-2-Clause */
/* The two steps of xc_frame_optimize (excamera/frame.h), for whoever makes a frame row by row: counting which bools its
 * symbols need, and choosing the probabilities that suit the counts. */
#ifndef XC_BITSTREAM_OPTIMIZE_H
#define XC_BITSTREAM_OPTIMIZE_H

#include "bitstream/tokens.h"

/* Adds a row's symbols to the counts, as the header says that they are coded; above: the contexts of the row above, by
 * column, and then this row's. Rows must come in order, but each may have counts of its own, which are added up later.
 * Returns false if a mode cannot be coded. */
bool xc_frame_count_row(struct xc_branch_counts *counts, const struct xc_frame *frame, unsigned row,
                        struct xc_token_context *above);

/* Sets the probabilities that the header sends, given those that are in force before the frame. */
void xc_frame_fit_probabilities(struct xc_frame *frame, const struct xc_state *state,
                                const struct xc_branch_counts *counts);

#endif
