/* A frame that shows a reference once more. Not even the loop filter touches it: its level is 0. */
#include "encode/repeat.h"

#include "bitstream/frame_reader.h"

enum xc_status xc_frame_make_repeat(struct xc_frame *frame, const struct xc_state *state, enum xc_reference which,
                                    const struct xc_encode_params *params, struct xc_error *err)
{
    frame->mb_cols = (uint16_t)((state->width + 15) / 16);
    frame->mb_rows = (uint16_t)((state->height + 15) / 16);
    const size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    enum xc_status status = xc_frame_reserve(frame, count, 0, err);
    if (status) {
        return status;
    }
    frame->header = (struct xc_frame_header){
        .quantizer = (uint8_t)params->quantizer,
        .refresh_last = params->refresh_last,
        .refresh_golden = params->refresh_golden,
        .refresh_altref = params->refresh_altref,
        .sign_bias_altref = params->altref_ahead,
    };
    for (size_t i = 0; i < count; i++) {
        frame->macroblocks[i] = (struct xc_macroblock){ .y_mode = XC_ZEROMV, .reference = (uint8_t)(1 + which) };
    }
    frame->coefficient_count = 0;
    return XC_OK;
}
