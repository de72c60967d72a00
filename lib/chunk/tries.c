/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/tries.h"

#include "base/thread_pool.h"
#include "recon/workspace.h"

void xc_tries_end(struct xc_tries *t)
{
    for (int i = 0; i < XC_TRIES; i++) {
        xc_encoder_free(t->tries[i].encoder);
        xc_workspace_free(t->tries[i].workspace);
        xc_bytes_clear(&t->tries[i].bytes);
    }
    xc_bytes_clear(&t->kept);
    xc_state_clear(&t->kept_state);
}

enum xc_status xc_tries_begin(struct xc_tries *t, struct xc_session *session, int thorough, struct xc_error *err)
{
    const struct xc_encoder_options options = xc_session_encoder_options(session->job, thorough);
    *t = (struct xc_tries){ .session = session };
    enum xc_status status = XC_OK;
    for (int i = 0; !status && i < XC_TRIES; i++) {
        struct xc_try *try = &t->tries[i];
        status = xc_workspace_new_like(&try->workspace, session->job->workspace, err);
        if (!status) {
            status = xc_encoder_new(&try->encoder, try->workspace, &options, err);
        }
    }
    if (status) {
        xc_tries_end(t);
    }
    return status;
}

static void run_try(void *context, unsigned piece, unsigned worker)
{
    struct xc_tries *t = context;
    struct xc_try *try = &t->tries[piece];
    (void)worker;
    try->status = xc_encoder_retry_from(try->encoder, xc_encoder_state(t->session->encoder), &try->err);
    if (!try->status) {
        try->status = xc_encode(try->encoder, t->picture, &try->params, &try->bytes, &try->err);
    }
}

enum xc_status xc_tries_run(struct xc_tries *t, const struct xc_picture *picture, const struct xc_encode_params *params,
                            const unsigned levels[XC_TRIES], struct xc_error *err)
{
    struct xc_thread_pool *threads = xc_workspace_threads(t->session->job->workspace);
    struct xc_job job = { .run = run_try, .context = t, .pieces = XC_TRIES };
    t->picture = picture;
    for (int i = 0; i < XC_TRIES; i++) {
        t->tries[i].params = *params;
        t->tries[i].params.quantizer = xc_quantizer_of_level(levels[i]);
    }
    xc_thread_pool_start(threads, &job);
    xc_thread_pool_finish(threads, &job);
    for (int i = 0; i < XC_TRIES; i++) {
        if (t->tries[i].status) {
            if (err) {
                *err = t->tries[i].err;
            }
            return t->tries[i].status;
        }
    }
    return XC_OK;
}

enum xc_status xc_tries_keep(struct xc_tries *t, int which, struct xc_error *err)
{
    struct xc_try *try = &t->tries[which];
    const struct xc_bytes before = t->kept;
    enum xc_status status = xc_state_copy(&t->kept_state, xc_encoder_state(try->encoder), err);
    if (!status) {
        t->kept = try->bytes;
        try->bytes = before;
    }
    return status;
}

enum xc_status xc_tries_commit(struct xc_tries *t, uint64_t timestamp, struct xc_error *err)
{
    enum xc_status status = xc_encoder_set_state(t->session->encoder, &t->kept_state, err);
    return status ? status : xc_chunk_append(t->session->chunk, &t->kept, timestamp, err);
}
