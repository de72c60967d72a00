/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints a task (task.h): xc-task OUTPUTS PUBLISHED INPUTS step OUTPUTS INPUTS TOOL [ARGUMENT]... [step ...]
 *
 * OUTPUTS, PUBLISHED and INPUTS are lists of names, separated by blanks. The task gives input files and tools by their
 * SHA-256. The INPUTS of a task may contain other tasks (FILE.task): then the files that those publish are inputs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "reference.h"
#include "task.h"
#include "value.h"

/* Opens the file with the digests of the function's tools, which has sha256sum's format: XC_LAMBDA_TOOLS, or
 * tools.sha256 beside this program. */
static FILE *open_digests(void)
{
    char path[PATH_MAX];
    const char *given = getenv("XC_LAMBDA_TOOLS");
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "tools.sha256");
    if (length < 0) {
        fail_about("/proc/self/exe", "%s", strerror(errno));
    }
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "tools.sha256");
    FILE *file = fopen(given ? given : path, "r");
    if (!file) {
        fail_about(given ? given : path, "%s; run: xc-lambda package", strerror(errno));
    }
    return file;
}

static void find_tool_digest(const char *tool, char digest[static SHA256_TEXT])
{
    char name[65];
    FILE *file = open_digests();
    while (fscanf(file, "%64s %64s", digest, name) == 2) {
        if (!strcmp(name, tool)) {
            fclose(file);
            return;
        }
    }
    fail_about(tool, "is not a tool that the function has");
}

/* Adds the files that another task publishes to the inputs. */
static void add_promised_inputs(json_t *inputs, const char *path)
{
    char key[SHA256_TEXT], promise[SHA256_TEXT + 1];
    size_t i;
    json_t *item, *other = json_load_file(path, 0, NULL);
    char why[TASK_ERROR_SIZE] = "not JSON";
    if (!other || !task_is_valid(other, why)) {
        fail_about(path, "%s", why);
    }
    if (!task_key(other, key)) {
        fail_about(path, "no memory");
    }
    snprintf(promise, sizeof promise, "@%s", key);
    json_array_foreach(value_get(other, "publish"), i, item)
    {
        json_object_set_new(inputs, json_string_value(item), value_sure(json_string(promise)));
    }
    json_decref(other);
}

static json_t *find_inputs(json_t *paths)
{
    json_t *inputs = value_sure(json_object()), *item;
    size_t i;
    json_array_foreach(paths, i, item)
    {
        const char *path = json_string_value(item);
        const size_t length = strlen(path);
        struct reference reference;
        if (length > 5 && !strcmp(path + length - 5, ".task")) {
            add_promised_inputs(inputs, path);
        } else {
            reference_of_file(path, &reference);
            json_object_set_new(inputs, path, value_sure(json_string(reference.digest)));
        }
    }
    return inputs;
}

/* argv: OUTPUTS INPUTS TOOL [ARGUMENT]..., up to the next "step" or the end. */
static json_t *read_step(char ***argv)
{
    char digest[SHA256_TEXT], **at = *argv;
    if (!at[0] || !at[1] || !at[2]) {
        fail_about("task", "a step lacks its outputs, inputs or tool");
    }
    find_tool_digest(at[2], digest);
    json_t *arguments = value_sure(json_array());
    json_t *step = value_sure(json_pack("{s:o, s:o, s:s, s:s, s:o}", "outputs", value_words(at[0]), "inputs",
                                        value_words(at[1]), "tool", at[2], "digest", digest, "arguments", arguments));
    for (at += 3; *at && strcmp(*at, "step"); at++) {
        value_append_text(arguments, *at);
    }
    *argv = at;
    return step;
}

/* Removes the inputs that no step reads, since the task's key must not depend on them. */
static void drop_unused_inputs(json_t *inputs, json_t *steps)
{
    const char *name;
    void *next;
    size_t i;
    json_t *value, *step;
    json_object_foreach_safe(inputs, next, name, value)
    {
        bool used = false;
        json_array_foreach(steps, i, step)
        {
            used = used || task_list_has(value_get(step, "inputs"), name);
        }
        if (!used) {
            json_object_del(inputs, name);
        }
    }
}

int main(int argc, char **argv)
{
    char why[TASK_ERROR_SIZE];
    if (argc < 5) {
        fputs("usage: xc-task OUTPUTS PUBLISHED INPUTS step OUTPUTS INPUTS TOOL [ARGUMENT]... [step ...]\n", stderr);
        return 2;
    }
    char **at = argv + 4;
    json_t *steps = value_sure(json_array()), *paths = value_words(argv[3]), *inputs = find_inputs(paths);
    while (*at && !strcmp(*at, "step")) {
        at++;
        json_array_append_new(steps, read_step(&at));
    }
    drop_unused_inputs(inputs, steps);
    json_t *task = value_sure(json_pack("{s:o, s:o, s:o, s:o}", "inputs", inputs, "steps", steps, "outputs",
                                        value_words(argv[1]), "publish", value_words(argv[2])));
    if (*at || !task_is_valid(task, why)) {
        fail_about("task", "%s", *at ? "'step' is missing" : why);
    }
    value_print(task);
    json_decref(paths);
    json_decref(task);
    return 0;
}
