/* xc-timed: runs a step of the makefile and writes down what it took, for `make TIMINGS=FILE` (docs/latency.md). */
#define _GNU_SOURCE /* for wait4 and environ */

#include <errno.h>
#include <fcntl.h>
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

/* make tells us to stop, and it is the command that has something to clean up. */
static void pass_on(int number)
{
    kill(command, number);
}

/* The size of all files that are named in a list, with blanks between them. */
static long long total_size(const char *list)
{
    char *names = strdup(list), *rest = names, *name;
    struct stat status;
    long long size = 0;
    while (names && (name = strtok_r(rest, " ", &rest))) {
        size += stat(name, &status) ? 0 : (long long)status.st_size;
    }
    free(names);
    return size;
}

/* Signals wait until there is somebody to pass them on to. */
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

/* Ends this program as the command ended, if that was no success. */
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
        .options = options,
        .minimum_operands = 4,
        .maximum_operands = argc,
    };
    char **operands = xc_tool_start(&tool, argc, argv);
    const char *log = operands[0], *outputs = operands[1], *inputs = operands[2];
    const int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) {
        xc_tool_fail(log, "%s", strerror(errno));
    }

    int status;
    struct rusage used;
    const double begin = xc_now();
    start(operands + 3);
    if (wait4(command, &status, 0, &used) < 0) {
        xc_tool_fail(operands[3], "%s", strerror(errno));
    }
    const double end = xc_now();
    end_like(status);

    /* dprintf makes one write, to a file opened for appending: the lines of commands that run at once do not mix. */
    const double cpu = xc_seconds(used.ru_utime) + xc_seconds(used.ru_stime);
    const int name = (int)strcspn(outputs, " ");
    if (dprintf(file, "%.*s\t%.8s\t%.6f\t%.6f\t%.6f\t%lld\t%lld\t%lld\t0\n", name, outputs, outputs, begin, end, cpu,
                (long long)used.ru_maxrss * 1024, total_size(inputs), total_size(outputs)) < 0 ||
        close(file)) {
        xc_tool_fail(log, "%s", strerror(errno));
    }
    return 0;
}
