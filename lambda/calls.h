/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of the function for one task. While one is under way that is late, another worker may be given the task, too
 * (spare.h). The first good answer counts; workers that do the same task do each other no harm, since they store the
 * same bytes under the same names. */
#ifndef XC_LAMBDA_CALLS_H
#define XC_LAMBDA_CALLS_H

#include <jansson.h>

#include "aws.h"
#include "spare.h"

enum { CALLS_WORKERS = 2 /* that a task may have at once */ };

struct calls {
    json_t *task;
    char *events[CALLS_WORKERS]; /* for the first worker, and for a spare one */
    struct spare spare;
    double billed;  /* seconds of all calls so far, those of spare workers, too */
    double seconds; /* that the task has taken from the moment when all that it needs was there; 0: is not known */
    char url[256];  /* that was called */
};

/* The name of the function, from XC_LAMBDA_FUNCTION. */
const char *calls_function(void);

/* task: stays until calls_end. run: as in spare.h. */
void calls_begin(struct calls *calls, json_t *task, const char *run);
/* Has the function do the task. Returns its answer; or NULL with the failure. Ends the program, as the tool has ended,
 * if a tool has failed. */
json_t *calls_make(struct calls *calls, struct failure *failure);
void calls_end(struct calls *calls);

#endif
