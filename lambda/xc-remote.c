/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of lambda/run, the wrapper of each remote step, that would be slow or awkward in a shell.
 *
 *   xc-remote run TASK OUTPUTS FINISHED   has the function do the task, unless the store has the answer, and puts each
 *                                         of OUTPUTS here: the file if it is one of FINISHED, else a reference; if a
 *                                         tool fails there, prints its messages and exits with its status
 *   xc-remote fetch FILE...               replaces references by the files that they stand for
 *   xc-remote store FILE...               the other way round: sends files, and leaves references to them here; the
 *                                         name of each begins with the number of its chunk
 *   xc-remote endpoint s3|lambda          prints the URL of the service
 *   xc-remote check                       fails if a region lacks what deploy makes there, or has other tools
 *
 * TASK is what xc-task has printed. OUTPUTS and FINISHED are lists of names, separated by blanks. */
#define _GNU_SOURCE /* for flock */

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "../tools/timing.h"
#include "attempts.h"
#include "aws.h"
#include "calls.h"
#include "fail.h"
#include "output.h"
#include "place.h"
#include "reference.h"
#include "store.h"
#include "task.h"
#include "uploads.h"
#include "value.h"

/* ---- The current task ---- */

/* A task that this program is responsible for. It may need files of another task, which then has to be done first: that
 * one becomes the current task, and this one waits. */
struct work {
    json_t *task;
    char key[SHA256_TEXT];
    size_t place; /* number of its region */
    const struct work *waiting;
};

static const struct work *current;

/* The name of this run of make, by which workers tell its failures from those of other runs. */
static const char *this_run(void)
{
    static char alone[64];
    const char *given = getenv("XC_LAMBDA_RUN");
    if (given && *given) {
        return given;
    }
    if (!alone[0]) {
        snprintf(alone, sizeof alone, "%lld-%ld", (long long)time(NULL), (long)getpid());
    }
    return alone;
}

/* Called by exit(): the current task and those that wait for it are not done. Not called when a signal ends the
 * program, since then another run may still do them. */
static void announce_failure(void)
{
    for (const struct work *work = current; work; work = work->waiting) {
        place_take(work->place);
        store_announce(work->task, work->key, "failed", this_run());
    }
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

static void begin_work(struct work *work, json_t *task)
{
    const char *output = json_string_value(json_array_get(value_get(task, "outputs"), 0));
    place_take_batch(output ? output : "the task's output");
    store_bucket(); /* if this fails, it must do so now: announce_failure needs it, too */
    if (!task_name_is_plain(this_run())) {
        fail_about("XC_LAMBDA_RUN", "is not a plain name");
    }
    *work = (struct work){ .task = task, .place = place_number(), .waiting = current };
    if (!task_key(task, work->key)) {
        fail_about("task", "no memory");
    }
    if (!current) {
        atexit(announce_failure);
    }
    current = work;
}

static void end_work(struct work *work)
{
    current = work->waiting;
    json_decref(work->task);
}

/* ---- Inputs ---- */

/* Whether the data are in a region where we can get at them. Takes that region. */
static bool can_be_had(const struct reference *reference)
{
    return (place_take_bucket(reference->bucket) || place_count() == 1) && store_has(reference->digest);
}

/* Removes all references in this directory whose data are no longer in the store: data that were uploaded together
 * expire together. The lock leaves that to one of many wrappers. */
static void remove_dead_references(void)
{
    DIR *directory = opendir(".");
    if (!directory || (flock(dirfd(directory), LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(directory));) {
        struct reference reference;
        if (entry->d_type == DT_REG && reference_read(entry->d_name, &reference) && !can_be_had(&reference)) {
            unlink(entry->d_name);
        }
    }
    closedir(directory);
}

/* Downloads what a reference stands for into a file that is empty, and open for writing. */
static void download(const struct reference *reference, FILE *file, const char *name)
{
    char key[STORE_KEY_SIZE];
    if (!aws_object_get_file(reference->bucket, store_data_key(key, reference->digest), file, name)) {
        fail_about(name, "its data are no longer in the store");
    }
}

static void check_digest(const struct reference *reference, const char *path, const char *name)
{
    char digest[SHA256_TEXT];
    uint64_t size;
    if (!sha256_of_file(path, digest, &size) || strcmp(digest, reference->digest)) {
        fail_about(name, "damaged in the store; remove s3://%s/data/%s and make it again", reference->bucket,
                   reference->digest);
    }
}

/* Opens the data of a reference, which are not in the region of this task: in a file that has no name. */
static FILE *from_elsewhere(const struct reference *reference, const char *name)
{
    char path[64];
    const size_t here = place_number();
    if (!can_be_had(reference)) {
        unlink(name);
        remove_dead_references();
        fail_about(name, "its data are no longer in the store; the next make makes it anew");
    }
    FILE *file = tmpfile();
    if (!file) {
        fail_about(name, "no room for a copy: %s", strerror(errno));
    }
    download(reference, file, name);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
    if (fflush(file)) {
        fail_about(name, "no room for a copy: %s", strerror(errno));
    }
    check_digest(reference, path, name);
    place_take(here);
    return file;
}

/* Sends data that the store does not have. reference: what they are. output: of the task that needs them. */
static void send_data(const char *name, const struct reference *reference, const char *output)
{
    char key[STORE_KEY_SIZE];
    uploads_take_data(reference->digest);
    if (!store_has(reference->digest)) { /* another wrapper may have sent it in the meantime */
        uploads_take_turn(output);
        FILE *file = reference->remote ? from_elsewhere(reference, name) : fopen(name, "rb");
        if (!file) {
            fail_about(name, "%s", strerror(errno));
        }
        store_record_data(reference->digest);
        aws_object_put_file(store_bucket(), store_data_key(key, reference->digest), file, name, reference->digest,
                            reference->size);
        fclose(file);
    }
    uploads_end();
}

static void upload_inputs(json_t *task)
{
    const char *name, *output = json_string_value(json_array_get(value_get(task, "outputs"), 0));
    struct reference reference;
    json_t *value;
    json_object_foreach(value_get(task, "inputs"), name, value)
    {
        const char *digest = json_string_value(value);
        if (*digest == '@' || store_has(digest)) {
            continue;
        }
        reference_of_file(name, &reference);
        if (strcmp(reference.digest, digest)) {
            fail_about(name, "changed while it was being used");
        }
        send_data(name, &reference, output ? output : "");
    }
}

/* Returns the task's answer; NULL if the store does not have it: then uploads the inputs that the store lacks. */
static json_t *offer(const struct work *work)
{
    json_t *answer = store_answer(work->task, work->key);
    store_record_task(work->task, work->key);
    if (answer) {
        store_record_answer(answer);
    } else {
        upload_inputs(work->task);
    }
    return answer;
}

/* ---- The function ---- */

/* Appends a row for each step. The billed seconds of the whole task are in the row of its first step: what AWS has told
 * for all attempts together, or else how long the worker was busy. */
static void write_timings(json_t *answer, double billed)
{
    static const char name[] = "timings.tsv";
    FILE *file = xc_tool_timings_open(name);
    size_t i;
    json_t *step;
    if (!file) {
        fail_about(name, "%s", strerror(errno));
    }
    if (billed <= 0) {
        billed = value_real(answer, "seconds");
    }
    json_array_foreach(value_get(answer, "steps"), i, step)
    {
        const char *output = value_text(step, "for");
        const struct xc_tool_timing timing = { .outputs = output ? output : "",
                                               .start = value_real(step, "start"),
                                               .end = value_real(step, "end"),
                                               .cpu = value_real(step, "cpu"),
                                               .memory = value_integer(step, "memory"),
                                               .read = value_integer(step, "read"),
                                               .wrote = value_integer(step, "wrote"),
                                               .billed = i ? 0 : billed };
        xc_tool_timings_add(file, &timing);
    }
    if (!xc_tool_timings_close(file)) {
        fail_about(name, "%s", strerror(errno));
    }
}

static void see_to_inputs(json_t *task);

static _Noreturn void fail_after(const struct calls *calls, const struct attempts *attempts,
                                 const struct failure *failure)
{
    char words[CAUSE_WORDS], count[64] = "", function[128];
    const unsigned made = attempts_made(attempts);
    const char *region = place_name();
    snprintf(function, sizeof function, "the function%s%.60s", region ? " in " : "", region ? region : "");
    if (made > 1) {
        snprintf(count, sizeof count, "failed %u times, and at last: ", made);
    }
    fail_about(failure->source == FAILURE_FUNCTION ? function : calls->url, "%s%s", count, cause_words(failure, words));
}

/* Does what a failed attempt makes necessary before the next one. Ends the program if there should be none. */
static void prepare_next(const struct calls *calls, struct attempts *attempts, const struct work *work,
                         const struct failure *failure)
{
    const enum remedy remedy = cause_of(failure).remedy;
    const bool waited = failure->source == FAILURE_FUNCTION && remedy == REMEDY_WAIT;
    if (!attempts_add(attempts, remedy) || (remedy == REMEDY_RENEW && !aws_renew_credentials())) {
        fail_after(calls, attempts, failure);
    }
    if (waited && attempts->failed[REMEDY_WAIT] > 1) {
        see_to_inputs(work->task);
        attempts->since = time(NULL);
    } else if (remedy != REMEDY_WAIT) { /* the worker may have ended before it could say so */
        store_announce(work->task, work->key, "gone", this_run());
    }
    attempts_wait(attempts, remedy);
}

/* Has the function do the task, whose inputs have been uploaded, and returns the answer. */
static json_t *have_done(const struct work *work)
{
    struct attempts attempts = attempts_begin(attempts_limit());
    struct calls calls;
    struct failure failure;
    json_t *answer;
    calls_begin(&calls, work->task, this_run());
    while (!(answer = calls_make(&calls, &failure))) {
        prepare_next(&calls, &attempts, work, &failure);
        answer = store_answer(work->task, work->key); /* it is there if only the connection broke */
        if (answer) {
            break;
        }
    }
    write_timings(answer, calls.billed);
    store_record_answer(answer);
    calls_end(&calls);
    return answer;
}

/* Finds the task with this key among the .task files in this directory. name: a file that it publishes. */
static json_t *find_task(const char *key, const char *name)
{
    glob_t found;
    json_t *task = NULL;
    const size_t count = glob("*.task", 0, NULL, &found) ? 0 : found.gl_pathc;
    for (size_t i = 0; i < count && !task; i++) {
        char other[SHA256_TEXT], why[TASK_ERROR_SIZE];
        task = json_load_file(found.gl_pathv[i], 0, NULL);
        if (!task || !task_is_valid(task, why) || !task_key(task, other) || strcmp(key, other)) {
            json_decref(task);
            task = NULL;
        }
    }
    globfree(&found);
    if (!task) {
        fail_about(name, "no worker makes it, and its task is not here; delete all .task files and make again");
    }
    return task;
}

/* Does the tasks that a task waits for, except those that another wrapper of this run is doing. There need not be such
 * a wrapper: make does not run a chunk that is here already or was not asked for, even if its states have expired. */
static void see_to_inputs(json_t *task)
{
    const char *name;
    json_t *value;
    json_object_foreach(value_get(task, "inputs"), name, value)
    {
        struct work before;
        const char *key = json_string_value(value) + 1;
        if (key[-1] == '@' && !store_is_published(key, name) && !store_is_in_hand(key, this_run())) {
            begin_work(&before, find_task(key, name));
            see_to_inputs(before.task);
            store_record_task(before.task, before.key);
            upload_inputs(before.task);
            json_decref(have_done(&before));
            end_work(&before);
        }
    }
}

/* ---- Outputs ---- */

/* A bucket that no region is known for is looked for in the first one. */
static void bring(const struct reference *reference, const char *name)
{
    struct output output;
    place_take_bucket(reference->bucket);
    output_open(&output, name);
    download(reference, output.stream, name);
    output_close(&output);
    check_digest(reference, output.file.temporary, name);
    output_commit(&output);
}

static void deliver(json_t *answer, const char *outputs, const char *finished)
{
    json_t *here = value_words(finished), *names = value_words(outputs), *item;
    size_t i;
    place_take_batch(outputs);
    json_array_foreach(names, i, item)
    {
        const char *name = json_string_value(item);
        json_t *output = value_get(value_get(answer, "outputs"), name);
        struct reference reference = { .remote = true,
                                       .size = (uint64_t)json_integer_value(value_get(output, "size")) };
        if (!value_text(output, "sha256")) {
            fail_about(name, "is not in the answer");
        }
        snprintf(reference.digest, sizeof reference.digest, "%s", value_text(output, "sha256"));
        snprintf(reference.bucket, sizeof reference.bucket, "%s", store_bucket());
        if (task_list_has(here, name)) {
            bring(&reference, name);
        } else {
            reference_write(&reference, name);
        }
    }
    json_decref(names);
    json_decref(here);
}

static int run(const char *text, const char *outputs, const char *finished)
{
    struct work work;
    begin_work(&work, load_task(text));
    json_t *answer = offer(&work);
    if (!answer) {
        answer = have_done(&work);
    }
    end_work(&work);
    deliver(answer, outputs, finished);
    json_decref(answer);
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

static int store(char **names)
{
    for (; *names; names++) {
        struct reference reference;
        const char *slash = strrchr(*names, '/'), *chunk = slash ? slash + 1 : *names;
        place_take_batch(chunk);
        reference_of_file(*names, &reference);
        if (!reference.remote) {
            if (!store_has(reference.digest)) {
                send_data(*names, &reference, chunk);
            }
            snprintf(reference.bucket, sizeof reference.bucket, "%s", store_bucket());
            reference_write(&reference, *names); /* only now, when the store has confirmed that it has the data */
        }
    }
    return 0;
}

/* ---- check ---- */

static int check(void)
{
    char *first = NULL;
    for (size_t i = 0; i < place_count(); i++) {
        place_take(i);
        const char *region = place_name() ? place_name() : "the region";
        char *code = aws_function_code(calls_function());
        if (!code) {
            fail_about(region, "has no function %s; run: xc-lambda deploy", calls_function());
        }
        if (!aws_bucket_exists(store_bucket())) {
            fail_about(region, "has no bucket %s; run: xc-lambda deploy", store_bucket());
        }
        if (first && strcmp(first, code) != 0) {
            fail_about(region, "has a function with other tools than the regions before it; run: xc-lambda deploy");
        }
        first = first ? (free(code), first) : code;
    }
    free(first);
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN); /* others hear of a task's failure even if nobody reads our messages */
    aws_settings();
    place_start();
    if (argc == 3 && !strcmp(verb, "endpoint")) {
        return puts(aws_endpoint(argv[2])) == EOF;
    }
    aws_start();
    if (argc == 5 && !strcmp(verb, "run")) {
        return run(argv[2], argv[3], argv[4]);
    }
    if (argc > 2 && !strcmp(verb, "fetch")) {
        return fetch(argv + 2);
    }
    if (argc > 2 && !strcmp(verb, "store")) {
        return store(argv + 2);
    }
    if (argc == 2 && !strcmp(verb, "check")) {
        return check();
    }
    fputs("usage: xc-remote run|fetch|store|endpoint|check ...; see lambda/xc-remote.c\n", stderr);
    return 2;
}
