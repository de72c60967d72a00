#include <math.h>

#include "enc_modes.h"

/* The chunk's first frame was a key frame, finer than the rest. As an interframe it may be coarser. */
static unsigned first_quantizer(unsigned key, unsigned next, double key_weight)
{
    return (unsigned)lrint(key_weight * key + (1 - key_weight) * next);
}

/* The quantizer of the frame behind the one read last, or that one's if there is none or it is a key frame. */
static unsigned peek_quantizer(const struct xc_tool_prediction *p)
{
    unsigned own = p->frame.header.quantizer;
    if (xc_tool_prediction_at_end(p)) {
        return own;
    }
    struct xc_frame next = XC_FRAME_INIT;
    struct xc_error err;
    const struct xc_ivf_frame *data = &p->file.ivf.frames[p->next];
    if (xc_frame_open(&next, &p->state, data->data, data->size, &err)) {
        xc_tool_fail(p->file.name, "frame %u: %s", p->next, err.text);
    }
    unsigned quantizer = next.header.key_frame ? own : next.header.quantizer;
    xc_frame_clear(&next);
    return quantizer;
}

static struct xc_encode_params params_like(const struct xc_frame_header *h, bool first, bool last)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = h->quantizer;
    if (!first && !last) {
        params.refresh_last = h->refresh_last;
        params.refresh_golden = h->refresh_golden;
        params.refresh_altref = h->refresh_altref;
    }
    return params;
}

/* From a scene cut on, the prediction is what it was made for. */
static void copy_rest(struct xc_encoder *encoder, struct xc_tool_prediction *p, struct xc_tool_source *source,
                      struct xc_tool_chunk *chunk, struct xc_workspace *workspace)
{
    struct xc_state state = XC_STATE_INIT;
    struct xc_error err;
    xc_tool_check(xc_state_copy(&state, xc_encoder_state(encoder), &err), NULL, &err);
    do {
        if (p->frame.header.show) {
            xc_picture_unref(xc_tool_source_expect(source, p->file.name));
        }
        xc_tool_copy_frame(p, &state, chunk, workspace);
    } while (xc_tool_prediction_next(p, workspace));
    xc_tool_check(xc_encoder_set_state(encoder, &state, &err), NULL, &err);
    xc_state_clear(&state);
}

/* Skips the frame that is not part of the chunk and returns its quantizer. */
static unsigned skip_extra(struct xc_tool_prediction *p, struct xc_tool_source *source, struct xc_workspace *workspace)
{
    if (!xc_tool_prediction_next(p, workspace) || !p->frame.header.key_frame) {
        xc_tool_fail(p->file.name, "a chunk with an extra frame must begin with a key frame");
    }
    xc_picture_unref(xc_tool_source_expect(source, p->file.name));
    return p->frame.header.quantizer;
}

void reencode(struct xc_encoder *encoder, struct xc_tool_prediction *p, struct xc_tool_source *source,
              struct xc_tool_chunk *chunk, double key_weight, bool extra, struct xc_workspace *workspace)
{
    unsigned extra_quantizer = extra ? skip_extra(p, source, workspace) : 0;
    bool first = true;
    while (xc_tool_prediction_next(p, workspace)) {
        const struct xc_frame_header *h = &p->frame.header;
        if (!first && h->key_frame) {
            copy_rest(encoder, p, source, chunk, workspace);
            break;
        }
        if (!h->show) {
            continue; /* a hidden frame has no picture of its own, and what it predicted is searched for anew */
        }
        struct xc_picture *picture = xc_tool_source_expect(source, p->file.name);
        struct xc_encode_params params = params_like(h, first, p->next - 1 == p->last_shown);
        if (first) {
            params.quantizer = extra ? first_quantizer(extra_quantizer, h->quantizer, key_weight)
                                     : first_quantizer(h->quantizer, peek_quantizer(p), key_weight);
        }
        xc_tool_chunk_encode(chunk, encoder, picture, &params, source->name);
        xc_picture_unref(picture);
        first = false;
    }
    xc_tool_source_expect_end(source, p->file.name);
}
