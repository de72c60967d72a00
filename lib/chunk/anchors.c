/* SPDX-License-Identifier: BSD-2-Clause */
/* The anchored structure's serial step: a chunk's key frames and anchors. */
#include "chunk/anchor_state.h"
#include "chunk/sections.h"
#include "chunk/session.h"

static enum xc_status encode_key(struct xc_session *s, const struct xc_section *section,
                                 const struct xc_anchored_options *options, struct xc_error *err)
{
    struct xc_picture *picture;
    double noise;
    enum xc_status status = xc_mini_gop_average(&section->gop, 0, &picture, &noise, s->job->workspace, err);
    if (status) {
        return status;
    }
    const unsigned quantizer = xc_policy_key_quantizer(options, &section->facts, noise);
    status = xc_session_encode_anchor(s, picture, section->index, xc_policy_key(quantizer), err);
    xc_picture_unref(picture);
    return status;
}

static enum xc_status pass_followers(struct xc_session *s, const struct xc_anchored_options *options,
                                     struct xc_error *err)
{
    struct xc_state state = XC_STATE_INIT;
    enum xc_status status = xc_state_copy(&state, xc_encoder_state(s->encoder), err);
    if (!status) {
        xc_anchor_pass_followers(&state, options);
        status = xc_encoder_set_state(s->encoder, &state, err);
    }
    xc_state_clear(&state);
    return status;
}

static enum xc_status encode_anchor(struct xc_session *s, const struct xc_section *section,
                                    const struct xc_anchored_options *options, struct xc_error *err)
{
    const unsigned last = section->gop.count - 1;
    struct xc_picture *picture;
    double noise;
    enum xc_status status = xc_mini_gop_average(&section->gop, last, &picture, &noise, s->job->workspace, err);
    if (status) {
        return status;
    }
    const unsigned quantizer = xc_policy_anchor_quantizer(options, &section->facts, noise);
    const bool alone = last == section->facts.key;
    status = xc_session_encode_anchor(s, picture, section->index + last, xc_policy_anchor(quantizer, alone), err);
    xc_picture_unref(picture);
    return status || alone ? status : pass_followers(s, options, err);
}

static enum xc_status encode_section(struct xc_session *s, const struct xc_section *section,
                                     const struct xc_anchored_options *options, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    if (section->facts.key) {
        status = encode_key(s, section, options, err);
    }
    if (!status && section->gop.count > section->facts.key) {
        status = encode_anchor(s, section, options, err);
    }
    return status;
}

static enum xc_status encode_sections(struct xc_session *s, const struct xc_anchored_options *options,
                                      struct xc_error *err)
{
    struct xc_sections sections;
    struct xc_section section = { .index = 0 };
    enum xc_status status = xc_sections_begin(&sections, &s->source, &s->after, s->job->state, s->job->workspace, err);
    if (status) {
        return status;
    }
    do {
        status = xc_sections_next(&sections, &section, err);
        if (!status && section.gop.count) {
            status = encode_section(s, &section, options, err);
        }
    } while (!status && section.gop.count);
    xc_mini_gop_clear(&section.gop);
    xc_sections_end(&sections);
    return status;
}

enum xc_status xc_chunk_encode_anchors(struct xc_chunk *out, const struct xc_chunk_job *job,
                                       const struct xc_anchored_options *options, struct xc_error *err)
{
    struct xc_session session;
    enum xc_status status = xc_session_begin(&session, out, job, 0, err);
    return status ? status : xc_session_end(&session, encode_sections(&session, options, err), err);
}

enum xc_status xc_chunk_guess_anchors(struct xc_chunk *out, const struct xc_chunk_job *job,
                                      const struct xc_anchored_options *options, const struct xc_anchor_guess *guess,
                                      struct xc_error *err)
{
    struct xc_session session;
    struct xc_state state = XC_STATE_INIT;
    struct xc_chunk_job from = *job;
    from.state = &state;
    *out = (struct xc_chunk){ 0 };
    enum xc_status status =
        xc_anchor_guess_state(&state, job->source->width, job->source->height, guess->before, guess->key, err);
    if (!status && !(status = xc_session_begin(&session, out, &from, 0, err))) {
        out->header.expected_state = XC_GUESSED_STATE_ID;
        session.targets = &guess->targets;
        status = xc_session_end(&session, encode_sections(&session, options, err), err);
    }
    xc_state_clear(&state);
    return status;
}
