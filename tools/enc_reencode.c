#include <math.h>

#include "enc_modes.h"
#include "enc_span.h"

struct reencoding {
    struct xc_encoder *encoder;
    struct xc_tool_prediction *p;
    struct xc_tool_source *source;
    struct xc_tool_chunk *chunk;
    struct xc_workspace *workspace;
    unsigned key; /* quantizer of the key frame that the chunk began with */
    double key_weight;
    struct span span;
    unsigned quantizer[XC_TOOL_SPAN]; /* of the frames in the prediction that show the span's pictures */
};

/* The key frame was finer than the rest. The anchor, which takes its place, may be coarser. */
static unsigned anchor_quantizer(unsigned key, unsigned next, double key_weight)
{
    return (unsigned)lrint(key_weight * key + (1 - key_weight) * next);
}

/* From a scene cut on, the prediction is what it was made for. */
static void copy_rest(struct reencoding *r)
{
    struct xc_state state = xc_tool_encoder_state(r->encoder);
    do {
        if (r->p->frame.header.show) {
            xc_picture_unref(xc_tool_source_expect(r->source, r->p->file.name));
        }
        xc_tool_copy_frame(r->p, &state, r->chunk, r->workspace);
    } while (xc_tool_prediction_next(r->p));
    xc_tool_encoder_move(r->encoder, &state);
}

/* Skips the key frame that is not part of the chunk. */
static void skip_extra(struct reencoding *r)
{
    xc_tool_prediction_next(r->p);
    xc_picture_unref(xc_tool_source_expect(r->source, r->p->file.name));
    r->key = r->p->frame.header.quantizer;
}

/* Encodes the span anew, if there is one, and lets it go. last: it ends the chunk, so there is to be one picture left
 * in the state behind it. */
static void finish_span(struct reencoding *r, bool last)
{
    struct span *span = &r->span;
    if (!span->count) {
        return;
    }
    const char *name = r->source->name;
    const unsigned followers = span->count - 1, own = r->quantizer[followers];
    const unsigned wanted = anchor_quantizer(r->key, own, r->key_weight);
    const unsigned quantizer = quantizer_above_noise(wanted, own, span_noise(span, followers, -1, r->workspace));
    struct xc_encode_params params = anchor_params(quantizer, followers == 0);
    params.refresh_golden = last && followers == 0;
    params.altref_ahead = followers > 0; /* nothing predicts from it yet, but so libvpx does not start over behind it */
    xc_tool_chunk_encode(r->chunk, r->encoder, span->pictures[followers], r->chunk->shown + followers, &params, name);
    for (unsigned i = 0; i < followers; i++) {
        params = follower_params(r->quantizer[i]);
        xc_tool_chunk_encode(r->chunk, r->encoder, span->pictures[i], r->chunk->shown, &params, name);
    }
    if (followers) {
        params = follower_params(own);
        params.refresh_golden = params.refresh_altref = last;
        show_anchor(r->encoder, r->chunk, &params, name);
    }
    span_clear(span);
}

/* Takes the picture that the frame read last shows. begins: with this one, the prediction began as a key frame. */
static void take_picture(struct reencoding *r, bool begins)
{
    const unsigned quantizer = r->p->frame.header.quantizer;
    if (span_is_full(&r->span)) {
        finish_span(r, false);
    }
    if (begins) {
        r->key = quantizer;
    } else if (r->span.count == 1 && r->source->count == 1) {
        r->quantizer[0] = quantizer; /* what was the key frame is now like the one behind it */
    }
    r->quantizer[r->span.count] = quantizer;
    span_add(&r->span, xc_tool_source_expect(r->source, r->p->file.name));
}

void reencode(struct xc_encoder *encoder, struct xc_tool_prediction *p, struct xc_tool_source *source,
              struct xc_tool_chunk *chunk, double key_weight, bool extra, struct xc_workspace *workspace)
{
    struct reencoding r = { encoder, p, source, chunk, workspace, .key_weight = key_weight };
    const struct xc_frame_header *h = &p->frame.header;
    if (extra) {
        skip_extra(&r);
    }
    bool cut = false;
    while (!cut && xc_tool_prediction_next(p)) {
        cut = h->key_frame && source->count > 0;
        if (h->show && !cut) { /* a hidden frame has no picture of its own */
            take_picture(&r, h->key_frame);
        }
    }
    finish_span(&r, !cut);
    if (cut) {
        copy_rest(&r);
    }
    if (!chunk->header.frame_count) {
        xc_tool_fail(p->file.name, "shows no picture of the chunk");
    }
    xc_tool_source_expect_end(source, p->file.name);
}
