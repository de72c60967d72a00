/* SPDX-License-Identifier: BSD-2-Clause */
/* The classic structure's serial step. While one frame is rebased, other threads of the workspace read the next one and
 * write the one before. */
#include "base/thread_pool.h"
#include "chunk/prediction.h"
#include "chunk/session.h"
#include "excamera/decode.h"
#include "excamera/encode.h"
#include "recon/workspace.h"

/* What a bit is worth. More saves bits, but costs VMAF (docs/notes/compression.md). */
#define LAMBDA 0.75

/* What is read of a frame: how it was predicted, and its raw picture. */
struct reading {
    struct xc_workspace *workspace; /* the job's */
    struct xc_prediction *prediction;
    struct xc_lookahead *source;
    struct xc_frame frame;
    struct xc_state before;    /* for which the frame was made */
    struct xc_picture *target; /* that it is to look like, raw or averaged, or NULL */
    bool exact;                /* the frame was made for the very state that comes before it */
    enum xc_status status;
    struct xc_error err;
    struct xc_job job;
    bool under_way;
};

/* What is written. */
struct writing {
    struct xc_frame frame;
    struct xc_state before;
    struct xc_bytes bytes;
    enum xc_status status;
    struct xc_error err;
    struct xc_job job;
    bool under_way;
};

/* Frames take turns. */
struct rebasing {
    const struct xc_chunk_job *job;
    struct xc_thread_pool *threads;
    struct xc_prediction prediction;
    const char *prediction_name; /* for messages */
    struct xc_lookahead source;
    struct xc_state state; /* before the frame that is rebased next */
    struct xc_chunk *chunk;
    struct reading reading[2];
    struct writing writing[2];
};

/* --- reading --- */

/* The picture with this number, which comes last of its mini-GOP. If it can be averaged with those before it, the
 * average takes its place, so that the frame that shows the anchor again brings no noise back. */
static enum xc_status read_anchor(struct reading *r, uint32_t number)
{
    struct xc_lookahead *l = r->source;
    enum xc_status status = xc_lookahead_peek(l, number, &r->target, &r->err);
    if (status || !r->target) {
        return status;
    }
    struct xc_mini_gop gop = { .count = number - l->count + 1 };
    for (unsigned i = 0; i < gop.count; i++) {
        gop.pictures[i] = l->ahead[i]; /* which stays the lookahead's */
    }
    struct xc_picture *average;
    status = xc_mini_gop_average_at_rest(&gop, gop.count - 1, &average, r->workspace, &r->err);
    if (average) {
        xc_picture_unref(l->ahead[gop.count - 1]);
        l->ahead[gop.count - 1] = average;
        xc_picture_unref(r->target);
        r->target = xc_picture_ref(average);
    }
    return status;
}

/* Finds the picture that the frame is to look like: the one that it shows, or stands for. */
static enum xc_status read_target(struct reading *r)
{
    if (r->frame.header.show) {
        return xc_lookahead_next(r->source, &r->target, &r->err);
    }
    const uint32_t number = xc_prediction_picture(r->prediction);
    return number == XC_NO_PICTURE ? XC_OK : read_anchor(r, number);
}

static void run_reading(void *context, unsigned piece, unsigned worker)
{
    struct reading *r = context;
    (void)piece, (void)worker;
    r->status = xc_state_copy(&r->before, &r->prediction->state, &r->err);
    if (!r->status) {
        r->status = xc_prediction_read(r->prediction, &r->frame, &r->target, &r->err);
    }
    r->exact = r->prediction->exact;
    if (!r->status && !r->target) {
        r->status = read_target(r);
    }
}

static void start_reading(struct rebasing *rebasing)
{
    struct reading *r = &rebasing->reading[rebasing->prediction.next & 1];
    r->workspace = rebasing->job->workspace;
    r->prediction = &rebasing->prediction;
    r->source = &rebasing->source;
    r->target = NULL;
    r->job = (struct xc_job){ .run = run_reading, .context = r, .pieces = 1 };
    r->under_way = true;
    xc_thread_pool_start(rebasing->threads, &r->job);
}

static enum xc_status finish_reading(struct rebasing *rebasing, struct reading *r, struct xc_error *err)
{
    xc_thread_pool_finish(rebasing->threads, &r->job);
    r->under_way = false;
    if (r->status) {
        *err = r->err;
        return r->status;
    }
    if (!r->target && (r->frame.header.show || !r->exact)) {
        return xc_lookahead_fail_short(r->source, rebasing->prediction_name, err);
    }
    r->prediction->next++;
    return XC_OK;
}

/* --- writing --- */

static void run_writing(void *context, unsigned piece, unsigned worker)
{
    struct writing *w = context;
    (void)piece, (void)worker;
    w->status = xc_frame_serialize(&w->bytes, &w->frame, &w->before, &w->err);
}

static void start_writing(struct rebasing *rebasing, struct writing *w)
{
    w->job = (struct xc_job){ .run = run_writing, .context = w, .pieces = 1 };
    w->under_way = true;
    xc_thread_pool_start(rebasing->threads, &w->job);
}

static enum xc_status finish_writing(struct rebasing *rebasing, struct writing *w, struct xc_error *err)
{
    if (!w->under_way) {
        return XC_OK;
    }
    xc_thread_pool_finish(rebasing->threads, &w->job);
    w->under_way = false;
    if (w->status) {
        *err = w->err;
        return w->status;
    }
    return xc_chunk_append(rebasing->chunk, &w->bytes, rebasing->chunk->shown, err);
}

/* --- in between --- */

/* Makes the frame that is written out of the one that was read, and moves the state on. The frame is copied if it was
 * made for that very state. */
static enum xc_status make_frame(struct rebasing *rebasing, struct writing *w, struct reading *r, struct xc_error *err)
{
    struct xc_workspace *workspace = rebasing->job->workspace;
    struct xc_state *state = &rebasing->state;
    if (xc_prediction_at_end(&rebasing->prediction)) {
        xc_frame_terminate(&r->frame);
    }
    enum xc_status status = xc_state_copy(&w->before, state, err);
    if (status) {
        return status;
    }
    if (!r->exact) {
        return xc_rebase(workspace, state, &r->frame, &r->before, r->target, LAMBDA, &w->frame, err);
    }
    status = xc_frame_complete(&r->frame, err);
    if (status) {
        return status;
    }
    const struct xc_frame unused = w->frame;
    w->frame = r->frame;
    r->frame = unused;
    return xc_decode_frame(workspace, state, &w->frame, NULL, err);
}

/* Rebases the frame that is next. */
static enum xc_status rebase_next(struct rebasing *rebasing, struct xc_error *err)
{
    struct xc_prediction *p = &rebasing->prediction;
    struct reading *now = &rebasing->reading[p->next & 1];
    struct writing *after = &rebasing->writing[p->next & 1], *before = &rebasing->writing[(p->next & 1) ^ 1];
    enum xc_status status = finish_reading(rebasing, now, err);
    if (!status && !xc_prediction_at_end(p)) {
        start_reading(rebasing);
    }
    if (!status) {
        status = make_frame(rebasing, after, now, err);
    }
    xc_picture_unref(now->target);
    now->target = NULL;
    if (!status) {
        status = finish_writing(rebasing, before, err);
    }
    if (!status) {
        start_writing(rebasing, after);
    }
    return xc_blame(err, p->input->name, status);
}

/* Nothing may be under way when what it works on goes. */
static void clear(struct rebasing *rebasing)
{
    for (int i = 0; i < 2; i++) {
        struct reading *r = &rebasing->reading[i];
        struct writing *w = &rebasing->writing[i];
        if (r->under_way) {
            xc_thread_pool_finish(rebasing->threads, &r->job);
        }
        if (w->under_way) {
            xc_thread_pool_finish(rebasing->threads, &w->job);
        }
        xc_picture_unref(r->target);
        xc_frame_clear(&r->frame);
        xc_state_clear(&r->before);
        xc_frame_clear(&w->frame);
        xc_state_clear(&w->before);
        xc_bytes_clear(&w->bytes);
    }
    xc_lookahead_clear(&rebasing->source);
}

static enum xc_status rebase_chunk(struct rebasing *rebasing, struct xc_error *err)
{
    struct xc_prediction *p = &rebasing->prediction;
    enum xc_status status = xc_state_copy(&rebasing->state, rebasing->job->state, err);
    if (!status) {
        start_reading(rebasing);
    }
    while (!status && !xc_prediction_at_end(p)) {
        status = rebase_next(rebasing, err);
    }
    if (!status) {
        status = xc_blame(err, p->input->name, finish_writing(rebasing, &rebasing->writing[(p->next & 1) ^ 1], err));
    }
    return status ? status : xc_lookahead_expect_end(&rebasing->source, rebasing->prediction_name, err);
}

enum xc_status xc_chunk_rebase(struct xc_chunk *out, const struct xc_chunk_job *job,
                               const struct xc_chunk_input *prediction, struct xc_error *err)
{
    struct rebasing rebasing = {
        .job = job,
        .threads = xc_workspace_threads(job->workspace),
        .prediction_name = xc_name_or(prediction->name, "the prediction"),
        .source = { .source = job->source },
        .chunk = out,
    };
    struct xc_error unused;
    err = err ? err : &unused;
    enum xc_status status = xc_session_begin_chunk(out, job, err);
    if (status || (status = xc_prediction_open(&rebasing.prediction, prediction, job->source, job->workspace, err))) {
        xc_chunk_clear(out);
        return status;
    }
    status = rebase_chunk(&rebasing, err);
    clear(&rebasing);
    xc_prediction_close(&rebasing.prediction);
    if (status) {
        xc_chunk_clear(out);
    } else {
        const struct xc_state before = *job->state;
        *job->state = rebasing.state;
        rebasing.state = before;
    }
    xc_state_clear(&rebasing.state);
    return status;
}
