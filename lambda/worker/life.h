/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a task's last worker, for the workers that may wait for the task: those of a task that publishes
 * something. It is in meet/KEY/.worker:
 *
 *   begun RUN TIME     it lives; it writes the time anew every few seconds
 *   gone RUN           it gave up, and another may take the task
 *   failed RUN         the task cannot be done
 *
 * RUN names the run of make, since a failure counts only for the run that it happened in. What cannot be told changes
 * no answer. */
#ifndef XC_WORKER_LIFE_H
#define XC_WORKER_LIFE_H

#include <stdbool.h>

#include "bucket.h"
#include "event.h"

/* From now on others are told that this worker lives, whenever it waits for something (http.h). The bucket and the
 * event stay the caller's until life_end. */
void life_begin(const struct bucket *bucket, const struct event *event);
/* last_word: "gone" or "failed"; NULL: none. */
void life_end(const char *last_word);

/* Seconds without a sign of life after which a worker counts as dead. */
int life_most_silence(void);

enum { LIFE_STATE = 200 };

/* Reads the state of the task's last worker; "" if none is known. */
void life_of(const struct bucket *bucket, const char *key, char state[static LIFE_STATE]);

#endif
