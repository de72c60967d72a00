/* SPDX-License-Identifier: BSD-2-Clause */
/* How the pieces of a job (base/thread_pool.h) wait for each other, and rows of macroblocks for the row above. */
#ifndef XC_BASE_PROGRESS_H
#define XC_BASE_PROGRESS_H

#include "base/thread_pool.h"

static inline void xc_progress_wait(struct xc_thread_pool *threads, const struct xc_progress *progress, unsigned value)
{
    if (atomic_load_explicit(&progress->reached, memory_order_acquire) < value) {
        xc_progress_sleep(threads, progress, value);
    }
}

static inline void xc_progress_reach(struct xc_thread_pool *threads, struct xc_progress *progress, unsigned value)
{
    /* Sequentially consistent, as are xc_progress_sleep's accesses: either the sleeper is seen, or it sees the
     * value. */
    atomic_store(&progress->reached, value);
    xc_progress_wake(threads);
}

/* The same for a row of columns, whose progress is told and asked for only now and then. xc_row_follow, called for each
 * column before it is worked on, waits for the row above to be two columns further, or at its end; xc_row_report,
 * called for each column when it is done, tells. */
enum { XC_ROW_STEP = 8 };

static inline void xc_row_follow(struct xc_thread_pool *threads, const struct xc_progress *above, unsigned column,
                                 unsigned columns)
{
    if (column % XC_ROW_STEP == 0) {
        unsigned needed = column + XC_ROW_STEP + 1;
        xc_progress_wait(threads, above, needed < columns ? needed : columns);
    }
}

static inline void xc_row_report(struct xc_thread_pool *threads, struct xc_progress *row, unsigned column,
                                 unsigned columns)
{
    unsigned done = column + 1;
    if (done % XC_ROW_STEP == 1 || done == columns) {
        xc_progress_reach(threads, row, done);
    }
}

#endif
