/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/anchor_state.h"

#include <stdlib.h>

#include "bitstream/tables.h"
#include "chunk/input.h"
#include "chunk/policy.h"
#include "state/picture.h"
#include "state/runs.h"

enum xc_status xc_anchor_guess_state(struct xc_state *state, unsigned width, unsigned height, struct xc_picture *before,
                                     struct xc_picture *key, struct xc_error *err)
{
    const size_t macroblocks = xc_macroblock_count(width, height);
    uint8_t *map = calloc(macroblocks, 1);
    if (!map) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a segment map of %zu macroblocks", macroblocks);
    }
    *state = (struct xc_state){
        .width = (uint16_t)width,
        .height = (uint16_t)height,
        .reference = { xc_picture_ref(before), xc_picture_ref(key), xc_picture_ref(before) },
        .probabilities = xc_default_probabilities,
        .segment_map = map,
    };
    return XC_OK;
}

void xc_anchor_pass_followers(struct xc_state *state, const struct xc_anchored_options *options)
{
    xc_picture_unref(state->reference[XC_LAST]);
    state->reference[XC_LAST] = xc_picture_ref(state->reference[XC_ALTREF]);
    xc_policy_segment_offsets(state->segment_data.quantizer, xc_policy_follower_quantizer(options));
}

enum xc_status xc_chunk_play_anchors(struct xc_state *state, const struct xc_chunk_input *anchors,
                                     const struct xc_anchored_options *options, struct xc_workspace *workspace,
                                     struct xc_error *err)
{
    enum xc_status status = XC_OK;
    for (uint32_t i = 0; !status && i < anchors->ivf->header.frame_count; i++) {
        const struct xc_ivf_frame *frame = &anchors->ivf->frames[i];
        status = xc_input_decode(anchors, i, state, workspace, err);
        if (!status && !xc_data_is_shown(frame->data, frame->size)) {
            xc_anchor_pass_followers(state, options);
        }
    }
    return status;
}
