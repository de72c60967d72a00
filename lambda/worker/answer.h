/* SPDX-License-Identifier: BSD-2-Clause */
/* What the function answers to an event, and the journal that leads to it:
 *
 *   {"outputs": {NAME: {"sha256": DIGEST, "size": BYTES}}, "steps": [STEP...], "seconds": SECONDS}    all is done
 *   {"failed": STEP}             a tool failed; the step has its exit status, and its messages as "stderr"
 *   {"refused": TEXT}            another attempt would fail in the same way
 *   {"retry": TEXT}              another attempt may succeed
 *   {"killed": TEXT}             a tool was killed; another attempt may succeed
 *   {"later": TEXT}              it waited in vain for another task
 *
 * step.h says what a STEP is. */
#ifndef XC_WORKER_ANSWER_H
#define XC_WORKER_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum ending { ENDING_DONE, ENDING_FAILED, ENDING_REFUSED, ENDING_RETRY, ENDING_KILLED, ENDING_LATER };

enum { ANSWER_WHY = 1500 };

struct answer {
    enum ending ending;
    char why[ANSWER_WHY];
    json_t *outputs, *steps, *failed;
    double began;
};

void answer_begin(struct answer *answer);
/* Ends the work for this reason; returns false. */
bool answer_end(struct answer *answer, enum ending ending, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes over the step. Returns false if that has failed, which ends the work. */
bool answer_add_step(struct answer *answer, json_t *step);
void answer_add_output(struct answer *answer, const char *name, const char *digest, uint64_t size);
/* The answer as JSON, which the caller frees; NULL: no memory. */
char *answer_text(const struct answer *answer);
void answer_free(struct answer *answer);

#endif
