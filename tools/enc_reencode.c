#include <math.h>

#include "enc_modes.h"
#include "enc_span.h"

/* A span, and what vpxenc made of it: its anchor takes the place of the key frame that the chunk began with. */
struct example {
    struct span span;
    unsigned quantizer[XC_TOOL_SPAN]; /* of each picture's frame */
};

/* The key frame was finer than the rest. As an interframe it may be coarser. */
static unsigned anchor_quantizer(unsigned key, unsigned next, double key_weight)
{
    return (unsigned)lrint(key_weight * key + (1 - key_weight) * next);
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

/* Of the last picture, against the one before it. */
static double noise_of(const struct span *span, struct xc_workspace *workspace)
{
    struct span two = { .count = 0 };
    double noise;
    for (unsigned i = span->count < 2 ? 0 : span->count - 2; i < span->count; i++) {
        span_add(&two, span->pictures[i]);
    }
    xc_picture_unref(span_average(&two, two.count - 1, -1, &noise, workspace));
    return noise;
}

/* Encodes a span anew and lets it go. key: the quantizer of the key frame that goes; last: it ends the chunk, so there is
 * to be one picture left in the state behind it. */
static void finish_span(struct example *example, unsigned key, double key_weight, bool last, struct xc_encoder *encoder,
                        struct xc_tool_chunk *chunk, const char *name, struct xc_workspace *workspace)
{
    struct span *span = &example->span;
    const unsigned followers = span->count - 1, own = example->quantizer[followers];
    const unsigned wanted = anchor_quantizer(key, own, key_weight);
    struct xc_encode_params params =
        anchor_params(quantizer_above_noise(wanted, own, noise_of(span, workspace)), followers == 0);
    params.refresh_golden = last && followers == 0;
    xc_tool_chunk_encode(chunk, encoder, span->pictures[followers], chunk->shown + followers, &params, name);
    for (unsigned i = 0; i < followers; i++) {
        params = follower_params(example->quantizer[i]);
        xc_tool_chunk_encode(chunk, encoder, span->pictures[i], chunk->shown, &params, name);
    }
    if (followers) {
        params = follower_params(own);
        params.refresh_golden = params.refresh_altref = last;
        show_anchor(encoder, chunk, &params, name);
    }
    span_clear(span);
}

void reencode(struct xc_encoder *encoder, struct xc_tool_prediction *p, struct xc_tool_source *source,
              struct xc_tool_chunk *chunk, double key_weight, bool extra, struct xc_workspace *workspace)
{
    struct example example = { .span = { .count = 0 } };
    const struct xc_frame_header *h = &p->frame.header;
    bool first = !extra, copied = false;
    unsigned key = extra ? skip_extra(p, source, workspace) : 0;
    while (!copied && xc_tool_prediction_next(p, workspace)) {
        copied = h->key_frame && !first;
        if (example.span.count && (copied || (h->show && span_is_full(&example.span)))) {
            finish_span(&example, key, key_weight, false, encoder, chunk, source->name, workspace);
        }
        if (copied) {
            copy_rest(encoder, p, source, chunk, workspace);
        } else if (h->show) { /* a hidden frame has no picture of its own */
            key = first ? h->quantizer : key;
            example.quantizer[example.span.count] = h->quantizer;
            if (example.span.count == 1 && chunk->shown == 0 && !extra) {
                example.quantizer[0] = h->quantizer; /* what was the key frame is like the one behind it */
            }
            span_add(&example.span, xc_tool_source_expect(source, p->file.name));
            first = false;
        }
    }
    if (example.span.count) {
        finish_span(&example, key, key_weight, true, encoder, chunk, source->name, workspace);
    }
    xc_tool_source_expect_end(source, p->file.name);
}
