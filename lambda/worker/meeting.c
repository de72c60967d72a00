/* SPDX-License-Identifier: BSD-2-Clause */
#include "meeting.h"

#include <stdio.h>
#include <string.h>

#include "../clock.h"
#include "files.h"
#include "http.h"
#include "life.h"

enum {
    GLANCE = 2,    /* seconds: how often the state of the other task's worker is read */
    PATIENCE = 10, /* seconds: how long to wait for a task that no worker has begun */
};

/* How long a worker pauses between two requests for a file that is not there yet, in milliseconds. Each request costs
 * money, and takes some 150 ms itself. Anchors come one after another, about one a second, and only the last one is
 * urgent: the worker has until then to use the earlier ones. So it asks for the last one again at once, nearly, and
 * more rarely for a file the more come after it. If the last one takes longer, it is made by longer steps, and a moment
 * is a small part of these. In all, there are no more requests than with 200 ms always (docs/notes/latency.md). */
enum {
    LAST_MS = 20,
    LAST_PATIENCE_MS = 1000, /* so long, pauses for the last one are that short */
    LAST_LONG_MS = 250,      /* from then on */
    EARLIER_MS = 200,        /* for each file that is still to come */
    MOST_MS = 1000,
};

struct wait {
    double began; /* as clock_now() says */
    time_t look_at, give_up_at;
    char state[LIFE_STATE]; /* of the other task's worker, as last seen */
};

static void object_key(char object[static BUCKET_KEY], const char *key, const char *name)
{
    snprintf(object, BUCKET_KEY, "meet/%s/%s", key, name);
}

bool meeting_publish(const struct bucket *bucket, struct answer *answer, const char *name, const char *key)
{
    char object[BUCKET_KEY];
    object_key(object, key, name);
    return files_publish(bucket, answer, name, object);
}

/* Looks at the other task's worker. Returns whether the task has failed in this run. */
static bool has_failed(struct wait *wait, const struct bucket *bucket, const char *key, const char *run)
{
    static const char failed[] = "failed ";
    char state[LIFE_STATE];
    wait->look_at = time(NULL) + GLANCE;
    life_of(bucket, key, state);
    if (!strncmp(state, failed, strlen(failed)) && !strcmp(state + strlen(failed), run)) {
        return true;
    }
    if (!strncmp(state, "begun ", strlen("begun ")) && strcmp(state, wait->state) != 0) { /* a sign of life */
        wait->give_up_at = time(NULL) + life_most_silence();
    }
    memcpy(wait->state, state, sizeof state);
    return false;
}

static unsigned pause_of(const struct wait *wait, size_t later)
{
    if (later) {
        return later < MOST_MS / EARLIER_MS ? (unsigned)later * EARLIER_MS : MOST_MS;
    }
    return clock_now() - wait->began < LAST_PATIENCE_MS / 1000. ? LAST_MS : LAST_LONG_MS;
}

bool meeting_wait(const struct bucket *bucket, struct answer *answer, const char *name, const char *key,
                  const char *run, time_t until, size_t later)
{
    char object[BUCKET_KEY];
    struct wait wait = { .began = clock_now(), .look_at = time(NULL) + GLANCE, .give_up_at = time(NULL) + PATIENCE };
    enum files_result result;
    object_key(object, key, name);
    while ((result = files_fetch(bucket, answer, name, object, NULL)) == FILES_ABSENT) {
        if (time(NULL) >= wait.look_at && has_failed(&wait, bucket, key, run)) {
            return answer_end(answer, ENDING_REFUSED, "%s: the chunk before could not be made", name);
        }
        if (time(NULL) >= (wait.give_up_at < until ? wait.give_up_at : until)) {
            return answer_end(answer, ENDING_LATER, "%s: waited in vain for the task that makes it", name);
        }
        http_pause(pause_of(&wait, later));
    }
    return result == FILES_DONE;
}
