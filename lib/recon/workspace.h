/* SPDX-License-Identifier: BSD-2-Clause */
/* What a workspace consists of; the public face is in excamera/workspace.h. */
#ifndef XC_RECON_WORKSPACE_H
#define XC_RECON_WORKSPACE_H

#include "base/progress.h"
#include "dsp/dsp.h"
#include "excamera/frame.h"
#include "excamera/workspace.h"

struct xc_workspace {
    unsigned cpu_features;
    struct xc_dsp dsp;
    struct xc_thread_pool *threads;
    struct xc_picture_pool *pool;
    struct xc_frame frame; /* for decoding from bytes */
    uint8_t *lines;        /* for reconstructions, see recon.h */
    size_t lines_capacity;
    struct xc_row_progress *progress;
    size_t progress_capacity;
};

/* A workspace of one thread and the same kernels, for work beside another workspace's. */
enum xc_status xc_workspace_new_like(struct xc_workspace **out, const struct xc_workspace *like, struct xc_error *err);

/* Its threads, for work beside what the library does with them. */
struct xc_thread_pool *xc_workspace_threads(struct xc_workspace *workspace);

#endif
