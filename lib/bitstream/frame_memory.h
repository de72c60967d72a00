/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a frame. */
#ifndef XC_BITSTREAM_FRAME_MEMORY_H
#define XC_BITSTREAM_FRAME_MEMORY_H

#include "excamera/frame.h"

/* Makes room for this many macroblocks, whose old values are lost if there was not enough, and blocks, whose values are
 * kept. */
enum xc_status xc_frame_reserve(struct xc_frame *frame, size_t macroblocks, size_t blocks, struct xc_error *err);

/* Sizes the frame, whose header is there, for the picture to come. */
enum xc_status xc_frame_prepare(struct xc_frame *frame, const struct xc_state *state, struct xc_error *err);

#endif
