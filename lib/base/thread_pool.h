/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that share work.
 *
 * A job consists of pieces, numbered from 0, which the workers of a threads take in order, each as soon as it is free.
 * A piece may wait for what pieces before it have reached, for they are under way or done; never for one after it. So
 * rows of macroblocks can be pieces, each waiting column by column for the row above, and one worker alone gets through
 * as well as many.
 *
 * The caller is a worker, too, but works only inside xc_thread_pool_finish. Only the caller starts and finishes jobs.
 */
#ifndef XC_BASE_THREAD_POOL_H
#define XC_BASE_THREAD_POOL_H

#include <stdatomic.h>

#include "excamera/error.h"

struct xc_thread_pool;

/* size: how many workers there are, 1 or more, the caller included. */
enum xc_status xc_thread_pool_new(struct xc_thread_pool **out, unsigned size, struct xc_error *err);
void xc_thread_pool_free(struct xc_thread_pool *threads); /* no job may be under way; NULL is fine */
unsigned xc_thread_pool_size(const struct xc_thread_pool *threads);

struct xc_job {
    void (*run)(void *context, unsigned piece, unsigned worker); /* worker: 0, the caller, to size - 1 */
    void *context;
    unsigned pieces;
    /* private */
    unsigned taken, done;
    struct xc_job *next;
};

/* Lets the other workers begin. The job stays where it is until it is finished. Jobs started earlier go first. */
void xc_thread_pool_start(struct xc_thread_pool *threads, struct xc_job *job);
/* Lends a hand, while others are at the last pieces with other jobs, and returns when all pieces are done. */
void xc_thread_pool_finish(struct xc_thread_pool *threads, struct xc_job *job);

/* How far a piece has come, for other pieces to wait for. Whoever has waited for it sees what its worker did before. */
struct xc_progress {
    atomic_uint reached;
};

/* Waits until a value is reached; wakes those who wait after it was. base/progress.h has what pieces call. */
void xc_progress_sleep(struct xc_thread_pool *threads, const struct xc_progress *progress, unsigned value);
void xc_progress_wake(struct xc_thread_pool *threads);

#endif
