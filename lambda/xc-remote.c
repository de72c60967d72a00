/* The parts of lambda/run, the wrapper of each remote step, that are dear or dull in a shell.
 *
 *   xc-remote offer TASK              if the store has the task's answer, prints it; if not, uploads what the store
 *                                     lacks of the inputs, and exits with 3
 *   xc-remote invoke TASK             has the function do it, and prints the answer; a tool that fails there looks as
 *                                     if it had failed here
 *   xc-remote deliver ANSWER OUTPUTS FINISHED
 *                                     leaves each of OUTPUTS here: the file if it is one of FINISHED, else a reference
 *   xc-remote fetch FILE...           turns references into files
 *
 * TASK is what xc-task has written, OUTPUTS and FINISHED are lists of names, separated by blanks. */
#define _GNU_SOURCE /* for asprintf */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "aws.h"
#include "fail.h"
#include "json.h"
#include "reference.h"
#include "task.h"

enum { EXIT_UNKNOWN_TASK = 3, LONGEST_THROTTLING = 3600 /* seconds */, KEY_SIZE = 160 };

/* ---- Small helpers ---- */

static const char *setting(const char *variable, const char *otherwise)
{
    const char *given = getenv(variable);
    if ((!given || !*given) && !otherwise) {
        fail_about(variable, "is not set (see docs/lambda.md)");
    }
    return given && *given ? given : otherwise;
}

static const char *bucket(void)
{
    return setting("XC_LAMBDA_BUCKET", NULL);
}

static const char *data_key(char key[static KEY_SIZE], const char *digest)
{
    snprintf(key, KEY_SIZE, "data/%s", digest);
    return key;
}

static const char *meeting_key(char key[static KEY_SIZE], const char *task, const char *name)
{
    snprintf(key, KEY_SIZE, "meet/%s/%s", task, name);
    return key;
}

static json_t *load_task(const char *text)
{
    char why[TASK_ERROR_SIZE] = "not JSON";
    json_t *task = json_loads(text, 0, NULL);
    if (!task || !task_is_valid(task, why)) {
        fail_about("task", "%s", why);
    }
    return task;
}

/* ---- offer ---- */

/* All that a task hands out: its outputs, and what it publishes. */
static json_t *results(json_t *task)
{
    json_t *names = sure(json_copy(get(task, "outputs")));
    json_array_extend(names, get(task, "publish"));
    return names;
}

/* Whether it is an answer that has all results of the task. */
static bool answer_fits(json_t *answer, json_t *task)
{
    bool fits = true;
    size_t i;
    json_t *item, *names = results(task);
    json_array_foreach(names, i, item)
    {
        json_t *output = get(get(answer, "outputs"), json_string_value(item));
        const char *digest = text_of(output, "sha256");
        fits = fits && digest && sha256_is_text(digest) && json_is_integer(get(output, "size"));
    }
    json_decref(names);
    return fits;
}

/* An answer is as good as the data that it names. */
static bool results_exist(json_t *answer, json_t *task, const char *task_key_text)
{
    char key[KEY_SIZE];
    bool exist = true;
    size_t i;
    json_t *item, *names = results(task);
    json_array_foreach(names, i, item)
    {
        const char *digest = text_of(get(get(answer, "outputs"), json_string_value(item)), "sha256");
        exist = exist && aws_object_exists(bucket(), data_key(key, digest));
    }
    json_array_foreach(get(task, "publish"), i, item)
    {
        exist = exist && aws_object_exists(bucket(), meeting_key(key, task_key_text, json_string_value(item)));
    }
    json_decref(names);
    return exist;
}

static void key_of(json_t *task, char key[static SHA256_TEXT])
{
    if (!task_key(task, key)) {
        fail_about("task", "no memory");
    }
}

/* The answer that is in the store, or NULL: there is none that is any good. */
static json_t *known_answer(json_t *task)
{
    char key[SHA256_TEXT], path[KEY_SIZE];
    key_of(task, key);
    snprintf(path, sizeof path, "task/%s", key);
    char *text = aws_object_get_text(bucket(), path);
    json_t *answer = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    if (answer && answer_fits(answer, task) && results_exist(answer, task, key)) {
        return answer;
    }
    json_decref(answer);
    return NULL;
}

/* An earlier attempt may have failed and said so to those who waited. This one is a new chance. */
static void withdraw_failure(json_t *task)
{
    char key[SHA256_TEXT], path[KEY_SIZE];
    size_t i;
    json_t *item;
    key_of(task, key);
    json_array_foreach(get(task, "publish"), i, item)
    {
        char *said = aws_object_get_text(bucket(), meeting_key(path, key, json_string_value(item)));
        if (said && !strncmp(said, "failed", 6)) {
            aws_object_delete(bucket(), path);
        }
        free(said);
    }
}

static void upload(const char *name, const char *digest)
{
    char key[KEY_SIZE];
    struct reference reference;
    if (aws_object_exists(bucket(), data_key(key, digest))) {
        return;
    }
    reference_of_file(name, &reference);
    if (strcmp(reference.digest, digest)) {
        fail_about(name, "changed while it was being used");
    }
    if (reference.remote) {
        unlink(name);
        fail_about(name, "its data are no longer in the store; the next make makes it anew");
    }
    aws_object_put_file(bucket(), key, name, digest, reference.size);
}

static int offer(const char *text)
{
    const char *name;
    json_t *task = load_task(text), *answer = known_answer(task), *value;
    if (answer) {
        print_json(answer);
        return 0;
    }
    json_object_foreach(get(task, "inputs"), name, value)
    {
        if (*json_string_value(value) != '@') {
            upload(name, json_string_value(value));
        }
    }
    withdraw_failure(task);
    json_decref(task);
    return EXIT_UNKNOWN_TASK;
}

/* ---- invoke ---- */

/* A line for each step, as docs/latency.md has it; the first one of a task says how many seconds are to be paid for. */
static void write_timings(json_t *answer)
{
    char *text = NULL;
    size_t size, i;
    json_t *step;
    FILE *lines = open_memstream(&text, &size);
    if (!lines) {
        fail_about("timings.tsv", "%s", strerror(errno));
    }
    json_array_foreach(get(answer, "steps"), i, step)
    {
        const char *name = text_of(step, "for");
        fprintf(lines, "%s\t%.8s\t%.6f\t%.6f\t%.6f\t%lld\t%lld\t%lld\t%.3f\n", name ? name : "", name ? name : "",
                real_of(step, "start"), real_of(step, "end"), real_of(step, "cpu"), integer_of(step, "memory"),
                integer_of(step, "read"), integer_of(step, "wrote"), i ? 0 : real_of(answer, "seconds"));
    }
    fclose(lines);
    const int file = open("timings.tsv", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0 || write(file, text, size) != (ssize_t)size || close(file)) {
        fail_about("timings.tsv", "%s", strerror(errno));
    }
    free(text);
}

/* A tool's failure is the user's to see as it is. */
static _Noreturn void fail_like_the_tool(json_t *failed)
{
    enum { EXIT_SIGNAL = 128 }; /* as shells have it */
    const int code = (int)json_integer_value(get(failed, "exit")) & 0xff;
    fputs(text_of(failed, "stderr") ? text_of(failed, "stderr") : "", stderr);
    if (code > EXIT_SIGNAL) {
        fprintf(stderr, "%s: ended by signal %d\n", text_of(failed, "tool"), code - EXIT_SIGNAL);
    }
    exit(code);
}

/* Returns the answer, if it is one that there is no use in asking for again; if not, says why in *text, and in *result
 * whether it is for want of room (AWS_CALL_THROTTLED): then it counts as no failure. */
static json_t *usable_answer(char **text, json_t *task, enum aws_call_result *result)
{
    json_t *answer = json_loads(*text, 0, NULL);
    const char *later = text_of(answer, "later"), *again = later ? later : text_of(answer, "retry");
    const char *refused = text_of(answer, "refused");
    if (refused) {
        fail_about("the function", "%s", refused);
    }
    if (get(answer, "failed")) {
        fail_like_the_tool(get(answer, "failed"));
    }
    if (answer && answer_fits(answer, task)) {
        return answer;
    }
    *result = later ? AWS_CALL_THROTTLED : AWS_CALL_BROKEN;
    if (again) {
        free(*text);
        *text = strdup(again);
    }
    json_decref(answer);
    return NULL;
}

static int invoke(const char *text)
{
    json_t *task = load_task(text), *answer = NULL;
    json_t *event = sure(json_pack("{s:s, s:O}", "bucket", bucket(), "task", task));
    char *event_text = json_dumps(event, JSON_COMPACT), *said = NULL;
    const char *function = setting("XC_LAMBDA_FUNCTION", "excamera");
    const time_t start = time(NULL);
    for (unsigned number = 0, failures = 0; !answer; number++) {
        enum aws_call_result result = aws_function_call(function, event_text, &said);
        if (result == AWS_CALL_ANSWERED) {
            answer = usable_answer(&said, task, &result);
        }
        if (answer) {
            break;
        }
        failures += result != AWS_CALL_THROTTLED;
        if (failures >= aws_attempts() || time(NULL) - start > LONGEST_THROTTLING) {
            fail_about("the function", "failed %u times, and at last: %.400s", number + 1, said);
        }
        free(said);
        aws_wait(number);
        answer = failures ? known_answer(task) : NULL; /* perhaps only the answer got lost */
    }
    write_timings(answer);
    print_json(answer);
    json_decref(event);
    json_decref(answer);
    free(event_text);
    return 0;
}

/* ---- deliver and fetch ---- */

static void bring(const struct reference *reference, const char *name)
{
    char key[KEY_SIZE], *temporary, digest[SHA256_TEXT];
    uint64_t size;
    if (asprintf(&temporary, "%s.tmp-%ld", name, (long)getpid()) < 0) {
        fail_about(name, "no memory");
    }
    reference_remove_on_signal(temporary);
    if (!aws_object_get_file(reference->bucket, data_key(key, reference->digest), temporary)) {
        unlink(temporary);
        fail_about(name, "its data are no longer in the store");
    }
    if (!sha256_of_file(temporary, digest, &size) || strcmp(digest, reference->digest)) {
        unlink(temporary);
        fail_about(name, "damaged in the store; remove s3://%s/%s and make it again", reference->bucket, key);
    }
    if (rename(temporary, name)) {
        fail_about(name, "%s", strerror(errno));
    }
    free(temporary);
}

static int deliver(const char *text, const char *outputs, const char *finished)
{
    json_t *answer = json_loads(text, 0, NULL), *here = words(finished), *names = words(outputs), *item;
    size_t i;
    json_array_foreach(names, i, item)
    {
        const char *name = json_string_value(item);
        json_t *output = get(get(answer, "outputs"), name);
        struct reference reference = { .remote = true, .size = (uint64_t)json_integer_value(get(output, "size")) };
        if (!text_of(output, "sha256")) {
            fail_about(name, "is not in the answer");
        }
        snprintf(reference.digest, sizeof reference.digest, "%s", text_of(output, "sha256"));
        snprintf(reference.bucket, sizeof reference.bucket, "%s", bucket());
        if (task_list_has(here, name)) {
            bring(&reference, name);
        } else {
            reference_write(&reference, name);
        }
    }
    return 0;
}

static int fetch(char **names)
{
    for (; *names; names++) {
        struct reference reference;
        reference_of_file(*names, &reference);
        if (reference.remote) {
            bring(&reference, *names);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    aws_start();
    if (argc == 3 && !strcmp(verb, "offer")) {
        return offer(argv[2]);
    }
    if (argc == 3 && !strcmp(verb, "invoke")) {
        return invoke(argv[2]);
    }
    if (argc == 5 && !strcmp(verb, "deliver")) {
        return deliver(argv[2], argv[3], argv[4]);
    }
    if (argc > 2 && !strcmp(verb, "fetch")) {
        return fetch(argv + 2);
    }
    fputs("usage: xc-remote offer|invoke|deliver|fetch ...; see lambda/run\n", stderr);
    return 2;
}
