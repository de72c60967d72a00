/* SPDX-License-Identifier: BSD-2-Clause */
/* Does what an event asks for: fetches the inputs, runs the steps, publishes and stores the outputs, and answers. */
#ifndef XC_WORKER_WORK_H
#define XC_WORKER_WORK_H

#include <stddef.h>
#include <time.h>

/* text: the event, of this size (event.h). account: the one that has to own the bucket; or "". deadline: seconds since
 * 1970 when the function's time is over. Works in the current directory. Returns the answer, which the caller frees;
 * NULL: no memory. */
char *work_do(const char *text, size_t size, const char *account, time_t deadline);

#endif
