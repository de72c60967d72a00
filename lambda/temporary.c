/* Files that appear whole or not at all. */
#define _GNU_SOURCE /* for asprintf */

#include "temporary.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

static char *volatile temporary; /* NULL: there is none */

static void clean_up(void)
{
    if (temporary) {
        unlink(temporary);
    }
}

static void on_signal(int number)
{
    clean_up();
    raise(number); /* SA_RESETHAND: now it does what it does by default */
}

/* A signal that is ignored, as under nohup, goes on being ignored. */
static void clean_up_on(int number)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    struct sigaction before;
    if (!sigaction(number, NULL, &before) && before.sa_handler != SIG_IGN) {
        sigaction(number, &action, NULL);
    }
}

const char *temporary_for(const char *path)
{
    static bool prepared;
    char *name;
    if (asprintf(&name, "%s.tmp-%ld", path, (long)getpid()) < 0) {
        fail_about(path, "no memory");
    }
    temporary = name;
    if (!prepared) {
        prepared = true;
        atexit(clean_up);
        clean_up_on(SIGINT);
        clean_up_on(SIGTERM);
        clean_up_on(SIGHUP);
    }
    return name;
}

void temporary_becomes(const char *path)
{
    char *name = temporary;
    if (rename(name, path)) {
        fail_about(path, "%s", strerror(errno));
    }
    temporary = NULL;
    free(name);
}
