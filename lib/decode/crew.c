#include "excamera/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "decode/progress.h"

/* How often to look again before going to sleep: a few microseconds, the time that some macroblocks take. */
enum { PATIENCE = 2000 };

struct helper {
    pthread_t thread;
    struct xc_crew *crew;
    unsigned member;
};

struct xc_crew {
    unsigned size;         /* members, the caller included */
    pthread_mutex_t mutex; /* guards the jobs and, while anyone sleeps, what they wait for */
    pthread_cond_t change; /* there is a new job, one is done, progress was made, or it is time to leave */
    struct xc_job *jobs;   /* in the order of their starts */
    atomic_uint sleepers;  /* members inside xc_progress_sleep */
    bool leaving;
    struct helper helper[]; /* size - 1 */
};

unsigned xc_crew_size(const struct xc_crew *crew)
{
    return crew->size;
}

/* --- jobs; the mutex is held, but for the time that a piece takes --- */

static void run_piece(struct xc_crew *crew, struct xc_job *job, unsigned member)
{
    unsigned piece = job->taken++;
    pthread_mutex_unlock(&crew->mutex);
    job->run(job->context, piece, member);
    pthread_mutex_lock(&crew->mutex);
    if (++job->done == job->pieces) {
        pthread_cond_broadcast(&crew->change);
    }
}

static struct xc_job *first_open_job(struct xc_crew *crew)
{
    struct xc_job *job = crew->jobs;
    while (job && job->taken == job->pieces) {
        job = job->next;
    }
    return job;
}

static void *help(void *context)
{
    struct helper *self = context;
    struct xc_crew *crew = self->crew;
    pthread_mutex_lock(&crew->mutex);
    while (!crew->leaving) {
        struct xc_job *job = first_open_job(crew);
        if (job) {
            run_piece(crew, job, self->member);
        } else {
            pthread_cond_wait(&crew->change, &crew->mutex);
        }
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

void xc_crew_start(struct xc_crew *crew, struct xc_job *job)
{
    job->taken = job->done = 0;
    job->next = NULL;
    pthread_mutex_lock(&crew->mutex);
    struct xc_job **end = &crew->jobs;
    while (*end) {
        end = &(*end)->next;
    }
    *end = job;
    pthread_cond_broadcast(&crew->change);
    pthread_mutex_unlock(&crew->mutex);
}

void xc_crew_finish(struct xc_crew *crew, struct xc_job *job)
{
    pthread_mutex_lock(&crew->mutex);
    while (job->done < job->pieces) {
        struct xc_job *open = job->taken < job->pieces ? job : first_open_job(crew);
        if (open) {
            run_piece(crew, open, 0);
        } else {
            pthread_cond_wait(&crew->change, &crew->mutex);
        }
    }
    struct xc_job **link = &crew->jobs;
    while (*link != job) {
        link = &(*link)->next;
    }
    *link = job->next;
    pthread_mutex_unlock(&crew->mutex);
}

/* --- progress --- */

void xc_progress_sleep(struct xc_crew *crew, const struct xc_progress *progress, unsigned value)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (atomic_load_explicit(&progress->reached, memory_order_acquire) >= value) {
            return;
        }
    }
    pthread_mutex_lock(&crew->mutex);
    atomic_fetch_add(&crew->sleepers, 1);
    while (atomic_load(&progress->reached) < value) {
        pthread_cond_wait(&crew->change, &crew->mutex);
    }
    atomic_fetch_sub(&crew->sleepers, 1);
    pthread_mutex_unlock(&crew->mutex);
}

void xc_progress_wake(struct xc_crew *crew)
{
    if (atomic_load(&crew->sleepers)) {
        pthread_mutex_lock(&crew->mutex);
        pthread_cond_broadcast(&crew->change);
        pthread_mutex_unlock(&crew->mutex);
    }
}

/* --- the crew --- */

enum xc_status xc_crew_new(struct xc_crew **out, unsigned size, struct xc_error *err)
{
    *out = NULL;
    if (size == 0) {
        return xc_fail(err, XC_ERR_ARGUMENT, "a crew of no threads");
    }
    struct xc_crew *crew = calloc(1, sizeof *crew + (size - 1) * sizeof crew->helper[0]);
    if (!crew) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for %u threads", size);
    }
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->change, NULL);
    for (crew->size = 1; crew->size < size; crew->size++) {
        struct helper *helper = &crew->helper[crew->size - 1];
        *helper = (struct helper){ .crew = crew, .member = crew->size };
        if (pthread_create(&helper->thread, NULL, help, helper)) {
            xc_crew_free(crew);
            return xc_fail(err, XC_ERR_MEMORY, "cannot start %u threads", size);
        }
    }
    *out = crew;
    return XC_OK;
}

void xc_crew_free(struct xc_crew *crew)
{
    if (!crew) {
        return;
    }
    pthread_mutex_lock(&crew->mutex);
    crew->leaving = true;
    pthread_cond_broadcast(&crew->change);
    pthread_mutex_unlock(&crew->mutex);
    for (unsigned i = 0; i + 1 < crew->size; i++) {
        pthread_join(crew->helper[i].thread, NULL);
    }
    pthread_cond_destroy(&crew->change);
    pthread_mutex_destroy(&crew->mutex);
    free(crew);
}
