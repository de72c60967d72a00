/* What the bucket has of a task. What lies where is said in lambda/bootstrap. */
#ifndef XC_LAMBDA_STORE_H
#define XC_LAMBDA_STORE_H

#include <jansson.h>
#include <stdbool.h>

#include "sha256.h"

/* XC_LAMBDA_BUCKET. */
const char *store_bucket(void);

enum { STORE_KEY_SIZE = 160 };

/* Where a file's bytes are; returns key. */
const char *store_data_key(char key[static STORE_KEY_SIZE], const char *digest);
bool store_has(const char *digest);

/* Whether an answer has all results of the task. */
bool store_answer_fits(json_t *answer, json_t *task);
/* The answer to the task, whose key is given; NULL: there is none that is any good. */
json_t *store_answer(json_t *task, const char *task_key);

/* Whether what the task with this key publishes as name can be had. */
bool store_is_published(const char *task_key, const char *name);
/* Whether this run of make was the last one at work on the task. */
bool store_is_in_hand(const char *task_key, const char *run);
/* Tells those who wait for a task, if there may be any, what has become of it in this run, if that is possible: "gone",
 * nobody is at work on it; "failed", it cannot be made. */
void store_announce(json_t *task, const char *task_key, const char *what, const char *run);

#endif
