/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a step of a task: a tool of the function's package, in the working directory. What the answer says of it:
 *
 *   {"tool": NAME, "for": the first of its outputs, "start": SECONDS, "end": SECONDS, "cpu": SECONDS, "memory": BYTES,
 *    "read": BYTES, "wrote": BYTES}      and of one that failed, too: {"exit": STATUS, "stderr": TEXT} */
#ifndef XC_WORKER_STEP_H
#define XC_WORKER_STEP_H

#include <jansson.h>
#include <stdbool.h>

#include "answer.h"

/* travels: whether an output leaves this machine; then states are compressed (docs/state-file.md). If the tool fails,
 * so does the task. If it was killed, another attempt may succeed. Either ends the work. */
bool step_run(json_t *step, bool travels, struct answer *answer);

#endif
