/* A task: one or more commands with all they need to be run anywhere, as JSON.
 *
 *   {"inputs": {NAME: DIGEST or "@" KEY},
 *    "steps": [{"tool": NAME, "digest": DIGEST, "arguments": [...], "inputs": [NAME...], "outputs": [NAME...]}],
 *    "outputs": [NAME...], "publish": [NAME...]}
 *
 * An input is named by the SHA-256 of its bytes; or, when these are still being made, by the key of the task that
 * publishes them under the same name. A step may also read what an earlier step wrote. The outputs are what the one who
 * asked wants to have; what is published is in the store as soon as its step is done. A task's key is the SHA-256 of
 * its JSON without spaces, names sorted: who has the key of the same work has its result. */
#ifndef XC_LAMBDA_TASK_H
#define XC_LAMBDA_TASK_H

#include <jansson.h>
#include <stdbool.h>

#include "sha256.h"

enum { TASK_ERROR_SIZE = 200 };

/* A plain file name that no shell or path can make anything else of. */
bool task_name_is_plain(const char *name);

/* Whether it is a task as above, with nothing more and nothing out of bounds; if not, error says why. */
bool task_is_valid(json_t *task, char error[static TASK_ERROR_SIZE]);

/* The key of a valid task; false if memory runs out. */
bool task_key(json_t *task, char key[static SHA256_TEXT]);

/* Whether a list of strings has this one. */
bool task_list_has(json_t *list, const char *text);

#endif
