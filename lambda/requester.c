/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for close_range and flock */

#include "requester.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fail.h"
#include "message.h"
#include "task.h"

#define DIRECTORY ".xc-lambda/requests"
#define PROGRAM "xc-requests"

/* ---- Starting it ---- */

/* The program is beside this one. */
static const char *find_program(void)
{
    static char path[1024];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof PROGRAM);
    char *name = path + (length > 0 ? length : 0);
    while (name > path && name[-1] != '/') {
        name--;
    }
    memcpy(name, PROGRAM, sizeof PROGRAM);
    if (access(path, X_OK)) {
        fail_about(path, "%s", strerror(errno));
    }
    return path;
}

/* Starts it with a socket as its standard input: one that listens, and is called run in the directory; or else, with
 * NULL and -1, one that is connected. A common process gets no other file of ours, so that nobody waits for it to close
 * one, and is in a session of its own, so that a terminal's signals reach it only by the end of its wrappers. */
static bool start(int socket, const char *run, int directory)
{
    const char *program = find_program();
    const pid_t process = fork();
    if (process) {
        return process > 0;
    }
    const int nowhere = open("/dev/null", O_RDWR);
    dup2(socket, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    if (run) {
        setsid();
        dup2(nowhere, STDERR_FILENO);
    }
    if (!run || !fchdir(directory)) {
        close_range(STDERR_FILENO + 1, ~0U, 0);
        execl(program, PROGRAM, run, (char *)NULL);
    }
    _exit(1);
}

static int start_own(void)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) || !start(sockets[1], NULL, -1)) {
        fail_about(PROGRAM, "%s", strerror(errno));
    }
    close(sockets[1]);
    return sockets[0];
}

/* ---- The common one ---- */

/* The directory of the sockets, which only this user may enter. -1: there can be none. */
static int open_directory(void)
{
    struct stat status;
    mkdir(".xc-lambda", 0777);
    mkdir(DIRECTORY, 0700);
    const int directory = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory >= 0 && (fstat(directory, &status) || status.st_uid != geteuid() || status.st_mode & 077)) {
        close(directory);
        return -1;
    }
    return directory;
}

static struct sockaddr_un address_of(const char *run)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, DIRECTORY "/%.64s", run);
    return address;
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* -1: nobody listens there, or somebody else does. */
static int connect_to(const struct sockaddr_un *address)
{
    const int connected = new_socket();
    if (connected >= 0 &&
        (connect(connected, (const struct sockaddr *)address, sizeof *address) || !message_is_ours(connected))) {
        close(connected);
        return -1;
    }
    return connected;
}

/* Has the process listen. A socket that is there already was left by one that has been killed. */
static bool start_common(const struct sockaddr_un *address, const char *run, int directory)
{
    const int listening = new_socket();
    unlink(address->sun_path);
    const bool started = listening >= 0 && !bind(listening, (const struct sockaddr *)address, sizeof *address) &&
                         !listen(listening, SOMAXCONN) && start(listening, run, directory);
    if (listening >= 0) {
        close(listening);
    }
    return started;
}

/* Of the wrappers that find no process, one at a time starts it, and so only the first one does. */
static int connect_common(const char *run)
{
    const struct sockaddr_un address = address_of(run);
    const int directory = open_directory();
    if (directory < 0) {
        return -1;
    }
    int connected = connect_to(&address);
    if (connected < 0 && !flock(directory, LOCK_EX)) {
        connected = connect_to(&address);
        if (connected < 0 && start_common(&address, run, directory)) {
            connected = connect_to(&address);
        }
        flock(directory, LOCK_UN);
    }
    close(directory);
    return connected;
}

int requester_connect(bool *alone)
{
    const char *run = getenv("XC_LAMBDA_RUN");
    const int common = !*alone && run && task_name_is_plain(run) ? connect_common(run) : -1;
    *alone = common < 0;
    return *alone ? start_own() : common;
}
