/* SPDX-License-Identifier: BSD-2-Clause */
/* What the bucket of the region that has been taken (place.h) holds for a task. worker/bucket.h describes the
 * bucket's objects. */
#ifndef XC_LAMBDA_STORE_H
#define XC_LAMBDA_STORE_H

#include <jansson.h>
#include <stdbool.h>

#include "sha256.h"

/* Its name. Ends the program if XC_LAMBDA_BUCKET is not set. */
const char *store_bucket(void);

enum { STORE_KEY_SIZE = 160 };

/* The key of the object with this digest; returns key. */
const char *store_data_key(char key[static STORE_KEY_SIZE], const char *digest);
bool store_has(const char *digest);

/* These write the keys of objects that belong to the film in this directory to .xc-lambda/objects, from which
 * `xc-lambda clean` knows what to remove: an uploaded file; what a task will leave; the files that an answer names. */
void store_record_data(const char *digest);
void store_record_task(json_t *task, const char *task_key);
void store_record_answer(json_t *answer);

/* Whether an answer names all results of the task. */
bool store_answer_fits(json_t *answer, json_t *task);
/* The answer to the task; NULL if there is none, or if data that it names are missing. */
json_t *store_answer(json_t *task, const char *task_key);

/* Whether the task with this key has published this file. */
bool store_is_published(const char *task_key, const char *name);
/* For how many seconds it has been published; -1 if it is not. */
double store_published_since(const char *task_key, const char *name);
/* Whether the last worker that took up the task belongs to this run of make. */
bool store_is_in_hand(const char *task_key, const char *run);
/* Tells workers that may be waiting for the task about its state in this run: "gone", no worker has it; "failed", it
 * cannot be done. Does nothing if the task publishes nothing; a failed request is ignored. */
void store_announce(json_t *task, const char *task_key, const char *what, const char *run);

#endif
