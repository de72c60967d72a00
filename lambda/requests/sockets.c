/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockets.h"

#include <stdint.h>
#include <sys/epoll.h>

#include "../clock.h"

enum { AT_ONCE = 64 /* events */ };

static CURLM *multi;
static int descriptor;
static int64_t deadline = -1; /* in milliseconds; -1: none */

static int64_t now(void)
{
    return (int64_t)(clock_now() * 1000);
}

/* Called by libcurl: from now on, it wants to know this of the socket. */
static int on_socket(CURL *curl, curl_socket_t socket, int what, void *context, void *of_socket)
{
    struct epoll_event event = { .data.fd = socket };
    (void)curl;
    (void)context;
    (void)of_socket;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event) && epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event)) {
        return -1;
    }
    return 0;
}

/* Called by libcurl: it wants to be called in so many milliseconds. */
static int on_timer(CURLM *which, long milliseconds, void *context)
{
    (void)which;
    (void)context;
    deadline = milliseconds < 0 ? -1 : now() + milliseconds;
    return 0;
}

bool sockets_start(CURLM *which)
{
    multi = which;
    descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor >= 0 && !curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) &&
           !curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
}

int sockets_descriptor(void)
{
    return descriptor;
}

int sockets_timeout(void)
{
    const int64_t left = deadline - now();
    return deadline < 0 ? -1 : left > INT32_MAX ? INT32_MAX : left > 0 ? (int)left : 0;
}

static int happened(const struct epoll_event *event)
{
    return (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) | (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
           (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

void sockets_go_on(void)
{
    struct epoll_event events[AT_ONCE];
    int running;
    const int count = epoll_wait(descriptor, events, AT_ONCE, 0);
    for (int i = 0; i < count; i++) {
        curl_multi_socket_action(multi, events[i].data.fd, happened(&events[i]), &running);
    }
    if (deadline >= 0 && now() >= deadline) {
        deadline = -1;
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}
