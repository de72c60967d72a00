/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame says only what differs from the state that it was made for. To mean the same in another state, it has to say
 * all of it first, and may then leave out what that state has. */
#ifndef XC_BITSTREAM_HEADER_REWRITE_H
#define XC_BITSTREAM_HEADER_REWRITE_H

#include "excamera/frame.h"
#include "excamera/state.h"

/* Makes an interframe send the loop filter deltas, segment data and segment map that are in force for it in the state
 * that it was parsed in, as far as it uses them. */
void xc_frame_make_explicit(struct xc_frame *frame, const struct xc_state *origin);

/* Takes out of such a frame what the state has, so that it means the same in this state. */
void xc_frame_make_implicit(struct xc_frame *frame, const struct xc_state *destination);

#endif
