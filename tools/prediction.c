#include "prediction.h"

/* Whether a hidden frame's timestamp is that of a raw picture to come (docs/ivf.md). */
static bool stands_for_picture(const struct xc_ivf_frame *frame, uint64_t shown)
{
    return frame->timestamp > shown && frame->timestamp - shown < XC_TOOL_SPAN;
}

void xc_tool_prediction_open(struct xc_tool_prediction *p, const char *name, const char *state_name,
                             const struct xc_tool_source *source)
{
    *p = (struct xc_tool_prediction){ .next = 0 };
    xc_tool_ivf_read(&p->file, name);
    xc_tool_source_check_file(source, &p->file);
    xc_tool_state_read(&p->state, xc_workspace_pool(source->workspace), state_name);
    xc_tool_source_check_state(source, &p->state, state_name);
    xc_tool_ivf_check_state(&p->file, &p->state, "-S");
    uint64_t shown = 0;
    for (uint32_t i = 0; i < p->file.ivf.header.frame_count; i++) {
        const struct xc_ivf_frame *frame = &p->file.ivf.frames[i];
        if (xc_data_is_key_frame(frame->data, frame->size)) {
            return;
        }
        const bool is_shown = xc_data_is_shown(frame->data, frame->size);
        p->decodes |= !is_shown && !stands_for_picture(frame, shown);
        shown += is_shown;
    }
}

bool xc_tool_prediction_begins_with_key(const struct xc_tool_prediction *p)
{
    const struct xc_ivf *ivf = &p->file.ivf;
    return ivf->header.frame_count && xc_data_is_key_frame(ivf->frames[0].data, ivf->frames[0].size);
}

bool xc_tool_prediction_at_end(const struct xc_tool_prediction *p)
{
    return p->next == p->file.ivf.header.frame_count;
}

/* Opens the next frame. Where a key frame is of another size than the file says, the pictures would not fit. */
static enum xc_status open_next(struct xc_tool_prediction *p, struct xc_frame *frame, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &p->file.ivf.frames[p->next];
    const struct xc_ivf_header *file = &p->file.ivf.header;
    const struct xc_frame_header *h = &frame->header;
    enum xc_status status = xc_frame_open(frame, &p->state, data->data, data->size, err);
    if (!status && h->key_frame && (h->width != file->width || h->height != file->height)) {
        return xc_fail(err, XC_ERR_MISMATCH, "is of %ux%u, the file's header says %ux%u", h->width, h->height,
                       file->width, file->height);
    }
    p->exact |= !status && h->key_frame;
    return status;
}

enum xc_status xc_tool_prediction_read(struct xc_tool_prediction *p, struct xc_frame *frame, uint64_t shown,
                                       struct xc_picture **target, struct xc_workspace *workspace, struct xc_error *err)
{
    *target = NULL;
    enum xc_status status = open_next(p, frame, err);
    if (status) {
        return status;
    }
    if (!p->decodes || p->exact) {
        return xc_state_follow_header(&p->state, frame, err);
    }
    const bool wanted = !frame->header.show && !stands_for_picture(&p->file.ivf.frames[p->next], shown);
    status = xc_frame_complete(frame, err);
    return status ? status : xc_decode_frame(workspace, &p->state, frame, wanted ? target : NULL, err);
}

bool xc_tool_prediction_next(struct xc_tool_prediction *p)
{
    struct xc_error err;
    if (xc_tool_prediction_at_end(p)) {
        return false;
    }
    if (open_next(p, &p->frame, &err) || xc_state_follow_header(&p->state, &p->frame, &err)) {
        xc_tool_fail(p->file.name, "frame %u: %s", p->next, err.text);
    }
    p->next++;
    return true;
}

void xc_tool_prediction_close(struct xc_tool_prediction *p)
{
    xc_ivf_free(&p->file.ivf);
    xc_state_clear(&p->state);
    xc_frame_clear(&p->frame);
}

void xc_tool_copy_frame(struct xc_tool_prediction *p, struct xc_state *state, struct xc_tool_chunk *chunk,
                        struct xc_workspace *workspace)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_error err;
    xc_tool_check(xc_frame_complete(&p->frame, &err), p->file.name, &err);
    if (xc_tool_prediction_at_end(p)) {
        xc_frame_terminate(&p->frame);
    }
    xc_tool_check(xc_frame_serialize(&bytes, &p->frame, state, &err), p->file.name, &err);
    xc_tool_check(xc_decode_frame(workspace, state, &p->frame, NULL, &err), p->file.name, &err);
    xc_tool_chunk_append(chunk, &bytes, chunk->shown);
}
