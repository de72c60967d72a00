/* SPDX-License-Identifier: BSD-2-Clause */
/* xc-requests: makes the requests of wrappers, which send it messages (message.h).
 *
 *   xc-requests RUN    of all wrappers of this run: standard input is a socket that listens, and is called RUN in the
 *                      current directory; ends when there has been no wrapper for some seconds
 *   xc-requests        of one wrapper: standard input is connected to it; ends when the wrapper does
 *
 * One thread waits for all of them, and for all connections. What it has for a wrapper is gone as soon as that is. */
#define _GNU_SOURCE /* for accept4 */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../clock.h"
#include "../message.h"
#include "../value.h"
#include "request.h"

enum {
    IDLE_SECONDS = 5,
    AT_ONCE = 64,         /* events */
    FEW = 64,             /* descriptors that are for no wrapper */
    FOR_EACH = 4,         /* descriptors for each wrapper: its socket, a file, and two connections */
    MOST_FILES = 1 << 20, /* descriptors that are asked for */
};

static int loop;                     /* the descriptor of all that is waited for */
static const char *run;              /* NULL: there is one wrapper, which has been there from the beginning */
static size_t clients, most_clients; /* how many wrappers there are; how many there may be */
static double idle;                  /* since when there are none, as clock_now() says */

static bool watch(int descriptor)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = descriptor };
    return !epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}

/* ---- Wrappers, by their sockets ---- */

/* Takes the socket over. Whoever is turned away gets a process of its own. */
static void greet(int client)
{
    if (message_is_ours(client) && clients < most_clients && watch(client)) {
        clients++;
    } else {
        close(client);
    }
}

/* Returns false if nobody has come. */
static bool welcome(void)
{
    const int client = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0) {
        greet(client);
    }
    return client >= 0;
}

static void part(int client)
{
    request_drop(client, NULL);
    close(client);
    clients--;
    idle = clock_now();
}

/* Takes a message, or notices that the wrapper has gone. */
static void hear(int client)
{
    int file;
    json_t *said = message_receive(client, &file), *id = value_get(said, "id");
    if (id && !value_get(said, "method") && file < 0) {
        request_drop(client, id);
    } else if (!said || !request_begin(said, file, client)) {
        part(client);
    }
    json_decref(said);
}

static void answer(struct request *ended)
{
    int file;
    const int client = request_owner(ended);
    json_t *end = request_take_end(ended, &file);
    if (!end || !message_send(client, end, file)) {
        part(client);
    }
    json_decref(end);
    if (file >= 0) {
        close(file);
    }
}

/* ---- The process ---- */

/* Whether the process has to end. First it takes its name away, so that nobody new comes, and then sees whether
 * somebody has come before that. */
static bool is_over(void)
{
    static bool has_name = true;
    if (clients || (run && clock_now() - idle < IDLE_SECONDS)) {
        return false;
    }
    if (run && has_name) {
        unlink(run);
        has_name = false;
        while (welcome()) {
        }
    }
    return !clients;
}

/* Has room for as many wrappers as the system allows. */
static void set_limits(void)
{
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max < MOST_FILES ? files.rlim_max : MOST_FILES;
        setrlimit(RLIMIT_NOFILE, &files);
        most_clients = files.rlim_cur < FEW + FOR_EACH ? 1 : (files.rlim_cur - FEW) / FOR_EACH;
    }
    signal(SIGPIPE, SIG_IGN); /* a connection that breaks is an error of its request */
    signal(SIGXFSZ, SIG_IGN); /* a file that gets too large is an error, too */
}

static void go_round(void)
{
    struct epoll_event events[AT_ONCE];
    const int timeout = request_timeout();
    const int longest = clients ? -1 : IDLE_SECONDS * 1000;
    const int count = epoll_wait(loop, events, AT_ONCE, timeout < 0 ? longest : timeout);
    for (int i = 0; i < count; i++) {
        const int descriptor = events[i].data.fd;
        if (run && descriptor == STDIN_FILENO) {
            welcome();
        } else if (descriptor != request_descriptor()) {
            hear(descriptor);
        }
    }
    request_go_on();
    for (struct request *ended; (ended = request_ended());) {
        answer(ended);
    }
}

int main(int argc, char **argv)
{
    run = argc > 1 ? argv[1] : NULL;
    set_limits();
    loop = epoll_create1(EPOLL_CLOEXEC);
    if (loop < 0 || !request_start() || !watch(request_descriptor())) {
        return 1;
    }
    idle = clock_now();
    if (run) {
        if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) || !watch(STDIN_FILENO)) {
            return 1;
        }
    } else {
        greet(STDIN_FILENO);
    }
    while (!is_over()) {
        go_round();
    }
    return 0;
}
