/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for pipe2, wait4 and close_range */

#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/timing.h"
#include "../value.h"
#include "event.h"
#include "http.h"

enum { TAIL = 4096, GLANCE_MS = 1000 };

enum {
    EXIT_SIGNAL = 128, /* plus a signal's number: the exit status that a shell gives to a command ended by the signal */
    EXIT_NOT_RUN = 127, /* the same for a command that cannot be run */
};

/* The tool gets one variable of our environment, and not the others, since these contain the function's credentials. */
static _Noreturn void become_tool(json_t *step, bool travels, int errors)
{
    char path[EVENT_PATH], compress[] = "XC_COMPRESS_STATES=0", *environment[] = { compress, NULL };
    json_t *arguments = value_get(step, "arguments"), *item;
    size_t i;
    const char **argv = calloc(json_array_size(arguments) + 2, sizeof *argv);
    const int nothing = open("/dev/null", O_RDWR);
    if (!argv || nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(errors, 2) < 0) {
        _exit(EXIT_NOT_RUN);
    }
    event_tool_path(path, value_text(step, "tool"));
    argv[0] = value_text(step, "tool");
    json_array_foreach(arguments, i, item)
    {
        argv[i + 1] = json_string_value(item);
    }
    const char *wanted = getenv("XC_COMPRESS_STATES");
    compress[sizeof compress - 2] = travels && (!wanted || !strcmp(wanted, "1")) ? '1' : '0';
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    close_range(3, ~0U, 0); /* the connections */
    execve(path, (char **)(uintptr_t)argv, environment);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_NOT_RUN);
}

/* Reads the stream to its end and keeps the last TAIL bytes. The stream does not block: meanwhile there are signs of
 * life to give. */
static size_t read_tail(int stream, char tail[static TAIL])
{
    char block[TAIL];
    size_t kept = 0;
    ssize_t count;
    while ((count = read(stream, block, sizeof block)) > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) {
        if (count < 0) {
            http_wait(GLANCE_MS, stream);
            continue;
        }
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

/* What the answer says of the step; NULL: no memory. */
static json_t *describe(json_t *step, const struct xc_tool_timing *timing, int code, const char *tail, size_t kept)
{
    json_t *said = json_stringn(tail, kept); /* NULL if it is not UTF-8 */
    const char *first = json_string_value(json_array_get(value_get(step, "outputs"), 0));
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:I, s:I, s:I, s:i, s:o}", "tool", value_text(step, "tool"), "for",
                     first ? first : "", "start", timing->start, "end", timing->end, "cpu", timing->cpu, "memory",
                     (json_int_t)timing->memory, "read", total_size(value_get(step, "inputs")), "wrote",
                     total_size(value_get(step, "outputs")), "exit", code, "stderr", said ? said : json_string("?"));
}

bool step_run(json_t *step, bool travels, struct answer *answer)
{
    char tail[TAIL];
    int errors[2], status = 0;
    struct rusage usage;
    struct xc_tool_timing timing = { .start = xc_tool_timing_now() };
    if (pipe2(errors, O_CLOEXEC)) {
        return answer_end(answer, ENDING_RETRY, "%s: %s", value_text(step, "tool"), strerror(errno));
    }
    const pid_t child = fork();
    if (!child) {
        become_tool(step, travels, errors[1]);
    }
    close(errors[1]);
    fcntl(errors[0], F_SETFL, O_NONBLOCK);
    const size_t kept = child > 0 ? read_tail(errors[0], tail) : 0;
    close(errors[0]);
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        return answer_end(answer, ENDING_RETRY, "%s: %s", value_text(step, "tool"), strerror(errno));
    }
    timing.end = xc_tool_timing_now();
    xc_tool_timing_set_usage(&timing, &usage);
    const int code = WIFSIGNALED(status) ? EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    if (code == EXIT_SIGNAL + SIGKILL) {
        return answer_end(answer, ENDING_KILLED,
                          "a tool was killed, as happens when it needs more memory than there is");
    }
    return answer_add_step(answer, describe(step, &timing, code, tail, kept));
}
