/* SPDX-License-Identifier: BSD-2-Clause */
/* Temporary files, the signals that remove them, and the renaming at the end. */
#define _XOPEN_SOURCE 700 /* for realpath */

#include "atomic-file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The temporary files that exist, and what they will become. Atomic, since a signal handler reads it. */
static struct {
    char *_Atomic temporary;
    const char *target;
} slots[XC_TOOL_ATOMIC_MAX_FILES];

void xc_tool_atomic_discard(void)
{
    for (int i = 0; i < XC_TOOL_ATOMIC_MAX_FILES; i++) {
        char *path = slots[i].temporary;
        if (path) {
            unlink(path);
        }
    }
}

/* ---- Signals ---- */

/* The ones that end the program, and the one of writing to a pipe that nobody reads. */
static const int fatal_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
enum { FATAL_SIGNALS = sizeof fatal_signals / sizeof fatal_signals[0] };

static void block_signals(sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < FATAL_SIGNALS; i++) {
        sigaddset(&set, fatal_signals[i]);
    }
    pthread_sigmask(SIG_BLOCK, &set, before);
}

static void restore_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* SA_RESETHAND has restored the default action, so raising the signal again ends the program as it would have ended. */
static void on_fatal_signal(int signal_number)
{
    xc_tool_atomic_discard();
    raise(signal_number);
}

void xc_tool_atomic_catch_signals(void)
{
    static bool installed;
    if (installed) {
        return;
    }
    installed = true;
    atexit(xc_tool_atomic_discard);
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < FATAL_SIGNALS; i++) {
        struct sigaction action;
        sigaction(fatal_signals[i], NULL, &action);
        if (action.sa_handler == SIG_IGN) {
            continue;
        }
        action = (struct sigaction){ .sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND };
        sigaction(fatal_signals[i], &action, NULL);
    }
}

/* ---- Names ---- */

/* realpath for a file that does not exist yet, so that two spellings of one name are recognized as the same. If the
 * directory's own path cannot be found out, the name is returned as it is. NULL: no memory. */
static char *path_of_new_file(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    char *directory = slash ? strndup(name, (size_t)(base - name)) : strdup(".");
    char *real = directory ? realpath(directory, NULL) : NULL;
    char *path = real ? malloc(strlen(real) + strlen(base) + 2) : NULL;
    if (path) {
        sprintf(path, "%s/%s", real, base);
    }
    free(real);
    free(directory);
    return path ? path : strdup(name);
}

/* Fills in the structure's names; existing: whether there is a file of this name. */
static bool choose_names(struct xc_tool_atomic_file *file, const char *name, bool existing)
{
    static const char suffix[] = ".tmpXXXXXX";
    file->target = existing ? realpath(name, NULL) : path_of_new_file(name);
    file->temporary = file->target ? malloc(strlen(file->target) + sizeof suffix) : NULL;
    if (!file->temporary) {
        return false;
    }
    strcat(strcpy(file->temporary, file->target), suffix);
    return true;
}

static void forget(struct xc_tool_atomic_file *file)
{
    for (int i = 0; i < XC_TOOL_ATOMIC_MAX_FILES; i++) {
        if (file->temporary && slots[i].temporary == file->temporary) {
            slots[i].temporary = NULL;
        }
    }
    free(file->temporary);
    free(file->target);
    *file = (struct xc_tool_atomic_file){ 0 };
}

/* ---- Opening ---- */

/* A free slot for a file that becomes target; -1 with errno: there is none. */
static int reserve_slot(const char *target)
{
    int slot = -1;
    for (int i = 0; i < XC_TOOL_ATOMIC_MAX_FILES; i++) {
        if (!slots[i].temporary) {
            slot = i;
        } else if (!strcmp(slots[i].target, target)) {
            errno = EBUSY;
            return -1;
        }
    }
    if (slot < 0) {
        errno = EMFILE;
    }
    return slot;
}

static mode_t default_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* Makes the file and notes its name, with no signal in between; returns the descriptor, or -1 with errno. */
static int make_temporary(const struct xc_tool_atomic_file *file, mode_t mode)
{
    const int slot = reserve_slot(file->target);
    if (slot < 0) {
        return -1;
    }
    sigset_t before;
    block_signals(&before);
    const int descriptor = mkstemp(file->temporary);
    if (descriptor >= 0) {
        slots[slot].target = file->target;
        slots[slot].temporary = file->temporary;
    }
    restore_signals(&before);
    if (descriptor >= 0 && fchmod(descriptor, mode)) {
        const int error = errno;
        unlink(file->temporary);
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

int xc_tool_atomic_open(struct xc_tool_atomic_file *file, const char *name)
{
    struct stat status;
    *file = (struct xc_tool_atomic_file){ 0 };
    xc_tool_atomic_catch_signals();
    const bool existing = stat(name, &status) == 0;
    if (existing && access(name, W_OK)) {
        return -1;
    }
    int descriptor = -1;
    if (choose_names(file, name, existing)) {
        descriptor = make_temporary(file, existing ? status.st_mode & 0777 : default_mode());
    }
    if (descriptor < 0) {
        const int error = errno;
        forget(file);
        errno = error;
    }
    return descriptor;
}

/* ---- Committing ---- */

int xc_tool_atomic_commit(struct xc_tool_atomic_file *const *files, int count)
{
    int done = 0;
    sigset_t before;
    block_signals(&before);
    for (; done < count; done++) {
        struct xc_tool_atomic_file *file = files[done];
        if (file->temporary) {
            if (rename(file->temporary, file->target)) {
                break;
            }
            forget(file);
        }
    }
    const int error = errno;
    restore_signals(&before);
    errno = error;
    return done;
}
