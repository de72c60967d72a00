/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the workers of different tasks meet: a file that one of them publishes is the object meet/KEY/NAME, whose
 * metadata has the file's digest. It is there by one request, and found by another. KEY is that of the task which
 * publishes it. */
#ifndef XC_WORKER_MEETING_H
#define XC_WORKER_MEETING_H

#include <stdbool.h>
#include <time.h>

#include "answer.h"
#include "bucket.h"

bool meeting_publish(const struct bucket *bucket, struct answer *answer, const char *name, const char *key);

/* Waits for a file that another task publishes, as long as a worker has that task and lives, and downloads it.
 * Otherwise it gives up, since the task may be kept waiting by the very concurrency that this worker takes. run: the
 * run of make whose failures count. until: the time, in seconds since 1970, at which it gives up in any case. later:
 * how many files of other tasks this worker will wait for after this one. */
bool meeting_wait(const struct bucket *bucket, struct answer *answer, const char *name, const char *key,
                  const char *run, time_t until, size_t later);

#endif
