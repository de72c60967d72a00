/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding: (state, frame) -> (state', picture). */
#ifndef EXCAMERA_DECODE_H
#define EXCAMERA_DECODE_H

#include "excamera/error.h"
#include "excamera/frame.h"
#include "excamera/picture.h"
#include "excamera/state.h"
#include "excamera/workspace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Decodes a parsed frame. *state becomes the state after it; *picture, if picture is not NULL, the picture decoded,
 * whether it is to be shown or not (frame->header.show); the caller owns one reference. XC_ERR_ARGUMENT: the frame is
 * not complete; XC_ERR_MISMATCH: it was made for a state of another size. */
enum xc_status xc_decode_frame(struct xc_workspace *workspace, struct xc_state *state, const struct xc_frame *frame,
                               struct xc_picture **picture, struct xc_error *err);

/* xc_frame_parse and xc_decode_frame in one, and faster, since the coefficients live only row by row. *picture becomes
 * NULL, too, if there is nothing to show: a hidden frame, or no data at all (size 0, by which libvpx's users mark a
 * lost frame; the state stays as it is). */
enum xc_status xc_decode(struct xc_workspace *workspace, struct xc_state *state, const uint8_t *data, size_t size,
                         struct xc_picture **picture, struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
