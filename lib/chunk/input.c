/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/input.h"

#include <stdlib.h>
#include <string.h>

#include "chunk/session.h"
#include "excamera/decode.h"

static enum xc_status check_state(const struct xc_chunk_input *input, const struct xc_picture_source *source,
                                  struct xc_error *err)
{
    static const struct xc_state none = { 0 };
    const struct xc_state *state = input->state ? input->state : &none;
    const unsigned expected = input->ivf->header.expected_state;
    if (state->width && (state->width != source->width || state->height != source->height)) {
        return xc_fail_about(err, source->name, XC_ERR_MISMATCH, "is of %ux%u, but the state %s is of %ux%u",
                             source->width, source->height, xc_name_or(input->state_name, "given with it"),
                             state->width, state->height);
    }
    if (xc_state_satisfies(state, expected)) {
        return XC_OK;
    }
    if (!state->width) {
        return xc_fail_about(err, input->name, XC_ERR_MISMATCH, "expects state %08x, and no state is given", expected);
    }
    return xc_fail_about(err, input->name, XC_ERR_MISMATCH, "expects state %08x, but the state %s is %08x", expected,
                         xc_name_or(input->state_name, "given with it"), (unsigned)xc_state_id(state));
}

enum xc_status xc_input_check_size(const struct xc_chunk_input *input, const struct xc_picture_source *source,
                                   struct xc_error *err)
{
    const struct xc_ivf_header *h = &input->ivf->header;
    if (h->frame_count == 0) {
        return xc_fail_about(err, input->name, XC_ERR_FORMAT, "has no frame");
    }
    if (h->width != source->width || h->height != source->height) {
        return xc_fail_about(err, input->name, XC_ERR_MISMATCH, "is of %ux%u, but %s is of %ux%u", h->width, h->height,
                             xc_name_or(source->name, "the film"), source->width, source->height);
    }
    return XC_OK;
}

enum xc_status xc_input_check(const struct xc_chunk_input *input, const struct xc_picture_source *source,
                              struct xc_error *err)
{
    enum xc_status status = xc_input_check_size(input, source, err);
    return status ? status : check_state(input, source, err);
}

bool xc_input_begins_with_key(const struct xc_chunk_input *input)
{
    const struct xc_ivf *ivf = input->ivf;
    return ivf->header.frame_count && xc_data_is_key_frame(ivf->frames[0].data, ivf->frames[0].size);
}

bool xc_chunk_begins_with_interframe(const struct xc_chunk_input *input)
{
    return input->ivf->header.frame_count && !xc_input_begins_with_key(input);
}

enum xc_status xc_input_blame_frame(const struct xc_chunk_input *input, uint32_t frame, enum xc_status status,
                                    struct xc_error *err)
{
    if (status && err) {
        const struct xc_error reason = *err;
        return xc_fail_about(err, input->name, status, "frame %u: %s", frame, reason.text);
    }
    return status;
}

enum xc_status xc_input_decode(const struct xc_chunk_input *input, uint32_t frame, struct xc_state *state,
                               struct xc_workspace *workspace, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &input->ivf->frames[frame];
    struct xc_picture *picture;
    enum xc_status status = xc_decode(workspace, state, data->data, data->size, &picture, err);
    xc_picture_unref(picture);
    return xc_input_blame_frame(input, frame, status, err);
}

enum xc_status xc_input_copy(const struct xc_chunk_input *input, uint32_t frame, struct xc_chunk *chunk,
                             uint64_t timestamp, struct xc_error *err)
{
    const struct xc_ivf_frame *from = &input->ivf->frames[frame];
    const size_t capacity = from->size ? from->size : 1;
    struct xc_bytes bytes = { .data = malloc(capacity), .size = from->size, .capacity = capacity };
    if (!bytes.data) {
        return xc_fail_about(err, input->name, XC_ERR_MEMORY, "out of memory for a frame of %u bytes", from->size);
    }
    memcpy(bytes.data, from->data, from->size);
    enum xc_status status = xc_chunk_append(chunk, &bytes, timestamp, err);
    xc_bytes_clear(&bytes);
    return xc_blame(err, input->name, status);
}

enum xc_status xc_chunk_play(struct xc_state *state, const struct xc_chunk_input *input, uint32_t frames,
                             struct xc_workspace *workspace, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    for (uint32_t i = 0; !status && i < frames; i++) {
        status = xc_input_decode(input, i, state, workspace, err);
    }
    return status;
}
