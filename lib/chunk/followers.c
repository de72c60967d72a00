/* SPDX-License-Identifier: BSD-2-Clause */
/* The anchored structure's parallel step: all pictures of a chunk but its anchors. */
#include "chunk/input.h"
#include "chunk/policy.h"
#include "chunk/session.h"
#include "excamera/decode.h"

struct following {
    struct xc_session session;
    const struct xc_chunk_input *anchors;
    const char *anchors_name;       /* for messages */
    struct xc_encode_params params; /* of a follower */
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

static enum xc_status encode_follower(struct following *f, struct xc_error *err)
{
    struct xc_session *s = &f->session;
    struct xc_picture *picture;
    enum xc_status status = xc_lookahead_expect(&s->source, &picture, f->anchors_name, err);
    if (!status) {
        status = xc_session_encode_follower(s, picture, s->chunk->shown, f->params, err);
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
    f.params.keep_probabilities = true;
    status = xc_session_begin(&f.session, out, job, 0, err);
    out->header.expected_state = anchors->ivf->header.expected_state; /* none, if they begin with a key frame */
    return status ? status : xc_session_end(&f.session, follow_anchors(&f, err), err);
}
