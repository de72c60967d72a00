/* SPDX-License-Identifier: BSD-2-Clause */
/* The classic structure's second step: a chunk encoded anew from a state, after the example of what it was when it was
 * encoded by itself. */
#include "chunk/policy.h"
#include "chunk/prediction.h"
#include "chunk/session.h"
#include "excamera/decode.h"

struct reencoding {
    struct xc_session session;
    struct xc_prediction prediction;
    const char *prediction_name; /* for messages */
    const struct xc_reencode_options *options;
    unsigned key; /* quantizer of the key frame that the chunk began with */
    struct xc_mini_gop gop;
    unsigned quantizer[XC_MINI_GOP_PICTURES]; /* of the frames in the prediction that show the mini-GOP's pictures */
};

static enum xc_status skip_picture(struct reencoding *r, struct xc_error *err)
{
    struct xc_picture *picture;
    enum xc_status status = xc_lookahead_expect(&r->session.source, &picture, r->prediction_name, err);
    xc_picture_unref(picture);
    return status;
}

/* Copies the frame that was read last, and moves the state past it. The last frame of the chunk is terminated. */
static enum xc_status copy_frame(struct reencoding *r, struct xc_state *state, struct xc_error *err)
{
    struct xc_prediction *p = &r->prediction;
    struct xc_chunk *chunk = r->session.chunk;
    struct xc_bytes bytes = XC_BYTES_INIT;
    enum xc_status status = xc_frame_complete(&p->frame, err);
    if (!status && xc_prediction_at_end(p)) {
        xc_frame_terminate(&p->frame);
    }
    if (!status && !(status = xc_frame_serialize(&bytes, &p->frame, state, err)) &&
        !(status = xc_decode_frame(r->session.job->workspace, state, &p->frame, NULL, err))) {
        status = xc_chunk_append(chunk, &bytes, chunk->shown, err);
    }
    xc_bytes_clear(&bytes);
    return xc_blame(err, p->input->name, status);
}

/* From a scene cut on, the prediction is what it was made for. Copies the frame that was read last and all that
 * follow. */
static enum xc_status copy_rest(struct reencoding *r, struct xc_error *err)
{
    struct xc_prediction *p = &r->prediction;
    struct xc_state state = XC_STATE_INIT;
    enum xc_status status = xc_state_copy(&state, xc_encoder_state(r->session.encoder), err);
    for (bool more = true; !status && more;) {
        if (p->frame.header.show) {
            status = skip_picture(r, err);
        }
        if (!status) {
            status = copy_frame(r, &state, err);
        }
        more = !xc_prediction_at_end(p);
        if (!status && more) {
            status = xc_prediction_next(p, err);
        }
    }
    if (!status) {
        status = xc_encoder_set_state(r->session.encoder, &state, err);
    }
    xc_state_clear(&state);
    return status;
}

/* last: the mini-GOP ends the chunk, so that one picture is to be left in the state after it. */
static enum xc_status encode_anchor(struct reencoding *r, bool last, struct xc_error *err)
{
    struct xc_session *s = &r->session;
    const unsigned followers = r->gop.count - 1;
    struct xc_workspace *workspace = s->job->workspace;
    struct xc_picture *average;
    double noise;
    enum xc_status status = xc_mini_gop_noise(&r->gop, followers, &noise, workspace, err);
    if (status || (status = xc_mini_gop_average_at_rest(&r->gop, followers, &average, workspace, err))) {
        return status;
    }
    const unsigned quantizer = xc_policy_reencoded_anchor_quantizer(r->options, r->key, r->quantizer[followers], noise);
    struct xc_encode_params params = xc_policy_anchor(quantizer, followers == 0);
    params.refresh_golden = last && followers == 0;
    params.altref_ahead = followers > 0; /* nothing predicts from it yet, but so libvpx does not start over after it */
    status = xc_session_encode_anchor(s, average ? average : r->gop.pictures[followers], s->chunk->shown, params, err);
    xc_picture_unref(average);
    return status;
}

/* Encodes the mini-GOP, if it has pictures, and lets it go. */
static enum xc_status encode_mini_gop(struct reencoding *r, bool last, struct xc_error *err)
{
    struct xc_session *s = &r->session;
    if (!r->gop.count) {
        return XC_OK;
    }
    const unsigned followers = r->gop.count - 1;
    enum xc_status status = encode_anchor(r, last, err);
    for (unsigned i = 0; !status && i < followers; i++) {
        const struct xc_encode_params params = xc_policy_follower(r->quantizer[i]);
        status = xc_session_encode_follower(s, r->gop.pictures[i], s->chunk->shown, params, err);
    }
    if (!status && followers) {
        struct xc_encode_params params = xc_policy_follower(r->quantizer[followers]);
        params.refresh_golden = params.refresh_altref = last;
        status = xc_session_show_anchor(s, &params, err);
    }
    xc_mini_gop_clear(&r->gop);
    return status;
}

/* Takes the picture that the frame read last shows. begins: with this one, the prediction began as a key frame. */
static enum xc_status take_picture(struct reencoding *r, bool begins, struct xc_error *err)
{
    const unsigned quantizer = r->prediction.frame.header.quantizer;
    struct xc_picture *picture;
    enum xc_status status = XC_OK;
    if (xc_mini_gop_is_full(&r->gop)) {
        status = encode_mini_gop(r, false, err);
    }
    if (begins) {
        r->key = quantizer;
    } else if (r->gop.count == 1 && r->session.source.count == 1) {
        r->quantizer[0] = quantizer; /* what was the key frame is now like the frame after it */
    }
    if (!status && !(status = xc_lookahead_expect(&r->session.source, &picture, r->prediction_name, err))) {
        r->quantizer[r->gop.count] = quantizer;
        xc_mini_gop_add(&r->gop, picture);
    }
    return status;
}

/* Skips the key frame that is no part of the chunk. */
static enum xc_status skip_extra_frame(struct reencoding *r, struct xc_error *err)
{
    enum xc_status status = xc_prediction_next(&r->prediction, err);
    r->key = r->prediction.frame.header.quantizer;
    return status ? status : skip_picture(r, err);
}

/* Encodes the pictures up to the first scene cut. *cut: there is one, and its key frame was read last. */
static enum xc_status encode_until_cut(struct reencoding *r, bool *cut, struct xc_error *err)
{
    struct xc_prediction *p = &r->prediction;
    const struct xc_frame_header *h = &p->frame.header;
    enum xc_status status = XC_OK;
    *cut = false;
    while (!status && !*cut && !xc_prediction_at_end(p) && !(status = xc_prediction_next(p, err))) {
        *cut = h->key_frame && r->session.source.count > 0;
        if (h->show && !*cut) { /* a hidden frame has no picture of its own */
            status = take_picture(r, h->key_frame, err);
        }
    }
    return status ? status : encode_mini_gop(r, !*cut, err);
}

static enum xc_status encode_chunk(struct reencoding *r, struct xc_error *err)
{
    bool cut = false;
    enum xc_status status = r->options->extra_frame ? skip_extra_frame(r, err) : XC_OK;
    if (!status) {
        status = encode_until_cut(r, &cut, err);
    }
    if (!status && cut) {
        status = copy_rest(r, err);
    }
    if (!status && !r->session.chunk->header.frame_count) {
        status = xc_fail_about(err, r->prediction.input->name, XC_ERR_MISMATCH, "shows no picture of the chunk");
    }
    return status ? status : xc_lookahead_expect_end(&r->session.source, r->prediction_name, err);
}

enum xc_status xc_chunk_reencode(struct xc_chunk *out, const struct xc_chunk_job *job,
                                 const struct xc_chunk_input *prediction, const struct xc_reencode_options *options,
                                 struct xc_error *err)
{
    struct reencoding r = {
        .options = options,
        .prediction_name = xc_name_or(prediction->name, "the prediction"),
    };
    *out = (struct xc_chunk){ 0 };
    if (!xc_input_begins_with_key(prediction)) {
        return xc_fail_about(err, prediction->name, XC_ERR_MISMATCH, "does not begin with a key frame");
    }
    enum xc_status status = xc_prediction_open(&r.prediction, prediction, job->source, job->workspace, err);
    if (status) {
        return status;
    }
    status = xc_session_begin(&r.session, out, job, 1, err);
    if (!status) {
        status = xc_session_end(&r.session, encode_chunk(&r, err), err);
    }
    xc_mini_gop_clear(&r.gop);
    xc_prediction_close(&r.prediction);
    return status;
}
