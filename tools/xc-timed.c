/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-timed: runs a step of the makefile and appends its row to timings.tsv, for `make TIMINGS=FILE`. */
#define _GNU_SOURCE /* for wait4 and environ */

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"
#include "timing.h"

static volatile pid_t command;

/* When make tells us to stop, the command must hear of it, since the command has files to clean up. */
static void pass_on(int number)
{
    kill(command, number);
}

/* The size of all files in a list of names with blanks between them. */
static int64_t total_size(const char *list)
{
    char *names = strdup(list), *rest = names, *name;
    struct stat status;
    int64_t size = 0;
    while (names && (name = strtok_r(rest, " ", &rest))) {
        size += stat(name, &status) ? 0 : status.st_size;
    }
    free(names);
    return size;
}

/* Starts the command. Signals are blocked until there is a process to pass them on to. */
static void start(char **argv)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
    posix_spawnattr_t attributes;
    sigset_t ours, before;
    pid_t child;
    sigemptyset(&ours);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaddset(&ours, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &ours, &before);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &before);
    const int error = posix_spawnp(&child, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (error) {
        xc_tool_fail(argv[0], "%s", strerror(error));
    }
    command = child;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaction(signals[i], &action, NULL);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* If the command failed, ends this program in the same way. */
static void end_like(int status)
{
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    if (status) {
        exit(WEXITSTATUS(status));
    }
}

int main(int argc, char **argv)
{
    const struct xc_tool_option options[] = { { 0 } };
    const struct xc_tool tool = {
        .name = "xc-timed",
        .synopsis = "-- LOG OUTPUTS INPUTS COMMAND [ARGUMENT]...",
        .description = "Runs COMMAND, which reads the files INPUTS and writes the files OUTPUTS (names with blanks "
                       "between them), and appends a line to LOG: the first of OUTPUTS, the number of its chunk, "
                       "start and end, CPU seconds, peak memory, bytes in, bytes out, 0.",
        .examples = "xc-timed -- timings.tsv 00000001-0.state 00000001-0.ivf xc-dump 00000001-0.ivf 00000001-0.state",
        .options = options,
        .minimum_operands = 4,
        .maximum_operands = argc,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    const char *log = operands[0], *outputs = operands[1], *inputs = operands[2];
    FILE *file = xc_tool_timings_open(log);
    if (!file) {
        xc_tool_fail(log, "%s", strerror(errno));
    }

    int status;
    struct rusage usage;
    struct xc_tool_timing timing = { .outputs = outputs, .start = xc_tool_timing_now() };
    start(operands + 3);
    if (wait4(command, &status, 0, &usage) < 0) {
        xc_tool_fail(operands[3], "%s", strerror(errno));
    }
    timing.end = xc_tool_timing_now();
    end_like(status);

    xc_tool_timing_set_usage(&timing, &usage);
    timing.read = total_size(inputs);
    timing.wrote = total_size(outputs);
    xc_tool_timings_add(file, &timing);
    if (!xc_tool_timings_close(file)) {
        xc_tool_fail(log, "%s", strerror(errno));
    }
    return 0;
}
