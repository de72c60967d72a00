/* The parts of lambda/run, the wrapper of each remote step, that are dear or dull in a shell.
 *
 *   xc-remote offer WRAPPER TASK      if the store has the task's answer, prints it; if not, uploads what the store
 *                                     lacks of the inputs, and exits with 3
 *   xc-remote invoke WRAPPER TASK     has the function do it, and prints the answer; a tool that fails there looks as
 *                                     if it had failed here
 *   xc-remote deliver ANSWER OUTPUTS FINISHED
 *                                     leaves each of OUTPUTS here: the file if it is one of FINISHED, else a reference
 *   xc-remote fetch FILE...           turns references into files
 *
 * WRAPPER is the process that wants it done: our parent, with which we end. TASK is what xc-task has written, OUTPUTS
 * and FINISHED are lists of names, separated by blanks. */
#define _GNU_SOURCE /* for flock */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "aws.h"
#include "fail.h"
#include "json.h"
#include "reference.h"
#include "store.h"
#include "task.h"
#include "temporary.h"

enum { EXIT_UNKNOWN_TASK = 3, LONGEST_THROTTLING = 3600 /* seconds */ };

/* ---- Tasks in hand ---- */

/* A task that this program is to have done. Another one may have to be done before it can go on. */
struct work {
    json_t *task;
    char key[SHA256_TEXT];
    const struct work *waiting;
};

static const struct work *in_hand;

/* Who we are to those who wait for us: the run of make. */
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

/* However the program gives up, before a task is done; not if a signal ends it. */
static void announce_failure(void)
{
    for (const struct work *work = in_hand; work; work = work->waiting) {
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

static void take_in_hand(struct work *work, json_t *task)
{
    store_bucket(); /* so that it cannot fail later, when a failure is announced */
    if (!task_name_is_plain(this_run())) {
        fail_about("XC_LAMBDA_RUN", "is not a plain name");
    }
    *work = (struct work){ .task = task, .waiting = in_hand };
    if (!task_key(task, work->key)) {
        fail_about("task", "no memory");
    }
    if (!in_hand) {
        atexit(announce_failure);
    }
    in_hand = work;
}

static void put_aside(struct work *work)
{
    in_hand = work->waiting;
    json_decref(work->task);
}

/* The wrapper may be ended without us: by make, when that is told to stop. Then nobody wants what we are about. It may
 * be gone before we were more than a fork of it, and somebody else be our parent: hence its id. */
static void end_with(const char *wrapper)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != atol(wrapper)) {
        raise(SIGTERM);
    }
}

/* ---- offer ---- */

/* What has expired has not done so alone: removes all references in this directory to data that are no longer in the
 * store. It is enough if one of many wrappers does that. */
static void remove_dead_references(void)
{
    DIR *directory = opendir(".");
    if (!directory || (flock(dirfd(directory), LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(directory));) {
        struct reference reference;
        if (entry->d_type == DT_REG && reference_read(entry->d_name, &reference) && !store_has(reference.digest)) {
            unlink(entry->d_name);
        }
    }
    closedir(directory);
}

static void upload(const char *name, const char *digest)
{
    char key[STORE_KEY_SIZE];
    struct reference reference;
    if (store_has(digest)) {
        return;
    }
    reference_of_file(name, &reference);
    if (strcmp(reference.digest, digest)) {
        fail_about(name, "changed while it was being used");
    }
    if (reference.remote) {
        unlink(name);
        remove_dead_references();
        fail_about(name, "its data are no longer in the store; the next make makes it anew");
    }
    aws_object_put_file(store_bucket(), store_data_key(key, digest), name, digest, reference.size);
}

static void upload_inputs(json_t *task)
{
    const char *name;
    json_t *value;
    json_object_foreach(get(task, "inputs"), name, value)
    {
        if (*json_string_value(value) != '@') {
            upload(name, json_string_value(value));
        }
    }
}

static int offer(const char *text)
{
    struct work work;
    take_in_hand(&work, load_task(text));
    json_t *answer = store_answer(work.task, work.key);
    if (answer) {
        print_json(answer);
    } else {
        upload_inputs(work.task);
    }
    put_aside(&work);
    return answer ? 0 : EXIT_UNKNOWN_TASK;
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

enum outcome {
    DONE,
    THROTTLED, /* for want of room; no failure */
    WAITED,    /* in vain, for what another task publishes; no failure either */
    BROKEN,
};

/* What an answer comes to. If that is DONE, *answer is it; if not, *text says why. Does not return if there is no use
 * in asking again. */
static enum outcome judge(char **text, json_t *task, json_t **answer)
{
    json_t *said = json_loads(*text, 0, NULL);
    const char *later = text_of(said, "later"), *again = later ? later : text_of(said, "retry");
    if (text_of(said, "refused")) {
        fail_about("the function", "%s", text_of(said, "refused"));
    }
    if (get(said, "failed")) {
        fail_like_the_tool(get(said, "failed"));
    }
    if (said && store_answer_fits(said, task)) {
        *answer = said;
        return DONE;
    }
    if (again) {
        free(*text);
        *text = strdup(again);
    }
    json_decref(said);
    return later ? WAITED : BROKEN;
}

static enum outcome invoke_once(const char *event, json_t *task, json_t **answer, char **text)
{
    const char *given = getenv("XC_LAMBDA_FUNCTION");
    switch (aws_function_call(given && *given ? given : "excamera", event, text)) {
    case AWS_CALL_ANSWERED:
        return judge(text, task, answer);
    case AWS_CALL_THROTTLED:
        return THROTTLED;
    default:
        return BROKEN;
    }
}

static void see_to_inputs(json_t *task);

/* Has the function do the task, which has been offered, and returns the answer. */
static json_t *have_done(const struct work *work)
{
    time_t start = time(NULL);
    json_t *answer = NULL,
           *event = sure(json_pack("{s:s, s:s, s:O}", "bucket", store_bucket(), "run", this_run(), "task", work->task));
    char *event_text = json_dumps(event, JSON_COMPACT), *said = NULL;
    for (unsigned number = 0, failures = 0, waits = 0; !answer; number++) {
        const enum outcome outcome = invoke_once(event_text, work->task, &answer, &said);
        if (outcome == DONE) {
            break;
        }
        failures += outcome == BROKEN;
        waits += outcome == WAITED;
        if (failures >= aws_attempts() || time(NULL) - start > LONGEST_THROTTLING) {
            fail_about("the function", "failed %u times, and at last: %.400s", number + 1, said);
        }
        if (outcome == BROKEN) { /* and its worker may not have come to say so */
            store_announce(work->task, work->key, "gone", this_run());
        } else if (outcome == WAITED && waits > 1) {
            see_to_inputs(work->task);
            start = time(NULL);
        }
        free(said);
        said = NULL;
        aws_wait(number);
        answer = store_answer(work->task, work->key); /* perhaps only the answer got lost */
    }
    free(said);
    write_timings(answer);
    json_decref(event);
    free(event_text);
    return answer;
}

/* The task among those in this directory that has this key. name: of what it publishes. */
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
        fail_about(name, "nobody makes it, and its task is not here; delete all .task files and make again");
    }
    return task;
}

/* Has done what a task waits for, where no other wrapper of this run is at it. There may be none: make sees no reason
 * to run a chunk that is here already, or that nobody asked for, even if its states are missing in the store. */
static void see_to_inputs(json_t *task)
{
    const char *name;
    json_t *value;
    json_object_foreach(get(task, "inputs"), name, value)
    {
        struct work before;
        const char *key = json_string_value(value) + 1;
        if (key[-1] == '@' && !store_is_published(key, name) && !store_is_in_hand(key, this_run())) {
            take_in_hand(&before, find_task(key, name));
            see_to_inputs(before.task);
            upload_inputs(before.task);
            json_decref(have_done(&before));
            put_aside(&before);
        }
    }
}

static int invoke(const char *text)
{
    struct work work;
    take_in_hand(&work, load_task(text));
    json_t *answer = have_done(&work);
    print_json(answer);
    json_decref(answer);
    put_aside(&work);
    return 0;
}

/* ---- deliver and fetch ---- */

static void bring(const struct reference *reference, const char *name)
{
    char key[STORE_KEY_SIZE], digest[SHA256_TEXT];
    uint64_t size;
    const char *temporary = temporary_for(name);
    if (!aws_object_get_file(reference->bucket, store_data_key(key, reference->digest), temporary, name)) {
        fail_about(name, "its data are no longer in the store");
    }
    if (!sha256_of_file(temporary, digest, &size) || strcmp(digest, reference->digest)) {
        fail_about(name, "damaged in the store; remove s3://%s/%s and make it again", reference->bucket, key);
    }
    temporary_becomes(name);
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
        snprintf(reference.bucket, sizeof reference.bucket, "%s", store_bucket());
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
    if (argc == 4 && !strcmp(verb, "offer")) {
        end_with(argv[2]);
        return offer(argv[3]);
    }
    if (argc == 4 && !strcmp(verb, "invoke")) {
        end_with(argv[2]);
        return invoke(argv[3]);
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
