/* SPDX-License-Identifier: BSD-2-Clause */
#include "recon/workspace.h"

#include <stdlib.h>

enum xc_status xc_workspace_new(struct xc_workspace **out, unsigned threads, unsigned cpu_features,
                                struct xc_error *err)
{
    *out = NULL;
    if (threads < 1 || threads > XC_MAX_THREADS) {
        return xc_fail(err, XC_ERR_ARGUMENT, "%u threads: from 1 to %d are possible", threads, XC_MAX_THREADS);
    }
    struct xc_workspace *w = calloc(1, sizeof *w);
    if (!w) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a workspace");
    }
    enum xc_status status;
    if ((status = xc_picture_pool_new(&w->pool, err)) || (status = xc_thread_pool_new(&w->threads, threads, err))) {
        xc_workspace_free(w);
        return status;
    }
    w->cpu_features = cpu_features & xc_cpu_features();
    xc_dsp_fill(&w->dsp, w->cpu_features);
    *out = w;
    return XC_OK;
}

enum xc_status xc_workspace_new_like(struct xc_workspace **out, const struct xc_workspace *like, struct xc_error *err)
{
    return xc_workspace_new(out, 1, like->cpu_features, err);
}

void xc_workspace_free(struct xc_workspace *w)
{
    if (!w) {
        return;
    }
    xc_thread_pool_free(w->threads);
    xc_picture_pool_free(w->pool);
    xc_frame_clear(&w->frame);
    free(w->lines);
    free(w->progress);
    free(w);
}

struct xc_picture_pool *xc_workspace_pool(struct xc_workspace *w)
{
    return w->pool;
}

struct xc_thread_pool *xc_workspace_threads(struct xc_workspace *w)
{
    return w->threads;
}
