/* A frame's memory, and what must hold before a frame is used. */
#ifndef XC_BITSTREAM_FRAME_H
#define XC_BITSTREAM_FRAME_H

#include "excamera/frame.h"

/* Makes room for this many macroblocks, whose old values are lost if there was not enough, and blocks, whose values are
 * kept. */
enum xc_status xc_frame_reserve(struct xc_frame *frame, size_t macroblocks, size_t blocks, struct xc_error *err);

/* Sizes the frame, whose header is there, for the picture to come, and starts it from what the state says. */
enum xc_status xc_frame_prepare(struct xc_frame *frame, const struct xc_state *state, struct xc_error *err);

/* Takes everything out of the frame; its memory stays. */
void xc_frame_make_empty(struct xc_frame *frame);

/* Fails where a frame is empty, or opened and not complete: nothing can be made of it. */
enum xc_status xc_frame_check_complete(const struct xc_frame *frame, struct xc_error *err);

/* Fails where an interframe was made for a state of another size. */
enum xc_status xc_frame_check_size(const struct xc_frame *frame, const struct xc_state *state, struct xc_error *err);

#endif
