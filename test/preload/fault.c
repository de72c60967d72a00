/* SPDX-License-Identifier: BSD-2-Clause */
/* A library for LD_PRELOAD that makes one call of one process of a run fail, or kills a process there
 * (test_faults.py). The points at which it can do so are the calls by which files are written and processes started and
 * awaited. A point has a label, "PROGRAM CALL FILE", such as "xc-enc rename 00000003.ivf". What processes do at the
 * same time comes in any order, but the n-th time that a label comes is the same in each run.
 *
 * Environment:
 *   XC_FAULT_LOG=FILE      append the label of each point
 *   XC_FAULT_SHARED=FILE   what the processes share: struct shared, zeroed at the start
 *   XC_FAULT=N ACTION LABEL   at the N-th point with this label do the ACTION: a number, the errno that the call fails
 *                          with; or the name of a program, whose processes are killed; "self" is the caller */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LABEL_SIZE = 256, MAX_PROCESSES = 1000 };

struct shared {
    atomic_int reached; /* how often the label has come */
    atomic_int processes;
    atomic_int pids[MAX_PROCESSES];
};

static struct {
    const char *log, *action, *label, *mark;
    int number;
    struct shared *shared;
} fault;

__attribute__((constructor)) static void begin(void)
{
    static char spec[LABEL_SIZE];
    const char *text = getenv("XC_FAULT");
    fault.log = getenv("XC_FAULT_LOG");
    fault.mark = getenv("XC_FAULT_SHARED");
    if (!text || !fault.mark || fault.shared) {
        return;
    }
    snprintf(spec, sizeof spec, "%s", text);
    char *rest = spec;
    fault.number = atoi(strsep(&rest, " "));
    fault.action = strsep(&rest, " ");
    fault.label = rest;
    const int file = (int)syscall(SYS_openat, AT_FDCWD, fault.mark, O_RDWR | O_CLOEXEC, 0);
    void *memory =
        file < 0 ? MAP_FAILED : mmap(NULL, sizeof *fault.shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        abort();
    }
    syscall(SYS_close, file);
    fault.shared = memory;
    const int place = atomic_fetch_add(&fault.shared->processes, 1);
    if (place < MAX_PROCESSES) {
        fault.shared->pids[place] = getpid();
    }
}

/* ---- Killing ---- */

/* Whether a process is still the one that was noted: numbers are used again. */
static bool is_ours(int pid, const char *program)
{
    static char environment[1 << 16];
    char path[64], name[64] = "";
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    const long size = file < 0 ? 0 : syscall(SYS_read, file, environment, sizeof environment);
    syscall(SYS_close, file);
    if (size <= 0 || !memmem(environment, (size_t)size, fault.mark, strlen(fault.mark))) {
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    const long length = file < 0 ? 0 : syscall(SYS_read, file, name, sizeof name - 1);
    syscall(SYS_close, file);
    return length > 0 && !strncmp(name, program, strlen(program));
}

static void kill_program(const char *program)
{
    for (int i = 0; i < fault.shared->processes && i < MAX_PROCESSES; i++) {
        const int pid = fault.shared->pids[i];
        if (pid && pid != getpid() && is_ours(pid, program)) {
            syscall(SYS_kill, pid, SIGKILL);
        }
    }
    if (!strcmp(program, "self") || is_ours(getpid(), program)) {
        syscall(SYS_kill, getpid(), SIGKILL);
    }
}

/* ---- Points ---- */

static void add_to_log(const char *label)
{
    char line[LABEL_SIZE + 1];
    const int length = snprintf(line, sizeof line, "%s\n", label);
    const int file = (int)syscall(SYS_openat, AT_FDCWD, fault.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    syscall(SYS_write, file, line, (size_t)length);
    syscall(SYS_close, file);
}

/* Without directory, and without the random part of a temporary name. */
static void plain_name(char name[static LABEL_SIZE], const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, LABEL_SIZE, "%.120s", slash ? slash + 1 : path);
    char *random = strstr(name, ".tmp");
    if (random) {
        random[4] = '\0';
    }
    name[strcspn(name, ":")] = '\0'; /* pipe:[12345] */
    if (name[0] == '#') {            /* #12345 (deleted), of O_TMPFILE */
        strcpy(name, "unnamed");
    }
}

/* Returns the errno that the call is to fail with, or 0. */
static int point(const char *call, const char *path)
{
    char name[LABEL_SIZE], label[LABEL_SIZE];
    const int before = errno;
    begin();
    if (!fault.log && !fault.label) {
        return 0;
    }
    plain_name(name, path);
    snprintf(label, sizeof label, "%.60s %.20s %.120s", program_invocation_short_name, call, name);
    if (fault.log) {
        add_to_log(label);
    }
    int error = 0;
    if (fault.label && !strcmp(label, fault.label) && atomic_fetch_add(&fault.shared->reached, 1) + 1 == fault.number) {
        error = atoi(fault.action);
        if (!error) {
            kill_program(fault.action);
        }
    }
    errno = error ? error : before;
    return error;
}

static int file_point(const char *call, int file)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    return point(call, path);
}

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* ---- Writing ---- */

ssize_t write(int file, const void *data, size_t size)
{
    return file_point("write", file) ? -1 : REAL(write)(file, data, size);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset)
{
    return file_point("write", file) ? -1 : REAL(pwrite64)(file, data, size, offset);
}

ssize_t writev(int file, const struct iovec *data, int count)
{
    return file_point("write", file) ? -1 : REAL(writev)(file, data, count);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t size)
{
    return file_point("write", out) ? -1 : REAL(sendfile64)(out, in, offset, size);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
    return file_point("write", out) ? -1 : REAL(sendfile)(out, in, offset, size);
}

int fsync(int file)
{
    return file_point("fsync", file) ? -1 : REAL(fsync)(file);
}

int ftruncate64(int file, off64_t size)
{
    return file_point("ftruncate", file) ? -1 : REAL(ftruncate64)(file, size);
}

/* When stdio writes what it holds. If that is to fail, it is lost. */
static bool flush_fails(FILE *stream)
{
    if (stream && __fwriting(stream) && __fpending(stream) && file_point("write", fileno(stream))) {
        const int error = errno;
        __fpurge(stream);
        errno = error;
        return true;
    }
    return false;
}

int fflush(FILE *stream)
{
    return flush_fails(stream) ? EOF : REAL(fflush)(stream);
}

int fclose(FILE *stream)
{
    const bool fails = flush_fails(stream);
    const int error = errno, status = REAL(fclose)(stream);
    if (fails) {
        errno = error;
    }
    return fails ? EOF : status;
}

/* ---- Names ---- */

static int open_point(const char *path, int flags)
{
    return flags & O_CREAT && !(flags & O_PATH) ? point("create", path) : 0;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, int) : 0;                        \
        va_end(arguments);                                                                                             \
        return open_point(path, flags) ? -1 : REAL(name)(path, flags, mode);                                           \
    }
OPEN(open)
OPEN(open64)

int mkstemp64(char *name)
{
    return point("create", name) ? -1 : REAL(mkstemp64)(name);
}

int mkstemp(char *name)
{
    return point("create", name) ? -1 : REAL(mkstemp)(name);
}

int rename(const char *from, const char *to)
{
    return point("rename", to) ? -1 : REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    return point("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}

int unlink(const char *path)
{
    return point("unlink", path) ? -1 : REAL(unlink)(path);
}

int unlinkat(int directory, const char *path, int flags)
{
    return point("unlink", path) ? -1 : REAL(unlinkat)(directory, path, flags);
}

int rmdir(const char *path)
{
    return point("rmdir", path) ? -1 : REAL(rmdir)(path);
}

/* ---- Processes ---- */

pid_t fork(void)
{
    return point("fork", "") ? -1 : REAL(fork)();
}

/* A process may not return from a function that has called vfork(); with fork() the caller notices no difference. */
pid_t vfork(void)
{
    return point("fork", "") ? -1 : REAL(fork)();
}

static int exec_point(const char *path)
{
    return access(path, X_OK) ? 0 : point("exec", path); /* a program is looked for in many places */
}

int execve(const char *path, char *const *argv, char *const *environment)
{
    return exec_point(path) ? -1 : REAL(execve)(path, argv, environment);
}

int execv(const char *path, char *const *argv)
{
    return exec_point(path) ? -1 : REAL(execv)(path, argv);
}

int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *restrict attributes, char *const *restrict argv,
                char *const *restrict environment)
{
    const int error = point("fork", path);
    return error ? error : REAL(posix_spawn)(pid, path, actions, attributes, argv, environment);
}

int posix_spawnp(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *restrict attributes, char *const *restrict argv,
                 char *const *restrict environment)
{
    const int error = point("fork", path);
    return error ? error : REAL(posix_spawnp)(pid, path, actions, attributes, argv, environment);
}

/* A process that is killed here has a child that nobody awaits. */
static pid_t awaited(pid_t pid)
{
    if (pid > 0) {
        point("wait", "");
    }
    return pid;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return awaited(REAL(waitpid)(pid, status, options));
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    return awaited(REAL(wait4)(pid, status, options, usage));
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
    return awaited(REAL(wait3)(status, options, usage));
}
