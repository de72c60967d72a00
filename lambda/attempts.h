/* SPDX-License-Identifier: BSD-2-Clause */
/* How often, and at which intervals, something is tried that may succeed later. */
#ifndef XC_LAMBDA_ATTEMPTS_H
#define XC_LAMBDA_ATTEMPTS_H

#include <stdbool.h>
#include <time.h>

#include "cause.h"

/* The attempts at one thing so far, all of which have failed. */
struct attempts {
    unsigned failed[REMEDIES]; /* how many, by their remedies */
    unsigned limit;            /* of those with REMEDY_REPEAT */
    time_t since;              /* the start of the patience with REMEDY_WAIT */
};

/* The usual limit: XC_LAMBDA_ATTEMPTS, or 12. */
unsigned attempts_limit(void);
struct attempts attempts_begin(unsigned limit);

/* Adds a failure. Returns whether there should be another attempt, after attempts_wait. REMEDY_WAIT
 * has no limit but patience: it ends when no step of this run has been finished for XC_LAMBDA_PATIENCE seconds, or an
 * hour. (timings.tsv gets a row whenever a step is finished.) */
bool attempts_add(struct attempts *attempts, enum remedy remedy);
unsigned attempts_made(const struct attempts *attempts);

/* A random number of milliseconds, which grows with the number of failures with this remedy. */
unsigned attempts_pause(const struct attempts *attempts, enum remedy remedy);
/* Sleeps for that time. */
void attempts_wait(const struct attempts *attempts, enum remedy remedy);

#endif
