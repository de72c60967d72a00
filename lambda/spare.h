/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a task is so late that a second worker should do it, too. docs/lambda.md has the rule.
 *
 * The wrappers of a run tell each other in .xc-lambda/workers/, without a process that keeps them in order. It has a
 * file for each kind of task, with a line whenever one begins, is done, or gets a spare worker; and a lock for each
 * spare worker that may be there at once, which is free again when its holder ends, however it ends. */
#ifndef XC_LAMBDA_SPARE_H
#define XC_LAMBDA_SPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What one task knows of those of its kind: with the same tools in the same modes. */
enum { SPARE_PATH_SIZE = 128 };
struct spare {
    FILE *journal; /* of the kind; NULL: there are no spare workers */
    char path[SPARE_PATH_SIZE];
    const char *run;
    size_t begun, done, spares; /* in this run, as far as the journal has been read */
    double *seconds;            /* of those that are done */
    size_t room;                /* for so many of these */
    int lock;                   /* that this task holds; -1: none */
};

/* Says that a task begins. run: the name of this run of make, of at most 64 characters; it stays until spare_finish.
 * XC_LAMBDA_SPARES says how many spare workers there may be at once. */
void spare_start(struct spare *spare, json_t *task, const char *run);
/* For how many seconds the task may be under way before it is late. Infinity, if too few are done to know. */
double spare_limit(struct spare *spare);
/* Whether the task, which is late, gets a spare worker. If so, it has one until spare_release. */
bool spare_take(struct spare *spare);
void spare_release(struct spare *spare);
/* Says that the task is done, after so many seconds; 0: nobody knows how many. Frees what the structure owns. */
void spare_finish(struct spare *spare, double seconds);

#endif
