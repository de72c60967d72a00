/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks tasks, which may come from anybody. */
#include "task.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 16, MAX_FILES = 256, MAX_ARGUMENTS = 100, MAX_NAME = 64, MAX_ARGUMENT = 256 };

static bool fail(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, TASK_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

bool task_name_is_plain(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const size_t length = strlen(name);
    return length && length <= MAX_NAME && name[0] != '.' && name[0] != '-' && strspn(name, plain) == length;
}

/* Arguments are given to the tool without a shell. A slash is allowed only within a fraction like 30/1, since a path
 * could lead out of the task's directory. */
static bool argument_is_harmless(const char *argument)
{
    if (strlen(argument) > MAX_ARGUMENT) {
        return false;
    }
    for (const char *at = argument; *at; at++) {
        if (iscntrl((unsigned char)*at)) {
            return false;
        }
        if (*at == '/' && (at == argument || !isdigit((unsigned char)at[-1]) || !isdigit((unsigned char)at[1]))) {
            return false;
        }
    }
    return true;
}

bool task_list_has(json_t *list, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (!strcmp(json_string_value(item), text)) {
            return true;
        }
    }
    return false;
}

static bool check_names(json_t *list, const char *what, char *error)
{
    size_t i;
    json_t *item;
    if (!json_is_array(list) || json_array_size(list) > MAX_FILES) {
        return fail(error, "%s: not a list of at most %d names", what, MAX_FILES);
    }
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item) || !task_name_is_plain(json_string_value(item))) {
            return fail(error, "%s: item %zu is not a plain file name", what, i);
        }
    }
    return true;
}

static bool check_inputs(json_t *inputs, char *error)
{
    const char *name;
    json_t *value;
    if (!json_is_object(inputs) || json_object_size(inputs) > MAX_FILES) {
        return fail(error, "inputs: not an object of at most %d names", MAX_FILES);
    }
    json_object_foreach(inputs, name, value)
    {
        const char *digest = json_string_value(value);
        if (!task_name_is_plain(name)) {
            return fail(error, "inputs: a name is not a plain file name");
        }
        if (!digest || !sha256_is_text(digest + (*digest == '@'))) {
            return fail(error, "inputs: %s: neither a SHA-256 nor the key of a task", name);
        }
    }
    return true;
}

static bool check_arguments(json_t *arguments, char *error)
{
    size_t i;
    json_t *item;
    if (!json_is_array(arguments) || json_array_size(arguments) > MAX_ARGUMENTS) {
        return fail(error, "arguments: not a list of at most %d", MAX_ARGUMENTS);
    }
    json_array_foreach(arguments, i, item)
    {
        if (!json_is_string(item) || !argument_is_harmless(json_string_value(item))) {
            return fail(error, "argument %zu: may not be given to a tool here", i);
        }
    }
    return true;
}

/* Which tools there are is decided by who runs the step: by the files that have been packaged with the function. */
static bool check_tool(json_t *tool, char *error)
{
    return (json_is_string(tool) && task_name_is_plain(json_string_value(tool))) ||
           fail(error, "tool: not a plain file name");
}

/* known: the names of all inputs and of what earlier steps write. The outputs of this step are added. */
static bool check_step(json_t *step, json_t *known, char *error)
{
    json_t *digest = json_object_get(step, "digest"), *inputs = json_object_get(step, "inputs");
    json_t *outputs = json_object_get(step, "outputs");
    size_t i;
    json_t *item;
    if (json_object_size(step) != 5 || !check_tool(json_object_get(step, "tool"), error)) {
        return error[0] ? false : fail(error, "a step has members that are not allowed, or lacks some");
    }
    if (!json_is_string(digest) || !sha256_is_text(json_string_value(digest))) {
        return fail(error, "digest: not a SHA-256");
    }
    if (!check_arguments(json_object_get(step, "arguments"), error) || !check_names(inputs, "inputs", error) ||
        !check_names(outputs, "outputs", error)) {
        return false;
    }
    json_array_foreach(inputs, i, item)
    {
        if (!json_object_get(known, json_string_value(item))) {
            return fail(error, "inputs: %s is neither an input of the task nor made by an earlier step",
                        json_string_value(item));
        }
    }
    json_array_foreach(outputs, i, item)
    {
        if (json_object_set_new(known, json_string_value(item), json_true())) {
            return fail(error, "no memory");
        }
    }
    return true;
}

static bool check_made(json_t *names, json_t *known, const char *what, char *error)
{
    size_t i;
    json_t *item;
    if (!check_names(names, what, error)) {
        return false;
    }
    json_array_foreach(names, i, item)
    {
        if (!json_is_true(json_object_get(known, json_string_value(item)))) {
            return fail(error, "%s: no step writes %s", what, json_string_value(item));
        }
    }
    return true;
}

bool task_is_valid(json_t *task, char error[static TASK_ERROR_SIZE])
{
    json_t *steps = json_object_get(task, "steps"), *inputs = json_object_get(task, "inputs");
    size_t i;
    json_t *step;
    error[0] = '\0';
    if (json_object_size(task) != 4) {
        return fail(error, "a task has the members inputs, steps, outputs and publish");
    }
    if (!json_is_array(steps) || !json_array_size(steps) || json_array_size(steps) > MAX_STEPS) {
        return fail(error, "steps: not a list of 1 to %d", MAX_STEPS);
    }
    if (!check_inputs(inputs, error)) {
        return false;
    }
    json_t *known = json_copy(inputs);
    bool valid = known != NULL;
    json_array_foreach(steps, i, step)
    {
        valid = valid && check_step(step, known, error);
    }
    valid = valid && check_made(json_object_get(task, "outputs"), known, "outputs", error) &&
            check_made(json_object_get(task, "publish"), known, "publish", error);
    json_decref(known);
    return valid;
}

bool task_key(json_t *task, char key[static SHA256_TEXT])
{
    char *text = json_dumps(task, JSON_COMPACT | JSON_SORT_KEYS);
    if (text) {
        sha256_of_bytes(text, strlen(text), key);
    }
    free(text);
    return text != NULL;
}
