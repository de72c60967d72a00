/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/prediction.h"

#include <stdlib.h>

#include "excamera/decode.h"
#include "recon/workspace.h"

/* Whether a frame is hidden, comes before the first key frame and stands for no raw picture. */
static bool stands_for_nothing(const struct xc_prediction *p, uint32_t index)
{
    const struct xc_ivf_frame *frame = &p->input->ivf->frames[index];
    return p->pictures && !xc_data_is_shown(frame->data, frame->size) && p->pictures[index] == XC_NO_PICTURE;
}

static bool needs_decoding(const struct xc_prediction *p)
{
    const struct xc_ivf *ivf = p->input->ivf;
    for (uint32_t i = 0; i < ivf->header.frame_count; i++) {
        if (xc_data_is_key_frame(ivf->frames[i].data, ivf->frames[i].size)) {
            return false;
        }
        if (stands_for_nothing(p, i)) {
            return true;
        }
    }
    return false;
}

enum xc_status xc_prediction_open(struct xc_prediction *p, const struct xc_chunk_input *input,
                                  const struct xc_picture_source *source, const struct xc_workspace *like,
                                  struct xc_error *err)
{
    *p = (struct xc_prediction){ .input = input };
    enum xc_status status = xc_input_check(input, source, err);
    if (!status && input->state) {
        status = xc_state_copy(&p->state, input->state, err);
    }
    if (!status) {
        status = xc_hidden_find(&p->pictures, input, err);
    }
    if (!status && needs_decoding(p)) {
        status = xc_workspace_new_like(&p->workspace, like, err);
    }
    if (status) {
        xc_prediction_close(p);
    }
    return status;
}

void xc_prediction_close(struct xc_prediction *p)
{
    xc_state_clear(&p->state);
    xc_frame_clear(&p->frame);
    xc_workspace_free(p->workspace);
    p->workspace = NULL;
    free(p->pictures);
    p->pictures = NULL;
}

/* Opens the next frame. Where a key frame is of another size than the file says, the pictures would not fit. */
static enum xc_status open_next(struct xc_prediction *p, struct xc_frame *frame, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &p->input->ivf->frames[p->next];
    const struct xc_ivf_header *file = &p->input->ivf->header;
    const struct xc_frame_header *h = &frame->header;
    enum xc_status status = xc_frame_open(frame, &p->state, data->data, data->size, err);
    if (!status && h->key_frame && (h->width != file->width || h->height != file->height)) {
        return xc_fail(err, XC_ERR_MISMATCH, "is of %ux%u, the file's header says %ux%u", h->width, h->height,
                       file->width, file->height);
    }
    p->exact |= !status && h->key_frame;
    return status;
}

/* Opens the next frame and moves the state past it, with its pictures as long as they are needed. */
static enum xc_status read_next(struct xc_prediction *p, struct xc_frame *frame, struct xc_picture **target,
                                struct xc_error *err)
{
    enum xc_status status = open_next(p, frame, err);
    if (status) {
        return status;
    }
    if (!p->workspace || p->exact) {
        return xc_state_follow_header(&p->state, frame, err);
    }
    status = xc_frame_complete(frame, err);
    return status
               ? status
               : xc_decode_frame(p->workspace, &p->state, frame, stands_for_nothing(p, p->next) ? target : NULL, err);
}

enum xc_status xc_prediction_read(struct xc_prediction *p, struct xc_frame *frame, struct xc_picture **target,
                                  struct xc_error *err)
{
    *target = NULL;
    return xc_input_blame_frame(p->input, p->next, read_next(p, frame, target, err), err);
}

enum xc_status xc_prediction_next(struct xc_prediction *p, struct xc_error *err)
{
    enum xc_status status = open_next(p, &p->frame, err);
    if (!status) {
        status = xc_state_follow_header(&p->state, &p->frame, err);
    }
    if (status) {
        return xc_input_blame_frame(p->input, p->next, status, err);
    }
    p->next++;
    return XC_OK;
}
