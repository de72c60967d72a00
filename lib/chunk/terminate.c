/* SPDX-License-Identifier: BSD-2-Clause */
/* A chunk that leaves a state of one picture. */
#include "chunk/input.h"
#include "excamera/decode.h"
#include "excamera/encode.h"

/* The last frame that has data, if it is an interframe; frame_count if there is nothing to rewrite. */
static uint32_t find_last_interframe(const struct xc_ivf *ivf)
{
    uint32_t last = ivf->header.frame_count;
    while (ivf->frames[--last].size == 0)
        ;
    const bool key = xc_data_is_key_frame(ivf->frames[last].data, ivf->frames[last].size);
    return key ? ivf->header.frame_count : last;
}

struct terminating {
    const struct xc_chunk_input *input;
    struct xc_workspace *workspace; /* NULL: the pictures of the states are not needed */
    struct xc_state state;
    struct xc_frame frame;
    struct xc_chunk *chunk;
};

/* Appends the frame, rewritten so that it refreshes everything, and moves the state on. */
static enum xc_status rewrite(struct terminating *t, uint64_t timestamp, struct xc_error *err)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    xc_frame_terminate(&t->frame);
    enum xc_status status = xc_frame_serialize(&bytes, &t->frame, &t->state, err);
    if (!status) {
        status = xc_chunk_append(t->chunk, &bytes, timestamp, err);
    }
    xc_bytes_clear(&bytes);
    return status;
}

/* All bits of a frame are looked at, whether it is decoded or not. */
static enum xc_status pass_frame(struct terminating *t, uint32_t index, bool last, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &t->input->ivf->frames[index];
    enum xc_status status = data->size ? xc_frame_parse(&t->frame, &t->state, data->data, data->size, err) : XC_OK;
    if (!status) {
        status =
            last ? rewrite(t, data->timestamp, err) : xc_input_copy(t->input, index, t->chunk, data->timestamp, err);
    }
    if (!status && data->size) {
        status = t->workspace ? xc_decode_frame(t->workspace, &t->state, &t->frame, NULL, err)
                              : xc_state_follow_header(&t->state, &t->frame, err);
    }
    return xc_input_blame_frame(t->input, index, status, err);
}

enum xc_status xc_chunk_terminate(struct xc_chunk *out, struct xc_state *state, const struct xc_chunk_input *input,
                                  struct xc_workspace *workspace, struct xc_error *err)
{
    const struct xc_ivf_header *h = &input->ivf->header;
    *out = (struct xc_chunk){ .header = *h };
    out->header.frame_count = 0;
    if (!xc_input_begins_with_key(input)) {
        return xc_fail_about(err, input->name, XC_ERR_MISMATCH, "does not begin with a key frame");
    }
    struct terminating t = { .input = input, .workspace = state ? workspace : NULL, .chunk = out };
    const uint32_t last = find_last_interframe(input->ivf);
    enum xc_status status = XC_OK;
    for (uint32_t i = 0; !status && i < h->frame_count; i++) {
        status = pass_frame(&t, i, i == last, err);
    }
    if (status) {
        xc_chunk_clear(out);
    } else if (state) {
        const struct xc_state before = *state;
        *state = t.state;
        t.state = before;
    }
    xc_frame_clear(&t.frame);
    xc_state_clear(&t.state);
    return status;
}
