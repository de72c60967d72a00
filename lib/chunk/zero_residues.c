/* SPDX-License-Identifier: BSD-2-Clause */
/* A chunk whose interframes are nothing but predictions. */
#include "chunk/input.h"
#include "excamera/encode.h"

static enum xc_status append(struct xc_chunk *out, const struct xc_frame *frame, const struct xc_state *state,
                             uint64_t timestamp, struct xc_error *err)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    enum xc_status status = xc_frame_serialize(&bytes, frame, state, err);
    if (!status) {
        status = xc_chunk_append(out, &bytes, timestamp, err);
    }
    xc_bytes_clear(&bytes);
    return status;
}

/* Key frames, and what marks a lost frame, are copied. */
static enum xc_status pass_frame(struct xc_chunk *out, const struct xc_chunk_input *input, uint32_t index,
                                 struct xc_frame *frame, struct xc_state *state, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &input->ivf->frames[index];
    if (!data->size) {
        return xc_input_copy(input, index, out, data->timestamp, err);
    }
    enum xc_status status = xc_frame_parse(frame, state, data->data, data->size, err);
    if (!status && frame->header.key_frame) {
        status = xc_input_copy(input, index, out, data->timestamp, err);
    } else if (!status) {
        xc_frame_zero_residues(frame);
        status = append(out, frame, state, data->timestamp, err);
    }
    return status ? status : xc_state_follow_header(state, frame, err);
}

enum xc_status xc_chunk_zero_residues(struct xc_chunk *out, const struct xc_chunk_input *input, struct xc_error *err)
{
    const struct xc_ivf_header *h = &input->ivf->header;
    *out = (struct xc_chunk){ .header = *h };
    out->header.frame_count = 0;
    struct xc_state state = XC_STATE_INIT;
    struct xc_frame frame = XC_FRAME_INIT;
    enum xc_status status = input->state ? xc_state_copy(&state, input->state, err) : XC_OK;
    for (uint32_t i = 0; !status && i < h->frame_count; i++) {
        status = xc_input_blame_frame(input, i, pass_frame(out, input, i, &frame, &state, err), err);
    }
    if (status) {
        xc_chunk_clear(out);
    }
    xc_frame_clear(&frame);
    xc_state_clear(&state);
    return status;
}
