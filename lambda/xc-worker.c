/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the function's bootstrap that a shell cannot do well: reading and writing JSON, and running a command
 * that an event describes. A shell sees only those words of an event that are plain names.
 *
 *   xc-worker plan EVENT             prints what has to be done for an event, an action per line (see print_plan)
 *   xc-worker run EVENT STEP         runs a step, exits with its status, prints a line for the journal
 *   xc-worker digest FILE            prints the file's SHA-256 and size
 *   xc-worker answer JOURNAL         prints the answer that the journal leads to
 *   xc-worker say KIND TEXT          prints an answer without results; KIND is refused, retry, killed
 *                                    or later
 *
 * An event is {"bucket": NAME, "run": NAME, "task": TASK (task.h)}. "run" names the run of make that sent it.
 *
 * The journal is a text file. It begins with `began SECONDS`. Each step adds the line that `run` prints, and then a
 * line `output NAME DIGEST SIZE` for each of its files that has been stored. */
#define _GNU_SOURCE /* for pipe2 and wait4 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tools/timing.h"
#include "task.h"
#include "value.h"

enum { MAX_EVENT = 256 * 1024, TAIL = 4096, MAX_BUCKET = 63, PATH_SIZE = 512 };

enum {
    EXIT_SIGNAL = 128, /* plus a signal's number: the exit status that a shell gives to a command ended by the signal */
    EXIT_NOT_RUN = 127, /* the same for a command that cannot be run */
};

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

/* ---- The event ---- */

static bool bucket_is_plain(const char *bucket)
{
    const size_t length = bucket ? strlen(bucket) : 0;
    return length >= 3 && length <= MAX_BUCKET && bucket[0] != '.' && bucket[0] != '-' &&
           strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length && !strstr(bucket, "..");
}

static json_t *read_event(const char *path)
{
    static char text[MAX_EVENT + 1];
    char why[TASK_ERROR_SIZE];
    json_error_t error;
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail("event: %s", strerror(errno));
    }
    const size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    if (size > MAX_EVENT) {
        fail("event: larger than %d bytes", MAX_EVENT);
    }
    json_t *event = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!event) {
        fail("event: not JSON: line %d, column %d", error.line, error.column);
    }
    if (json_object_size(event) != 3 || !bucket_is_plain(value_text(event, "bucket"))) {
        fail("event: its members are not bucket, run and task, or the bucket's name is not valid");
    }
    if (!value_text(event, "run") || !task_name_is_plain(value_text(event, "run"))) {
        fail("event: the run's name is not plain");
    }
    if (!task_is_valid(value_get(event, "task"), why)) {
        fail("event: %s", why);
    }
    return event;
}

static void tool_path(char *path, const char *tool)
{
    const char *root = getenv("LAMBDA_TASK_ROOT");
    snprintf(path, PATH_SIZE, "%s/tools/%s", root ? root : ".", tool);
}

/* Only the tools that were packaged with the function may be run. The answer will be stored under a key that contains
 * the tool's digest, so the tool must have that digest. */
static void check_tool(json_t *step)
{
    char path[PATH_SIZE], digest[SHA256_TEXT];
    const char *tool = value_text(step, "tool");
    uint64_t size;
    tool_path(path, tool);
    if (!sha256_of_file(path, digest, &size)) {
        fail("event: %s: %s", tool, errno == ENOENT ? "is not a tool that the function has" : strerror(errno));
    }
    if (strcmp(digest, value_text(step, "digest"))) {
        fail("%s: the function has another version of it; run: xc-lambda deploy", tool);
    }
}

/* ---- plan ---- */

/* Prints `fetch NAME DIGEST` or `wait NAME KEY` for each input of the task that this step is the first to need. */
static void plan_inputs(json_t *step, json_t *inputs, json_t *here)
{
    size_t i;
    json_t *item;
    json_array_foreach(value_get(step, "inputs"), i, item)
    {
        const char *name = json_string_value(item), *from = value_text(inputs, name);
        if (!from || value_get(here, name)) {
            continue;
        }
        printf(*from == '@' ? "wait %s %s\n" : "fetch %s %s\n", name, from + (*from == '@'));
        json_object_set_new(here, name, json_true());
    }
}

/* Prints `store NAME` for each output that the user wants, and `publish NAME` for each that other tasks may wait for.
 * An output that is both is only published, which stores it, too. */
static void plan_outputs(json_t *step, json_t *task)
{
    size_t i;
    json_t *item;
    json_array_foreach(value_get(step, "outputs"), i, item)
    {
        const char *name = json_string_value(item);
        if (task_list_has(value_get(task, "publish"), name)) {
            printf("publish %s\n", name);
        } else if (task_list_has(value_get(task, "outputs"), name)) {
            printf("store %s\n", name);
        }
    }
}

/* Prints `bucket NAME`, `by RUN` and `key KEY`; then for each step the actions before it, `run STEP`, and the actions
 * after it. */
static int print_plan(const char *path)
{
    char key[SHA256_TEXT];
    json_t *event = read_event(path), *task = value_get(event, "task"), *here = json_object(), *step;
    size_t i;
    if (!here || !task_key(task, key)) {
        fail("event: no memory");
    }
    printf("bucket %s\nby %s\nkey %s\n", value_text(event, "bucket"), value_text(event, "run"), key);
    json_array_foreach(value_get(task, "steps"), i, step)
    {
        check_tool(step);
        plan_inputs(step, value_get(task, "inputs"), here);
        printf("run %zu\n", i);
        plan_outputs(step, task);
    }
    json_decref(here);
    json_decref(event);
    return 0;
}

/* ---- run ---- */

/* The tool gets one variable of our environment, and not the others, since these contain the function's credentials. */
static _Noreturn void become_tool(json_t *step, int errors)
{
    char path[PATH_SIZE], compress[] = "XC_COMPRESS_STATES=0", *environment[] = { compress, NULL };
    json_t *arguments = value_get(step, "arguments"), *item;
    size_t i;
    const char **argv = calloc(json_array_size(arguments) + 2, sizeof *argv);
    const int nothing = open("/dev/null", O_RDWR);
    if (!argv || nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(errors, 2) < 0) {
        _exit(EXIT_NOT_RUN);
    }
    tool_path(path, value_text(step, "tool"));
    argv[0] = value_text(step, "tool");
    json_array_foreach(arguments, i, item)
    {
        argv[i + 1] = json_string_value(item);
    }
    const char *wanted = getenv("XC_COMPRESS_STATES");
    compress[sizeof compress - 2] = wanted && !strcmp(wanted, "1") ? '1' : '0';
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execve(path, (char **)(uintptr_t)argv, environment);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_NOT_RUN);
}

/* Reads the stream to its end and keeps the last TAIL bytes. */
static size_t read_tail(int stream, char tail[static TAIL])
{
    char block[TAIL];
    size_t kept = 0;
    ssize_t count;
    while ((count = read(stream, block, sizeof block)) > 0) {
        const size_t added = (size_t)count, left = kept + added > TAIL ? TAIL - added : kept;
        memmove(tail, tail + kept - left, left);
        memcpy(tail + left, block, added);
        kept = left + added;
    }
    return kept;
}

/* The size of all files in a list of names. */
static json_int_t total_size(json_t *names)
{
    struct stat status;
    json_int_t size = 0;
    size_t i;
    json_t *item;
    json_array_foreach(names, i, item)
    {
        size += stat(json_string_value(item), &status) ? 0 : status.st_size;
    }
    return size;
}

static int run_step(const char *path, const char *number)
{
    char tail[TAIL];
    int errors[2], status;
    struct rusage usage;
    json_t *event = read_event(path);
    json_t *step = json_array_get(value_get(value_get(event, "task"), "steps"), (size_t)atoi(number));
    struct xc_tool_timing timing = { .start = xc_tool_timing_now() };
    pid_t child;
    if (!step || pipe2(errors, O_CLOEXEC) || (child = fork()) < 0) {
        fail("step %s: %s", number, strerror(errno));
    }
    if (!child) {
        become_tool(step, errors[1]);
    }
    close(errors[1]);
    const size_t kept = read_tail(errors[0], tail);
    if (wait4(child, &status, 0, &usage) < 0) {
        fail("step %s: %s", number, strerror(errno));
    }
    timing.end = xc_tool_timing_now();
    xc_tool_timing_set_usage(&timing, &usage);
    const int code = WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    json_t *said = json_stringn(tail, kept); /* NULL if it is not UTF-8 */
    json_t *line = json_pack(
        "{s:s, s:s, s:f, s:f, s:f, s:I, s:I, s:I, s:i, s:o}", "tool", value_text(step, "tool"), "for",
        json_string_value(json_array_get(value_get(step, "outputs"), 0)), "start", timing.start, "end", timing.end,
        "cpu", timing.cpu, "memory", (json_int_t)timing.memory, "read", total_size(value_get(step, "inputs")), "wrote",
        total_size(value_get(step, "outputs")), "exit", code, "stderr", said ? said : json_string("?"));
    if (!line || json_dumpf(line, stdout, JSON_COMPACT)) {
        fail("step %s: no memory", number);
    }
    putchar('\n');
    json_decref(line);
    json_decref(event);
    return code;
}

/* ---- answer ---- */

struct journal {
    json_t *steps, *outputs, *failed;
    double began;
};

static void add_step(struct journal *journal, json_t *step)
{
    if (!step) {
        fail("the journal is damaged");
    }
    if (json_integer_value(value_get(step, "exit"))) {
        journal->failed = step;
        return;
    }
    json_object_del(step, "stderr");
    json_array_append_new(journal->steps, step);
}

static void read_line(struct journal *journal, const char *line)
{
    char name[PATH_SIZE], digest[SHA256_TEXT];
    long long size;
    if (sscanf(line, "output %511s %64s %lld", name, digest, &size) == 3) {
        json_object_set_new(journal->outputs, name,
                            json_pack("{s:s, s:I}", "sha256", digest, "size", (json_int_t)size));
    } else if (sscanf(line, "began %lf", &journal->began) != 1) {
        add_step(journal, json_loads(line, 0, NULL));
    }
}

static int print_answer(const char *path)
{
    static char line[8 * TAIL]; /* JSON writes up to six bytes for one */
    struct journal journal = { .steps = json_array(), .outputs = json_object() };
    FILE *file = fopen(path, "r");
    if (!file) {
        fail("the journal: %s", strerror(errno));
    }
    while (fgets(line, sizeof line, file)) {
        read_line(&journal, line);
    }
    fclose(file);
    json_t *answer = journal.failed ? json_pack("{s:o}", "failed", journal.failed)
                                    : json_pack("{s:o, s:o, s:f}", "outputs", journal.outputs, "steps", journal.steps,
                                                "seconds", xc_tool_timing_now() - journal.began);
    if (!answer || json_dumpf(answer, stdout, JSON_COMPACT)) {
        fail("no memory");
    }
    json_decref(answer);
    return 0;
}

static int say(const char *kind, const char *text)
{
    json_t *answer = json_pack("{s:s}", kind, text);
    if (!answer) {
        answer = json_pack("{s:s}", kind, "a text that is not UTF-8");
    }
    return !answer || json_dumpf(answer, stdout, JSON_COMPACT);
}

static int print_digest(const char *path)
{
    char digest[SHA256_TEXT];
    uint64_t size;
    if (!sha256_of_file(path, digest, &size)) {
        fail("%s: %s", path, strerror(errno));
    }
    printf("%s %llu\n", digest, (unsigned long long)size);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "plan")) {
        return print_plan(argv[2]);
    }
    if (argc == 4 && !strcmp(argv[1], "run")) {
        return run_step(argv[2], argv[3]);
    }
    if (argc == 3 && !strcmp(argv[1], "digest")) {
        return print_digest(argv[2]);
    }
    if (argc == 3 && !strcmp(argv[1], "answer")) {
        return print_answer(argv[2]);
    }
    if (argc == 4 && !strcmp(argv[1], "say")) {
        return say(argv[2], argv[3]);
    }
    fail("usage: xc-worker plan EVENT | run EVENT STEP | digest FILE | answer JOURNAL | say KIND TEXT");
}
