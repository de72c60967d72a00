/* Outputs that appear whole or not at all: written to a temporary file beside the target and renamed at the end. The
 * temporary goes away on any failure, and on the signals by which users and make stop a program. */
#define _XOPEN_SOURCE 700 /* for realpath */

#include "tool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_OUTPUTS = 8, BUFFER_SIZE = 256 * 1024 };

/* Temporary files that exist, and the names they are for. Atomic, since a signal handler reads them. */
static struct {
    char *_Atomic path;
    const char *target;
} temporaries[MAX_OUTPUTS];

void xc_tool_output_discard(void)
{
    for (int i = 0; i < MAX_OUTPUTS; i++) {
        char *path = temporaries[i].path;
        if (path) {
            unlink(path);
        }
    }
}

/* Signals that end the program, and the one of writing to a pipe that nobody reads. */
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

/* SA_RESETHAND has put the default back, so the signal, raised again, ends the program as it would have. */
static void on_fatal_signal(int signal_number)
{
    xc_tool_output_discard();
    raise(signal_number);
}

static void install_signal_handlers(void)
{
    static bool installed;
    if (installed) {
        return;
    }
    installed = true;
    signal(SIGXFSZ, SIG_IGN); /* a file size limit then is a write error like others */
    for (int i = 0; i < FATAL_SIGNALS; i++) {
        struct sigaction action;
        sigaction(fatal_signals[i], NULL, &action);
        if (action.sa_handler == SIG_IGN) { /* nohup */
            continue;
        }
        action = (struct sigaction){ .sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND };
        sigaction(fatal_signals[i], &action, NULL);
    }
}

/* The place where a temporary file for this target is to be noted. */
static int reserve_place(const char *target)
{
    int place = MAX_OUTPUTS;
    for (int i = 0; i < MAX_OUTPUTS; i++) {
        if (!temporaries[i].path) {
            place = i;
        } else if (!strcmp(temporaries[i].target, target)) {
            xc_tool_fail(target, "named for two outputs");
        }
    }
    if (place == MAX_OUTPUTS) {
        xc_tool_fail(target, "too many outputs at once");
    }
    temporaries[place].target = target;
    return place;
}

static void give_name(struct xc_tool_output *output)
{
    if (rename(output->temporary, output->target)) {
        xc_tool_fail(output->name, "%s", strerror(errno));
    }
    for (int i = 0; i < MAX_OUTPUTS; i++) {
        if (temporaries[i].path == output->temporary) {
            temporaries[i].path = NULL;
        }
    }
    free(output->temporary);
    free(output->target);
}

/* As realpath, for a file that is yet to be made: two spellings of a name become one, which reserve_place sees. Where
 * the directory's own path may not be known, the name must do. */
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

static mode_t default_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* Opens a new file beside the target. A target that exists keeps its mode; a symbolic link remains one. */
static void open_temporary(struct xc_tool_output *output, const struct stat *existing)
{
    static const char suffix[] = ".tmpXXXXXX";
    if (existing && access(output->name, W_OK)) {
        xc_tool_fail(output->name, "%s", strerror(errno));
    }
    output->target = existing ? realpath(output->name, NULL) : path_of_new_file(output->name);
    output->temporary = output->target ? malloc(strlen(output->target) + sizeof suffix) : NULL;
    if (!output->temporary) {
        xc_tool_fail(output->name, "%s", strerror(errno));
    }
    strcat(strcpy(output->temporary, output->target), suffix);

    int place = reserve_place(output->target);
    sigset_t before;
    block_signals(&before);
    int descriptor = mkstemp(output->temporary);
    if (descriptor >= 0) {
        temporaries[place].path = output->temporary;
    }
    restore_signals(&before);

    if (descriptor < 0 || fchmod(descriptor, existing ? existing->st_mode & 0777 : default_mode())) {
        xc_tool_fail(output->name, "%s", strerror(errno));
    }
    output->stream = fdopen(descriptor, "wb");
}

static FILE *take_stdout(void)
{
    static bool taken;
    if (taken) {
        xc_tool_fail("-", "named for two outputs");
    }
    taken = true;
    return stdout;
}

void xc_tool_output_open(struct xc_tool_output *output, const char *name)
{
    *output = (struct xc_tool_output){ .name = name };
    install_signal_handlers();
    struct stat existing;
    bool exists = stat(name, &existing) == 0;
    if (!strcmp(name, "-")) {
        output->stream = take_stdout();
    } else if (exists && !S_ISREG(existing.st_mode)) { /* a device or a FIFO */
        output->stream = fopen(name, "wb");
    } else {
        open_temporary(output, exists ? &existing : NULL);
    }

    output->buffer = malloc(BUFFER_SIZE);
    if (!output->stream || !output->buffer || setvbuf(output->stream, output->buffer, _IOFBF, BUFFER_SIZE)) {
        xc_tool_fail(name, "%s", strerror(errno));
    }
}

static void finish_writing(struct xc_tool_output *output)
{
    bool failed = ferror(output->stream);
    errno = EIO; /* in case an earlier failure has left none */
    if (fclose(output->stream) || failed) {
        xc_tool_fail(output->name, "%s", strerror(errno));
    }
    output->stream = NULL;
    free(output->buffer);
}

void xc_tool_output_commit(struct xc_tool_output *outputs, int count)
{
    for (int i = 0; i < count; i++) {
        finish_writing(&outputs[i]);
    }

    sigset_t before;
    block_signals(&before);
    for (int i = 0; i < count; i++) {
        if (outputs[i].temporary) {
            give_name(&outputs[i]);
        }
    }
    restore_signals(&before);
}
