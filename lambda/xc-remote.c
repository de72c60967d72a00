/* The parts of lambda/run, the wrapper of each remote step, that are dear or dull in a shell.
 *
 *   xc-remote task OUTPUTS PUBLISHED INPUTS step OUTPUTS INPUTS TOOL [ARGUMENT]... [step ...]
 *                                     prints the task: its files named by their SHA-256, its tools as well
 *   xc-remote offer TASK              if the store has the task's answer, prints it; if not, uploads what the store lacks of
 *                                     the inputs, and exits with 3
 *   xc-remote invoke TASK             has the function do it, and prints the answer; a tool that fails there looks as if it
 *                                     had failed here
 *   xc-remote deliver ANSWER OUTPUTS FINISHED
 *                                     leaves each of OUTPUTS here: the file if it is one of FINISHED, else a reference
 *   xc-remote fetch FILE...           turns references into files
 *
 * OUTPUTS, PUBLISHED, INPUTS and FINISHED are lists of names, separated by blanks. Among the INPUTS of a task may be
 * tasks (FILE.task, what `task` printed): what those publish is an input, too. */
#define _GNU_SOURCE /* for asprintf */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aws.h"
#include "reference.h"
#include "task.h"

enum { EXIT_UNKNOWN_TASK = 3, LONGEST_THROTTLING = 3600 /* seconds */, KEY_SIZE = 160 };

/* ---- Small helpers ---- */

static const char *setting(const char *variable, const char *otherwise)
{
    const char *given = getenv(variable);
    if ((!given || !*given) && !otherwise)
        aws_fail(variable, "is not set (see docs/lambda.md)");
    return given && *given ? given : otherwise;
}

static const char *bucket(void)
{
    return setting("XC_LAMBDA_BUCKET", NULL);
}

/* Out of memory is no state that these programs go on in. */
static json_t *sure(json_t *value)
{
    if (!value)
        aws_fail("task", "no memory, or a name that is not UTF-8");
    return value;
}

static json_t *get(json_t *object, const char *name)
{
    return json_object_get(object, name);
}

static const char *text_of(json_t *object, const char *name)
{
    return json_string_value(get(object, name));
}

static void add_name(json_t *list, const char *name)
{
    json_array_append_new(list, sure(json_string(name)));
}

static json_t *words(const char *text)
{
    json_t *list = sure(json_array());
    char *copy = strdup(text), *rest = copy;
    for (char *word; copy && (word = strsep(&rest, " ")); )
        if (*word)
            add_name(list, word);
    free(copy);
    return list;
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

static void print_json(json_t *value)
{
    if (json_dumpf(value, stdout, JSON_COMPACT | JSON_SORT_KEYS) || putchar('\n') == EOF || fflush(stdout))
        aws_fail("standard output", "%s", strerror(errno));
}

static json_t *load_task(const char *text)
{
    char why[TASK_ERROR_SIZE] = "not JSON";
    json_t *task = json_loads(text, 0, NULL);
    if (!task || !task_is_valid(task, why))
        aws_fail("task", "%s", why);
    return task;
}

/* ---- task ---- */

/* The file with the digest of each tool in the function, as sha256sum prints it: XC_LAMBDA_TOOLS, or the one beside this
 * program. */
static FILE *open_digests(void)
{
    char path[PATH_MAX];
    const char *given = getenv("XC_LAMBDA_TOOLS");
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "tools.sha256");
    if (length < 0)
        aws_fail("/proc/self/exe", "%s", strerror(errno));
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "tools.sha256");
    FILE *file = fopen(given ? given : path, "r");
    if (!file)
        aws_fail(given ? given : path, "%s; run: xc-lambda package", strerror(errno));
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
    aws_fail(tool, "is not a tool that the function has");
}

/* Which inputs a task has that come from another one. */
static void add_promised_inputs(json_t *inputs, const char *path)
{
    char key[SHA256_TEXT], promise[SHA256_TEXT + 1];
    size_t i;
    json_t *item, *other = json_load_file(path, 0, NULL);
    char why[TASK_ERROR_SIZE] = "not JSON";
    if (!other || !task_is_valid(other, why))
        aws_fail(path, "%s", why);
    if (!task_key(other, key))
        aws_fail(path, "no memory");
    snprintf(promise, sizeof promise, "@%s", key);
    json_array_foreach(get(other, "publish"), i, item) {
        json_object_set_new(inputs, json_string_value(item), sure(json_string(promise)));
    }
    json_decref(other);
}

static json_t *find_inputs(json_t *paths)
{
    json_t *inputs = sure(json_object()), *item;
    size_t i;
    json_array_foreach(paths, i, item) {
        const char *path = json_string_value(item);
        const size_t length = strlen(path);
        struct reference reference;
        if (length > 5 && !strcmp(path + length - 5, ".task")) {
            add_promised_inputs(inputs, path);
        } else {
            reference_of_file(path, &reference);
            json_object_set_new(inputs, path, sure(json_string(reference.digest)));
        }
    }
    return inputs;
}

/* argv: OUTPUTS INPUTS TOOL [ARGUMENT]..., up to the next "step" or the end. */
static json_t *read_step(char ***argv)
{
    char digest[SHA256_TEXT], **at = *argv;
    if (!at[0] || !at[1] || !at[2])
        aws_fail("task", "a step lacks its outputs, inputs or tool");
    find_tool_digest(at[2], digest);
    json_t *arguments = sure(json_array());
    json_t *step = sure(json_pack("{s:o, s:o, s:s, s:s, s:o}", "outputs", words(at[0]), "inputs", words(at[1]), "tool", at[2],
                                  "digest", digest, "arguments", arguments));
    for (at += 3; *at && strcmp(*at, "step"); at++)
        add_name(arguments, *at);
    *argv = at;
    return step;
}

/* Leaves only those inputs that a step reads: a key should not depend on anything else. */
static void drop_unused_inputs(json_t *inputs, json_t *steps)
{
    const char *name;
    void *next;
    size_t i;
    json_t *value, *step;
    json_object_foreach_safe(inputs, next, name, value) {
        bool used = false;
        json_array_foreach(steps, i, step) {
            used = used || task_list_has(get(step, "inputs"), name);
        }
        if (!used)
            json_object_del(inputs, name);
    }
}

static int make_task(char **argv)
{
    char why[TASK_ERROR_SIZE];
    char **at = argv + 3;
    json_t *steps = sure(json_array()), *paths = words(argv[2]), *inputs = find_inputs(paths);
    while (*at && !strcmp(*at, "step")) {
        at++;
        json_array_append_new(steps, read_step(&at));
    }
    drop_unused_inputs(inputs, steps);
    json_t *task = sure(json_pack("{s:o, s:o, s:o, s:o}", "inputs", inputs, "steps", steps, "outputs", words(argv[0]),
                                  "publish", words(argv[1])));
    if (*at || !task_is_valid(task, why))
        aws_fail("task", "%s", *at ? "'step' is missing" : why);
    print_json(task);
    json_decref(paths);
    json_decref(task);
    return 0;
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
    json_array_foreach(names, i, item) {
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
    json_array_foreach(names, i, item) {
        const char *digest = text_of(get(get(answer, "outputs"), json_string_value(item)), "sha256");
        exist = exist && aws_object_exists(bucket(), data_key(key, digest));
    }
    json_array_foreach(get(task, "publish"), i, item) {
        exist = exist && aws_object_exists(bucket(), meeting_key(key, task_key_text, json_string_value(item)));
    }
    json_decref(names);
    return exist;
}

static void key_of(json_t *task, char key[static SHA256_TEXT])
{
    if (!task_key(task, key))
        aws_fail("task", "no memory");
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
    if (answer && answer_fits(answer, task) && results_exist(answer, task, key))
        return answer;
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
    json_array_foreach(get(task, "publish"), i, item) {
        char *said = aws_object_get_text(bucket(), meeting_key(path, key, json_string_value(item)));
        if (said && !strncmp(said, "failed", 6))
            aws_object_delete(bucket(), path);
        free(said);
    }
}

static void upload(const char *name, const char *digest)
{
    char key[KEY_SIZE];
    struct reference reference;
    if (aws_object_exists(bucket(), data_key(key, digest)))
        return;
    reference_of_file(name, &reference);
    if (strcmp(reference.digest, digest))
        aws_fail(name, "changed while it was being used");
    if (reference.remote) {
        unlink(name);
        aws_fail(name, "its data are no longer in the store; the next make makes it anew");
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
    json_object_foreach(get(task, "inputs"), name, value) {
        if (*json_string_value(value) != '@')
            upload(name, json_string_value(value));
    }
    withdraw_failure(task);
    json_decref(task);
    return EXIT_UNKNOWN_TASK;
}

/* ---- invoke ---- */

/* One line for each step: tool, chunk, start and end (seconds since 1970), CPU seconds, peak memory, bytes in, bytes out,
 * and in the line of a task's first step how many seconds are to be paid for. */
static void write_timings(json_t *answer)
{
    char *text = NULL;
    size_t size, i;
    json_t *step;
    FILE *lines = open_memstream(&text, &size);
    if (!lines)
        aws_fail("timings.tsv", "%s", strerror(errno));
    json_array_foreach(get(answer, "steps"), i, step) {
        fprintf(lines, "%s\t%.8s\t%.3f\t%.3f\t%.3f\t%lld\t%lld\t%lld\t%.3f\n", text_of(step, "tool"), text_of(step, "for"),
                json_real_value(get(step, "start")), json_real_value(get(step, "end")),
                json_real_value(get(step, "cpu")), (long long)json_integer_value(get(step, "memory")),
                (long long)json_integer_value(get(step, "read")), (long long)json_integer_value(get(step, "wrote")),
                i ? 0 : json_real_value(get(answer, "seconds")));
    }
    fclose(lines);
    const int file = open("timings.tsv", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0 || write(file, text, size) != (ssize_t)size || close(file))
        aws_fail("timings.tsv", "%s", strerror(errno));
    free(text);
}

/* A tool's failure is the user's to see as it is. */
static _Noreturn void fail_like_the_tool(json_t *failed)
{
    enum { EXIT_SIGNAL = 128 }; /* as shells have it */
    const int code = (int)json_integer_value(get(failed, "exit")) & 0xff;
    fputs(text_of(failed, "stderr") ? text_of(failed, "stderr") : "", stderr);
    if (code > EXIT_SIGNAL)
        fprintf(stderr, "%s: ended by signal %d\n", text_of(failed, "tool"), code - EXIT_SIGNAL);
    exit(code);
}

/* Returns the answer, if it is one that there is no use in asking for again; if not, says why in *text. */
static json_t *usable_answer(char **text, json_t *task)
{
    json_t *answer = json_loads(*text, 0, NULL);
    const char *again = text_of(answer, "retry"), *refused = text_of(answer, "refused");
    if (refused)
        aws_fail("the function", "%s", refused);
    if (get(answer, "failed"))
        fail_like_the_tool(get(answer, "failed"));
    if (answer && answer_fits(answer, task))
        return answer;
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
    const time_t start = time(NULL);
    for (unsigned number = 0, failures = 0; !answer; number++) {
        const enum aws_call_result result = aws_function_call(setting("XC_LAMBDA_FUNCTION", "excamera"), event_text, &said);
        if (result == AWS_CALL_ANSWERED)
            answer = usable_answer(&said, task);
        if (answer)
            break;
        failures += result != AWS_CALL_THROTTLED;
        if (failures >= aws_attempts() || time(NULL) - start > LONGEST_THROTTLING)
            aws_fail("the function", "failed %u times, and at last: %.400s", number + 1, said);
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
    if (asprintf(&temporary, "%s.tmp-%ld", name, (long)getpid()) < 0)
        aws_fail(name, "no memory");
    reference_remove_on_signal(temporary);
    if (!aws_object_get_file(reference->bucket, data_key(key, reference->digest), temporary)) {
        unlink(temporary);
        aws_fail(name, "its data are no longer in the store");
    }
    if (!sha256_of_file(temporary, digest, &size) || strcmp(digest, reference->digest)) {
        unlink(temporary);
        aws_fail(name, "damaged in the store; remove s3://%s/%s and make it again", reference->bucket, key);
    }
    if (rename(temporary, name))
        aws_fail(name, "%s", strerror(errno));
    free(temporary);
}

static int deliver(const char *text, const char *outputs, const char *finished)
{
    json_t *answer = json_loads(text, 0, NULL), *here = words(finished), *names = words(outputs), *item;
    size_t i;
    json_array_foreach(names, i, item) {
        const char *name = json_string_value(item);
        json_t *output = get(get(answer, "outputs"), name);
        struct reference reference = {.remote = true, .size = (uint64_t)json_integer_value(get(output, "size"))};
        if (!text_of(output, "sha256"))
            aws_fail(name, "is not in the answer");
        snprintf(reference.digest, sizeof reference.digest, "%s", text_of(output, "sha256"));
        snprintf(reference.bucket, sizeof reference.bucket, "%s", bucket());
        if (task_list_has(here, name))
            bring(&reference, name);
        else
            reference_write(&reference, name);
    }
    return 0;
}

static int fetch(char **names)
{
    for (; *names; names++) {
        struct reference reference;
        reference_of_file(*names, &reference);
        if (reference.remote)
            bring(&reference, *names);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (argc > 5 && !strcmp(verb, "task"))
        return make_task(argv + 2);
    aws_start();
    if (argc == 3 && !strcmp(verb, "offer"))
        return offer(argv[2]);
    if (argc == 3 && !strcmp(verb, "invoke"))
        return invoke(argv[2]);
    if (argc == 5 && !strcmp(verb, "deliver"))
        return deliver(argv[2], argv[3], argv[4]);
    if (argc > 2 && !strcmp(verb, "fetch"))
        return fetch(argv + 2);
    fputs("usage: xc-remote task|offer|invoke|deliver|fetch ...; see lambda/run\n", stderr);
    return 2;
}
