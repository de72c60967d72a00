/* SPDX-License-Identifier: BSD-2-Clause */
#include "event.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../task.h"
#include "../value.h"
#include "bucket.h"

static bool fail(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(char *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, EVENT_WHY, format, arguments);
    va_end(arguments);
    return false;
}

static bool bucket_is_plain(const char *bucket)
{
    const size_t length = bucket ? strlen(bucket) : 0;
    return length >= 3 && length <= BUCKET_NAME && bucket[0] != '.' && bucket[0] != '-' &&
           strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length && !strstr(bucket, "..");
}

void event_tool_path(char path[static EVENT_PATH], const char *tool)
{
    const char *root = getenv("LAMBDA_TASK_ROOT");
    snprintf(path, EVENT_PATH, "%s/tools/%s", root ? root : ".", tool);
}

/* The answer will be stored under a key that contains the tool's digest, so the tool must have that digest. */
static bool check_tool(json_t *step, char *why)
{
    char path[EVENT_PATH], digest[SHA256_TEXT];
    const char *tool = value_text(step, "tool");
    uint64_t size;
    event_tool_path(path, tool);
    if (!sha256_of_file(path, digest, &size)) {
        return fail(why, "event: %s: %s", tool,
                    errno == ENOENT ? "is not a tool that the function has" : strerror(errno));
    }
    if (strcmp(digest, value_text(step, "digest"))) {
        return fail(why, "%s: the function has another version of it; run: xc-lambda deploy", tool);
    }
    return true;
}

static bool check_members(json_t *json, char *why)
{
    char task_why[TASK_ERROR_SIZE];
    if (json_object_size(json) != 3 || !bucket_is_plain(value_text(json, "bucket"))) {
        return fail(why, "event: its members are not bucket, run and task, or the bucket's name is not valid");
    }
    if (!value_text(json, "run") || !task_name_is_plain(value_text(json, "run"))) {
        return fail(why, "event: the run's name is not plain");
    }
    if (!task_is_valid(value_get(json, "task"), task_why)) {
        return fail(why, "event: %s", task_why);
    }
    return true;
}

static bool check(struct event *event, char *why)
{
    size_t i;
    json_t *step;
    if (!check_members(event->json, why)) {
        return false;
    }
    event->bucket = value_text(event->json, "bucket");
    event->run = value_text(event->json, "run");
    event->task = value_get(event->json, "task");
    json_array_foreach(value_get(event->task, "steps"), i, step)
    {
        if (!check_tool(step, why)) {
            return false;
        }
    }
    return task_key(event->task, event->key) || fail(why, "event: no memory");
}

bool event_read(struct event *event, const char *text, size_t size, char why[static EVENT_WHY])
{
    json_error_t error;
    *event = (struct event){ 0 };
    if (size > EVENT_MOST) {
        return fail(why, "event: larger than %d bytes", EVENT_MOST);
    }
    event->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!event->json) {
        return fail(why, "event: not JSON: line %d, column %d", error.line, error.column);
    }
    if (!check(event, why)) {
        event_free(event);
        return false;
    }
    return true;
}

void event_free(struct event *event)
{
    json_decref(event->json);
    *event = (struct event){ 0 };
}
