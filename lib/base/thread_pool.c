/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/thread_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* How often to look again before going to sleep: a few microseconds, the time that some macroblocks take. */
enum { PATIENCE = 2000 };

struct helper {
    pthread_t thread;
    struct xc_thread_pool *threads;
    unsigned worker;
};

struct xc_thread_pool {
    unsigned size;         /* workers, the caller included */
    pthread_mutex_t mutex; /* guards the jobs and, while anyone sleeps, what they wait for */
    pthread_cond_t change; /* there is a new job, one is done, progress was made, or it is time to leave */
    struct xc_job *jobs;   /* in the order of their starts */
    atomic_uint sleepers;  /* workers inside xc_progress_sleep */
    bool leaving;
    struct helper helper[]; /* size - 1 */
};

unsigned xc_thread_pool_size(const struct xc_thread_pool *threads)
{
    return threads->size;
}

/* --- jobs; the mutex is held, but for the time that a piece takes --- */

static void run_piece(struct xc_thread_pool *threads, struct xc_job *job, unsigned worker)
{
    unsigned piece = job->taken++;
    pthread_mutex_unlock(&threads->mutex);
    job->run(job->context, piece, worker);
    pthread_mutex_lock(&threads->mutex);
    if (++job->done == job->pieces) {
        pthread_cond_broadcast(&threads->change);
    }
}

static struct xc_job *first_open_job(struct xc_thread_pool *threads)
{
    struct xc_job *job = threads->jobs;
    while (job && job->taken == job->pieces) {
        job = job->next;
    }
    return job;
}

static void *help(void *context)
{
    struct helper *self = context;
    struct xc_thread_pool *threads = self->threads;
    pthread_mutex_lock(&threads->mutex);
    while (!threads->leaving) {
        struct xc_job *job = first_open_job(threads);
        if (job) {
            run_piece(threads, job, self->worker);
        } else {
            pthread_cond_wait(&threads->change, &threads->mutex);
        }
    }
    pthread_mutex_unlock(&threads->mutex);
    return NULL;
}

void xc_thread_pool_start(struct xc_thread_pool *threads, struct xc_job *job)
{
    job->taken = job->done = 0;
    job->next = NULL;
    pthread_mutex_lock(&threads->mutex);
    struct xc_job **end = &threads->jobs;
    while (*end) {
        end = &(*end)->next;
    }
    *end = job;
    pthread_cond_broadcast(&threads->change);
    pthread_mutex_unlock(&threads->mutex);
}

void xc_thread_pool_finish(struct xc_thread_pool *threads, struct xc_job *job)
{
    pthread_mutex_lock(&threads->mutex);
    while (job->done < job->pieces) {
        struct xc_job *open = job->taken < job->pieces ? job : first_open_job(threads);
        if (open) {
            run_piece(threads, open, 0);
        } else {
            pthread_cond_wait(&threads->change, &threads->mutex);
        }
    }
    struct xc_job **link = &threads->jobs;
    while (*link != job) {
        link = &(*link)->next;
    }
    *link = job->next;
    pthread_mutex_unlock(&threads->mutex);
}

/* --- progress --- */

void xc_progress_sleep(struct xc_thread_pool *threads, const struct xc_progress *progress, unsigned value)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (atomic_load_explicit(&progress->reached, memory_order_acquire) >= value) {
            return;
        }
    }
    pthread_mutex_lock(&threads->mutex);
    atomic_fetch_add(&threads->sleepers, 1);
    while (atomic_load(&progress->reached) < value) {
        pthread_cond_wait(&threads->change, &threads->mutex);
    }
    atomic_fetch_sub(&threads->sleepers, 1);
    pthread_mutex_unlock(&threads->mutex);
}

void xc_progress_wake(struct xc_thread_pool *threads)
{
    if (atomic_load(&threads->sleepers)) {
        pthread_mutex_lock(&threads->mutex);
        pthread_cond_broadcast(&threads->change);
        pthread_mutex_unlock(&threads->mutex);
    }
}

/* --- the threads --- */

enum xc_status xc_thread_pool_new(struct xc_thread_pool **out, unsigned size, struct xc_error *err)
{
    *out = NULL;
    if (size == 0) {
        return xc_fail(err, XC_ERR_ARGUMENT, "a threads of no threads");
    }
    struct xc_thread_pool *threads = calloc(1, sizeof *threads + (size - 1) * sizeof threads->helper[0]);
    if (!threads) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for %u threads", size);
    }
    pthread_mutex_init(&threads->mutex, NULL);
    pthread_cond_init(&threads->change, NULL);
    for (threads->size = 1; threads->size < size; threads->size++) {
        struct helper *helper = &threads->helper[threads->size - 1];
        *helper = (struct helper){ .threads = threads, .worker = threads->size };
        if (pthread_create(&helper->thread, NULL, help, helper)) {
            xc_thread_pool_free(threads);
            return xc_fail(err, XC_ERR_MEMORY, "cannot start %u threads", size);
        }
    }
    *out = threads;
    return XC_OK;
}

void xc_thread_pool_free(struct xc_thread_pool *threads)
{
    if (!threads) {
        return;
    }
    pthread_mutex_lock(&threads->mutex);
    threads->leaving = true;
    pthread_cond_broadcast(&threads->change);
    pthread_mutex_unlock(&threads->mutex);
    for (unsigned i = 0; i + 1 < threads->size; i++) {
        pthread_join(threads->helper[i].thread, NULL);
    }
    pthread_cond_destroy(&threads->change);
    pthread_mutex_destroy(&threads->mutex);
    free(threads);
}
