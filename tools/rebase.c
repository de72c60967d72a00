/* Rebasing a chunk: while one frame is rebased, other threads of the workspace read the next one and write the one
 * before. */
#include "prediction.h"

#include "base/thread_pool.h"
#include "recon/workspace.h"

/* What is read of a frame: how it was predicted, and its raw picture. */
struct reading {
    struct xc_tool_prediction *p;
    struct xc_tool_source *source;
    struct xc_workspace *workspace;
    struct xc_frame frame;
    struct xc_state before;    /* for which the frame was made */
    struct xc_picture *target; /* that it is to look like, or NULL */
    uint64_t number;           /* of that picture; of the next one, if there is no raw one */
    bool exact;                /* the frame was made for the very state that comes before it */
    enum xc_status frame_status, target_status;
    struct xc_error err;
    struct xc_job job;
};

/* What is written. */
struct writing {
    struct xc_frame frame;
    struct xc_state before;
    uint64_t number;
    struct xc_bytes bytes;
    enum xc_status status;
    struct xc_error err;
    struct xc_job job;
};

/* Frames take turns. */
struct rebasing {
    struct reading reading[2];
    struct writing writing[2];
    struct xc_thread_pool *threads;
    bool beside; /* reading takes a single thread; not so where something must be decoded for it */
};

/* --- reading --- */

static void run_reading(void *context, unsigned piece, unsigned worker)
{
    struct reading *r = context;
    struct xc_tool_prediction *p = r->p;
    (void)piece, (void)worker;
    r->number = r->source->count;
    r->target = NULL;
    r->target_status = XC_OK;
    if (!(r->frame_status = xc_state_copy(&r->before, &p->state, &r->err))) {
        r->frame_status = xc_tool_prediction_read(p, &r->frame, r->number, &r->target, r->workspace, &r->err);
    }
    r->exact = p->exact;
    if (r->frame_status || r->target) {
        return;
    }
    if (r->frame.header.show) {
        r->target_status = xc_tool_source_read(r->source, &r->target, &r->err);
    } else {
        const uint64_t number = p->file.ivf.frames[p->next].timestamp;
        r->target_status = xc_tool_source_peek(r->source, number, &r->target, &r->err);
        r->number = r->target ? number : r->number;
    }
}

static void start_reading(struct rebasing *rebasing, struct reading *r)
{
    r->job = (struct xc_job){ .run = run_reading, .context = r, .pieces = 1 };
    if (rebasing->beside) {
        xc_thread_pool_start(rebasing->threads, &r->job);
    }
}

static void finish_reading(struct rebasing *rebasing, struct reading *r)
{
    if (rebasing->beside) {
        xc_thread_pool_finish(rebasing->threads, &r->job);
    } else {
        run_reading(r, 0, 0);
    }
    if (r->frame_status) {
        xc_tool_fail(r->p->file.name, "frame %u: %s", r->p->next, r->err.text);
    }
    xc_tool_source_check(r->source, r->target_status, &r->err);
    if (!r->target && (r->frame.header.show || !r->exact)) {
        xc_tool_fail(r->source->name, "has only %u frames; %s shows more", r->source->count + r->source->ahead_count,
                     r->p->file.name);
    }
    r->p->next++;
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
    xc_thread_pool_start(rebasing->threads, &w->job);
}

static void finish_writing(struct rebasing *rebasing, struct writing *w, struct xc_tool_chunk *chunk, const char *name)
{
    xc_thread_pool_finish(rebasing->threads, &w->job);
    xc_tool_check(w->status, name, &w->err);
    xc_tool_chunk_append(chunk, &w->bytes, w->number);
}

/* --- in between --- */

static void make_frame(struct writing *w, struct reading *r, struct xc_state *state)
{
    const char *name = r->p->file.name;
    struct xc_error err;
    if (xc_tool_prediction_at_end(r->p)) {
        xc_frame_terminate(&r->frame);
    }
    xc_tool_check(xc_state_copy(&w->before, state, &err), name, &err);
    w->number = r->number;
    if (r->exact) {
        xc_tool_check(xc_frame_complete(&r->frame, &err), name, &err);
        struct xc_frame unused = w->frame;
        w->frame = r->frame;
        r->frame = unused;
        xc_tool_check(xc_decode_frame(r->workspace, state, &w->frame, NULL, &err), name, &err);
    } else {
        xc_tool_check(xc_rebase(r->workspace, state, &r->frame, &r->before, r->target, &w->frame, &err), name, &err);
    }
    xc_picture_unref(r->target);
}

static void clear(struct rebasing *rebasing)
{
    for (int i = 0; i < 2; i++) {
        xc_frame_clear(&rebasing->reading[i].frame);
        xc_state_clear(&rebasing->reading[i].before);
        xc_frame_clear(&rebasing->writing[i].frame);
        xc_state_clear(&rebasing->writing[i].before);
    }
}

void xc_tool_rebase(struct xc_tool_prediction *p, struct xc_state *state, struct xc_tool_source *source,
                    struct xc_tool_chunk *chunk, struct xc_workspace *workspace)
{
    const struct reading reading = { .p = p, .source = source, .workspace = workspace };
    struct rebasing rebasing = { .reading = { reading, reading },
                                 .threads = xc_workspace_threads(workspace),
                                 .beside = !p->decodes && !source->is_ivf };
    struct writing *before = NULL;
    if (!xc_tool_prediction_at_end(p)) {
        start_reading(&rebasing, &rebasing.reading[p->next & 1]);
    }
    while (!xc_tool_prediction_at_end(p)) {
        struct reading *now = &rebasing.reading[p->next & 1];
        struct writing *after = &rebasing.writing[p->next & 1];
        finish_reading(&rebasing, now);
        if (!xc_tool_prediction_at_end(p)) {
            start_reading(&rebasing, &rebasing.reading[p->next & 1]);
        }
        make_frame(after, now, state);
        if (before) {
            finish_writing(&rebasing, before, chunk, p->file.name);
        }
        start_writing(&rebasing, after);
        before = after;
    }
    if (before) {
        finish_writing(&rebasing, before, chunk, p->file.name);
    }
    xc_tool_source_expect_end(source, p->file.name);
    clear(&rebasing);
}
