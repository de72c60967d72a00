/* SPDX-License-Identifier: BSD-2-Clause */
/* An event, which may come from anybody: {"bucket": NAME, "run": NAME, "task": TASK}. task.h says what a task is. "run"
 * names the run of make that sent it. */
#ifndef XC_WORKER_EVENT_H
#define XC_WORKER_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "../sha256.h"

enum { EVENT_MOST = 256 * 1024, EVENT_WHY = 400, EVENT_PATH = 512 };

struct event {
    json_t *json;
    const char *bucket, *run;
    json_t *task;
    char key[SHA256_TEXT]; /* the task's */
};

/* Reads an event, and checks that the function has the tools that it names. size: how long it is; text has at least
 * EVENT_MOST bytes of it. On failure writes why, and there is nothing to free. */
bool event_read(struct event *event, const char *text, size_t size, char why[static EVENT_WHY]);
void event_free(struct event *event);

/* Where a tool is. Only the tools that were packaged with the function may be run. */
void event_tool_path(char path[static EVENT_PATH], const char *tool);

#endif
