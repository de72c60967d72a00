/* SPDX-License-Identifier: BSD-2-Clause */
/* The anchored structure's parallel step: all pictures of a chunk but its anchors. */
#include "chunk/fit.h"
#include "chunk/input.h"
#include "chunk/policy.h"
#include "chunk/session.h"
#include "excamera/decode.h"
#include "excamera/ssim.h"

struct following {
    struct xc_session session;
    const struct xc_chunk_input *anchors;
    const char *anchors_name;       /* for messages */
    struct xc_encode_params params; /* of a follower */
    struct xc_fit fit;
};

/* Whether alt-ref is a picture that the state before did not hold. */
static bool has_new_altref(const struct xc_state *state, const struct xc_state *before)
{
    const struct xc_picture *altref = state->reference[XC_ALTREF];
    return altref != before->reference[XC_LAST] && altref != before->reference[XC_GOLDEN] &&
           altref != before->reference[XC_ALTREF];
}

/* Decodes an anchor, so that the encoder goes on from the state after it. */
static enum xc_status decode_anchor(struct following *f, uint32_t index, bool hidden, struct xc_error *err)
{
    struct xc_session *s = &f->session;
    struct xc_state state = XC_STATE_INIT;
    enum xc_status status = xc_state_copy(&state, xc_encoder_state(s->encoder), err);
    if (!status) {
        status = xc_input_decode(f->anchors, index, &state, s->job->workspace, err);
    }
    if (!status && hidden && !has_new_altref(&state, xc_encoder_state(s->encoder))) {
        status = xc_fail_about(err, f->anchors->name, XC_ERR_MISMATCH,
                               "frame %u is hidden, but no anchor: alt-ref is no new picture after it", index);
    }
    if (!status) {
        status = xc_encoder_set_state(s->encoder, &state, err);
    }
    xc_state_clear(&state);
    return status;
}

static enum xc_status skip_picture(struct following *f, struct xc_error *err)
{
    struct xc_picture *picture;
    enum xc_status status = xc_lookahead_expect(&f->session.source, &picture, f->anchors_name, err);
    xc_picture_unref(picture);
    return status;
}

/* How far a picture is from the reference that holds it now. */
static double loss_of(const struct following *f, const struct xc_picture *picture, enum xc_reference which)
{
    const struct xc_state *state = xc_encoder_state(f->session.encoder);
    return 1 - xc_picture_ssim(f->session.job->workspace, picture, state->reference[which], XC_PLANE_Y);
}

/* Tells fit what the key frame or anchor for the picture with this number has lost. Whether there is such a picture is
 * found out when it is taken. */
static enum xc_status report_anchor(struct following *f, uint64_t number, bool hidden, struct xc_error *err)
{
    struct xc_picture *picture;
    if (f->fit.kind != XC_FIT_LOSS) {
        return XC_OK;
    }
    enum xc_status status = xc_lookahead_peek(&f->session.source, number, &picture, err);
    if (!status && picture) {
        xc_fit_spend(&f->fit, loss_of(f, picture, hidden ? XC_ALTREF : XC_LAST));
    }
    xc_picture_unref(picture);
    return status;
}

/* The segments keep the offsets that the level gives them, since the state after the chunk has them. */
static enum xc_status encode_picture(struct following *f, const struct xc_picture *picture, struct xc_error *err)
{
    struct xc_session *s = &f->session;
    struct xc_encode_params params = f->params;
    params.quantizer = xc_fit_quantizer(&f->fit);
    enum xc_status status = xc_session_encode_follower(s, picture, s->chunk->shown, params, err);
    if (!status && f->fit.kind) {
        const size_t bytes = s->chunk->frames[s->chunk->header.frame_count - 1].bytes.size;
        xc_fit_report(&f->fit, params.quantizer,
                      f->fit.kind == XC_FIT_BYTES ? (double)bytes : loss_of(f, picture, XC_LAST));
    }
    return status;
}

static enum xc_status encode_follower(struct following *f, struct xc_error *err)
{
    struct xc_picture *picture;
    enum xc_status status = xc_lookahead_expect(&f->session.source, &picture, f->anchors_name, err);
    if (!status) {
        status = encode_picture(f, picture, err);
    }
    xc_picture_unref(picture);
    return status;
}

/* The followers of a hidden anchor, and the anchor shown. */
static enum xc_status encode_mini_gop(struct following *f, uint64_t anchor, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    while (!status && f->session.source.count < anchor) {
        status = encode_follower(f, err);
    }
    if (!status) {
        status = skip_picture(f, err);
    }
    return status ? status : xc_session_show_anchor(&f->session, &f->params, err);
}

/* Takes the key frame or anchor with this index, and encodes what is predicted from it. */
static enum xc_status follow_anchor(struct following *f, uint32_t index, struct xc_error *err)
{
    struct xc_session *s = &f->session;
    const struct xc_ivf_frame *frame = &f->anchors->ivf->frames[index];
    const bool shown = xc_data_is_shown(frame->data, frame->size);
    if (frame->timestamp < s->source.count || (shown && frame->timestamp > s->source.count)) {
        return xc_fail_about(err, f->anchors->name, XC_ERR_MISMATCH,
                             "frame %u is for picture %llu, where picture %u is due", index,
                             (unsigned long long)frame->timestamp, s->source.count);
    }
    enum xc_status status = decode_anchor(f, index, !shown, err);
    if (!status) {
        status = xc_input_copy(f->anchors, index, s->chunk, s->chunk->shown, err);
    }
    if (!status) {
        status = report_anchor(f, frame->timestamp, !shown, err);
    }
    if (status) {
        return status;
    }
    return shown ? skip_picture(f, err) : encode_mini_gop(f, frame->timestamp, err);
}

static enum xc_status follow_anchors(struct following *f, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    for (uint32_t i = 0; !status && i < f->anchors->ivf->header.frame_count; i++) {
        status = follow_anchor(f, i, err);
    }
    return status ? status : xc_lookahead_expect_end(&f->session.source, f->anchors_name, err);
}

enum xc_status xc_chunk_encode_followers(struct xc_chunk *out, const struct xc_chunk_job *job,
                                         const struct xc_chunk_input *anchors,
                                         const struct xc_anchored_options *options, struct xc_error *err)
{
    *out = (struct xc_chunk){ 0 };
    struct xc_chunk_input from = *anchors;
    from.state = job->state;
    from.state_name = job->state_name;
    enum xc_status status = xc_input_check(&from, job->source, err);
    if (status) {
        return status;
    }
    struct following f = {
        .anchors = anchors,
        .anchors_name = xc_name_or(anchors->name, "the chunk of anchors"),
        .params = xc_policy_follower(xc_policy_follower_quantizer(options)),
    };
    f.params.keep_probabilities = f.params.refine = true;
    xc_fit_init(&f.fit, options, f.params.quantizer, anchors->ivf);
    status = xc_session_begin(&f.session, out, job, 0, err);
    out->header.expected_state = anchors->ivf->header.expected_state; /* none, if they begin with a key frame */
    return status ? status : xc_session_end(&f.session, follow_anchors(&f, err), err);
}
