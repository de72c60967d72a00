/* SPDX-License-Identifier: BSD-2-Clause */
/* The anchored structure's serial step where the anchors have been guessed: nothing is searched any more. */
#include "chunk/anchor_state.h"
#include "chunk/input.h"
#include "chunk/session.h"
#include "excamera/decode.h"
#include "excamera/encode.h"

/* What is left out of an anchor is missing in all frames that are copied from it, so a bit is worth less than elsewhere
 * (docs/notes/compression.md). */
#define LAMBDA 0.65

struct chain {
    const struct xc_chunk_job *job;
    const struct xc_chunk_input *guess;
    const char *guess_name; /* for messages */
    const struct xc_anchored_options *options;
    struct xc_lookahead targets;
    struct xc_chunk *chunk;
    struct xc_state origin, state; /* before the next frame: of the guess, and the true one */
    bool exact;                    /* both are the same, since a key frame has come */
    struct xc_frame frame, rebased;
};

/* A frame is kept that was made for the very state that comes before it. */
static enum xc_status keep_frame(struct chain *c, uint32_t index, struct xc_error *err)
{
    enum xc_status status = xc_input_decode(c->guess, index, &c->state, c->job->workspace, err);
    return status ? status : xc_input_copy(c->guess, index, c->chunk, c->guess->ivf->frames[index].timestamp, err);
}

static enum xc_status rebase_frame(struct chain *c, uint32_t index, const struct xc_picture *target,
                                   struct xc_error *err)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_state before = XC_STATE_INIT;
    enum xc_status status = xc_state_copy(&before, &c->state, err);
    if (!status) {
        status = xc_rebase(c->job->workspace, &c->state, &c->frame, &c->origin, target, LAMBDA, &c->rebased, err);
    }
    if (!status) {
        status = xc_frame_serialize(&bytes, &c->rebased, &before, err);
    }
    if (!status) {
        status = xc_chunk_append(c->chunk, &bytes, c->guess->ivf->frames[index].timestamp, err);
    }
    xc_state_clear(&before);
    xc_bytes_clear(&bytes);
    return status;
}

/* Turns the next frame of the guess into one of the chunk, and moves both states on. */
static enum xc_status make_frame(struct chain *c, uint32_t index, const struct xc_picture *target, struct xc_error *err)
{
    const struct xc_ivf_frame *data = &c->guess->ivf->frames[index];
    struct xc_state after = XC_STATE_INIT;
    enum xc_status status = xc_frame_open(&c->frame, &c->origin, data->data, data->size, err);
    if (!status && !(status = xc_state_copy(&after, &c->origin, err))) {
        status = xc_state_follow_header(&after, &c->frame, err);
    }
    const bool hidden = !c->frame.header.show;
    c->exact |= !status && c->frame.header.key_frame;
    if (!status) {
        status = c->exact ? keep_frame(c, index, err) : rebase_frame(c, index, target, err);
    }
    if (!status && hidden) {
        xc_anchor_pass_followers(&c->state, c->options);
        xc_anchor_pass_followers(&after, c->options);
    }
    if (!status) {
        const struct xc_state before = c->origin;
        c->origin = after;
        after = before;
    }
    xc_state_clear(&after);
    return xc_input_blame_frame(c->guess, index, status, err);
}

static enum xc_status make_frames(struct chain *c, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    for (uint32_t i = 0; !status && i < c->guess->ivf->header.frame_count; i++) {
        struct xc_picture *target;
        status = xc_lookahead_expect(&c->targets, &target, c->guess_name, err);
        if (!status) {
            status = make_frame(c, i, target, err);
        }
        xc_picture_unref(target);
    }
    return status ? status : xc_lookahead_expect_end(&c->targets, c->guess_name, err);
}

static enum xc_status check_guess(const struct xc_chunk_job *job, const struct xc_chunk_input *guess,
                                  struct xc_error *err)
{
    enum xc_status status = xc_input_check_size(guess, job->source, err);
    if (status || xc_input_begins_with_key(guess)) {
        return status;
    }
    if (guess->ivf->header.expected_state != XC_GUESSED_STATE_ID) {
        return xc_fail_about(err, guess->name, XC_ERR_MISMATCH, "is no guess of anchors; xc-enc --guess makes them");
    }
    if (!job->state->width) {
        return xc_fail_about(err, guess->name, XC_ERR_MISMATCH, "needs a state to be rebased onto");
    }
    return XC_OK;
}

static void clear(struct chain *c)
{
    xc_state_clear(&c->origin);
    xc_state_clear(&c->state);
    xc_frame_clear(&c->frame);
    xc_frame_clear(&c->rebased);
    xc_lookahead_clear(&c->targets);
}

enum xc_status xc_chunk_rebase_anchors(struct xc_chunk *out, const struct xc_chunk_job *job,
                                       const struct xc_chunk_input *guess, const struct xc_anchored_options *options,
                                       struct xc_error *err)
{
    struct chain c = { .job = job,
                       .guess = guess,
                       .guess_name = xc_name_or(guess->name, "the guess"),
                       .options = options,
                       .targets = { .source = job->source },
                       .chunk = out };
    enum xc_status status = xc_session_begin_chunk(out, job, err);
    if (!status && !(status = check_guess(job, guess, err)) && !(status = xc_state_copy(&c.state, job->state, err)) &&
        !(status = xc_anchor_guess_state(&c.origin, job->source->width, job->source->height, NULL, NULL, err))) {
        status = make_frames(&c, err);
    }
    if (!status) {
        status = xc_state_copy(job->state, &c.state, err);
    }
    if (status) {
        xc_chunk_clear(out);
    }
    clear(&c);
    return status;
}
