/* SPDX-License-Identifier: BSD-2-Clause */
/* A task: one or more commands with everything that is needed to run them anywhere, as JSON.
 *
 *   {"inputs": {NAME: DIGEST or "@" KEY},
 *    "steps": [{"tool": NAME, "digest": DIGEST, "arguments": [...], "inputs": [NAME...], "outputs": [NAME...]}],
 *    "outputs": [NAME...], "publish": [NAME...]}
 *
 * An input is given by the SHA-256 of its bytes, or, while these are still being made, by the key of the task that
 * publishes a file of the same name. A step may also read what an earlier step wrote. "outputs" are the files that the
 * user wants. "publish" are the files that other tasks wait for; they are in the store as soon as their step is done. A
 * task's key is the SHA-256 of its JSON without spaces and with sorted names, so equal work has the same key. */
#ifndef XC_LAMBDA_TASK_H
#define XC_LAMBDA_TASK_H

#include <jansson.h>
#include <stdbool.h>

#include "sha256.h"

enum { TASK_ERROR_SIZE = 200 };

/* Whether it is a plain file name: one that means nothing else in a shell or in a path. */
bool task_name_is_plain(const char *name);

/* Whether it is a task as described above, with no other members and within all limits; if not, error says why. */
bool task_is_valid(json_t *task, char error[static TASK_ERROR_SIZE]);

/* Stores the key of a valid task; false if memory runs out. */
bool task_key(json_t *task, char key[static SHA256_TEXT]);

/* Whether a list of strings contains text. */
bool task_list_has(json_t *list, const char *text);

#endif
