/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold before a frame is used, and how it is emptied. */
#ifndef XC_BITSTREAM_FRAME_H
#define XC_BITSTREAM_FRAME_H

#include "excamera/frame.h"

/* Takes everything out of the frame; its memory stays. */
void xc_frame_make_empty(struct xc_frame *frame);

/* Fails where a frame is empty, or opened and not complete: nothing can be made of it. */
enum xc_status xc_frame_check_complete(const struct xc_frame *frame, struct xc_error *err);

/* Fails where an interframe was made for a state of another size. */
enum xc_status xc_frame_check_size(const struct xc_frame *frame, const struct xc_state *state, struct xc_error *err);

#endif
