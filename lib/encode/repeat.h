/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef XC_ENCODE_REPEAT_H
#define XC_ENCODE_REPEAT_H

#include "excamera/encode.h"

/* Makes *frame, whose memory is reused, an interframe that copies a reference of the state without any change. What it
 * refreshes is up to params. */
enum xc_status xc_frame_make_repeat(struct xc_frame *frame, const struct xc_state *state, enum xc_reference which,
                                    const struct xc_encode_params *params, struct xc_error *err);

/* Whether a frame predicts all of its picture from the same place of this reference, as such a frame does. It may have
 * residue. */
bool xc_frame_is_repeat(const struct xc_frame *frame, enum xc_reference which);

#endif
