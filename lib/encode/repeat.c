/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame that shows a reference once more. Not even the loop filter touches it: its level is 0. */
#include "encode/repeat.h"

#include <string.h>

#include "bitstream/frame_memory.h"

/* FFmpeg's decoder forgets the segment map over a frame without segments; the next frame may count on it. */
static bool has_segments(const struct xc_state *state)
{
    static const struct xc_segment_data nothing;
    return memcmp(&state->segment_data, &nothing, sizeof nothing) != 0;
}

enum xc_status xc_frame_make_repeat(struct xc_frame *frame, const struct xc_state *state, enum xc_reference which,
                                    const struct xc_encode_params *params, struct xc_error *err)
{
    frame->header = (struct xc_frame_header){
        .quantizer = (uint8_t)params->quantizer,
        .refresh_last = params->refresh_last,
        .refresh_golden = params->refresh_golden,
        .refresh_altref = params->refresh_altref,
        .sign_bias_altref = params->altref_ahead,
        .segmentation = has_segments(state),
        .segment_data = state->segment_data,
    };
    enum xc_status status = xc_frame_prepare(frame, state, err);
    const size_t count = status ? 0 : (size_t)frame->mb_cols * frame->mb_rows;
    for (size_t i = 0; i < count; i++) {
        frame->macroblocks[i] = (struct xc_macroblock){
            .y_mode = XC_ZEROMV,
            .reference = (uint8_t)(XC_REF_LAST + which),
            .segment = state->segment_map[i],
        };
    }
    return status;
}

bool xc_frame_is_repeat(const struct xc_frame *frame, enum xc_reference which)
{
    const size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    size_t i = 0;
    while (i < count && frame->macroblocks[i].reference == XC_REF_LAST + which &&
           frame->macroblocks[i].y_mode == XC_ZEROMV) {
        i++;
    }
    return i == count;
}
