/* SPDX-License-Identifier: BSD-2-Clause */
/* States of the anchored structure that no frame of the chain leads to. */
#ifndef XC_CHUNK_ANCHOR_STATE_H
#define XC_CHUNK_ANCHOR_STATE_H

#include "excamera/chunk.h"

/* Makes *state, which is XC_STATE_INIT, what anchors are guessed from: all as after a plain key frame, but with raw
 * pictures as references. Either may be NULL where the state only serves to parse frames. */
enum xc_status xc_anchor_guess_state(struct xc_state *state, unsigned width, unsigned height, struct xc_picture *before,
                                     struct xc_picture *key, struct xc_error *err);

/* Moves a state from that after a hidden anchor to that after its followers. They change nothing but last, which in the
 * end is the anchor, and what segments do to the quantizer. */
void xc_anchor_pass_followers(struct xc_state *state, const struct xc_anchored_options *options);

#endif
