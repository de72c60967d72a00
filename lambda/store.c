/* SPDX-License-Identifier: BSD-2-Clause */
/* The workstation's view of the bucket: data, answers, and what running tasks have published. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws.h"
#include "fail.h"
#include "place.h"
#include "value.h"

const char *store_bucket(void)
{
    const char *bucket = place_bucket();
    if (!bucket) {
        fail_about("XC_LAMBDA_BUCKET", "is not set (see docs/lambda.md)");
    }
    return bucket;
}

const char *store_data_key(char key[static STORE_KEY_SIZE], const char *digest)
{
    snprintf(key, STORE_KEY_SIZE, "data/%s", digest);
    return key;
}

bool store_has(const char *digest)
{
    char key[STORE_KEY_SIZE];
    return aws_object_exists(store_bucket(), store_data_key(key, digest));
}

/* ---- What clean removes ---- */

/* name: of a file in a meeting; or "". */
static void record(const char *prefix, const char *key, const char *name)
{
    static const char path[] = ".xc-lambda/objects";
    char line[STORE_KEY_SIZE + 1];
    const int length = snprintf(line, sizeof line, "%s/%s%s%s\n", prefix, key, *name ? "/" : "", name);
    mkdir(".xc-lambda", 0777);
    const int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || write(file, line, (size_t)length) != length || close(file)) {
        fail_about(path, "%s", strerror(errno));
    }
}

void store_record_data(const char *digest)
{
    record("data", digest, "");
}

void store_record_task(json_t *task, const char *task_key)
{
    size_t i;
    json_t *item;
    record("task", task_key, "");
    json_array_foreach(value_get(task, "publish"), i, item)
    {
        record("meet", task_key, json_string_value(item));
    }
    if (i) {
        record("meet", task_key, ".worker");
    }
}

void store_record_answer(json_t *answer)
{
    const char *name;
    json_t *output;
    json_object_foreach(value_get(answer, "outputs"), name, output)
    {
        store_record_data(value_text(output, "sha256"));
    }
}

/* ---- Answers ---- */

/* The names of all files that a task makes for others: its outputs, and what it publishes. */
static json_t *results(json_t *task)
{
    json_t *names = value_sure(json_copy(value_get(task, "outputs")));
    json_array_extend(names, value_get(task, "publish"));
    return names;
}

bool store_answer_fits(json_t *answer, json_t *task)
{
    bool fits = true;
    size_t i;
    json_t *item, *names = results(task);
    json_array_foreach(names, i, item)
    {
        json_t *output = value_get(value_get(answer, "outputs"), json_string_value(item));
        const char *digest = value_text(output, "sha256");
        fits = fits && digest && sha256_is_text(digest) && json_is_integer(value_get(output, "size"));
    }
    json_decref(names);
    return fits;
}

/* Whether the data that an answer names are still in the store. */
static bool results_exist(json_t *answer, json_t *task, const char *task_key)
{
    bool exist = true;
    size_t i;
    json_t *item;
    json_array_foreach(value_get(task, "outputs"), i, item)
    {
        exist =
            exist && store_has(value_text(value_get(value_get(answer, "outputs"), json_string_value(item)), "sha256"));
    }
    json_array_foreach(value_get(task, "publish"), i, item)
    {
        exist = exist && store_is_published(task_key, json_string_value(item));
    }
    return exist;
}

json_t *store_answer(json_t *task, const char *task_key)
{
    char key[STORE_KEY_SIZE];
    snprintf(key, sizeof key, "task/%s", task_key);
    char *text = aws_object_get_text(store_bucket(), key);
    json_t *answer = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    if (answer && store_answer_fits(answer, task) && results_exist(answer, task, task_key)) {
        return answer;
    }
    json_decref(answer);
    return NULL;
}

/* ---- Published files, and workers ---- */

static const char *meeting_key(char key[static STORE_KEY_SIZE], const char *task_key, const char *name)
{
    snprintf(key, STORE_KEY_SIZE, "meet/%s/%s", task_key, name);
    return key;
}

bool store_is_published(const char *task_key, const char *name)
{
    char key[STORE_KEY_SIZE];
    return aws_object_is_published(store_bucket(), meeting_key(key, task_key, name));
}

double store_published_since(const char *task_key, const char *name)
{
    char key[STORE_KEY_SIZE];
    return aws_object_age(store_bucket(), meeting_key(key, task_key, name));
}

bool store_is_in_hand(const char *task_key, const char *run)
{
    char key[STORE_KEY_SIZE], by[SHA256_TEXT] = "";
    char *said = aws_object_get_text(store_bucket(), meeting_key(key, task_key, ".worker"));
    const bool ours = said && sscanf(said, "%*s %64s", by) == 1 && !strcmp(by, run);
    free(said);
    return ours;
}

void store_announce(json_t *task, const char *task_key, const char *what, const char *run)
{
    char key[STORE_KEY_SIZE], text[STORE_KEY_SIZE];
    if (json_array_size(value_get(task, "publish"))) {
        snprintf(text, sizeof text, "%s %s\n", what, run);
        aws_object_put_text(store_bucket(), meeting_key(key, task_key, ".worker"), text);
    }
}
