/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for memfd_create and struct ucred */

#include "message.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for one descriptor beside a message. */
union beside {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static bool send_text(int socket, char *text, size_t size, int file)
{
    union beside beside = { 0 };
    struct iovec bytes = { .iov_base = text, .iov_len = size };
    struct msghdr head = { .msg_iov = &bytes, .msg_iovlen = 1 };
    if (file >= 0) {
        head.msg_control = beside.room;
        head.msg_controllen = sizeof beside.room;
        *CMSG_FIRSTHDR(&head) =
            (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof file), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&head)), &file, sizeof file);
    }
    ssize_t sent;
    while ((sent = sendmsg(socket, &head, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
    }
    return sent == (ssize_t)size;
}

bool message_send(int socket, json_t *message, int file)
{
    char *text = json_dumps(message, JSON_COMPACT);
    const size_t size = text ? strlen(text) : 0;
    errno = text ? EMSGSIZE : ENOMEM;
    const bool sent = text && size <= MESSAGE_SIZE && send_text(socket, text, size, file);
    const int error = errno;
    free(text);
    errno = error;
    return sent;
}

json_t *message_receive(int socket, int *file)
{
    static char text[MESSAGE_SIZE];
    union beside beside;
    struct iovec bytes = { .iov_base = text, .iov_len = sizeof text };
    struct msghdr head = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof beside.room
    };
    ssize_t size;
    *file = -1;
    while ((size = recvmsg(socket, &head, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    const struct cmsghdr *found = size >= 0 ? CMSG_FIRSTHDR(&head) : NULL;
    if (found && found->cmsg_type == SCM_RIGHTS) {
        memcpy(file, CMSG_DATA(found), sizeof *file);
    }
    json_t *message = size > 0 && !(head.msg_flags & MSG_TRUNC) ? json_loadb(text, (size_t)size, 0, NULL) : NULL;
    if (!message && *file >= 0) {
        close(*file);
        *file = -1;
    }
    return message;
}

bool message_is_ours(int socket)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return !getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == geteuid();
}

/* ---- Files ---- */

bool message_write(int file, const char *text, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t wrote = write(file, text + done, size - done);
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

int message_file(const char *text, size_t size)
{
    const int file = memfd_create("text", MFD_CLOEXEC);
    if (file >= 0 && !message_write(file, text, size)) {
        const int error = errno;
        close(file);
        errno = error;
        return -1;
    }
    return file;
}

/* Reads the whole file from its beginning, whose size is known. */
static char *read_all(int file, size_t size)
{
    char *text = malloc(size + 1);
    for (size_t done = 0; text && done < size;) {
        const ssize_t got = pread(file, text + done, size - done, (off_t)done);
        if (!got || (got < 0 && errno != EINTR)) {
            free(text);
            return NULL;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    if (text) {
        text[size] = '\0';
    }
    return text;
}

char *message_text(int file, size_t most, size_t *size)
{
    struct stat status;
    char *text = NULL;
    if (!fstat(file, &status) && status.st_size >= 0 && (uintmax_t)status.st_size <= most) {
        *size = (size_t)status.st_size;
        text = read_all(file, *size);
    }
    close(file);
    return text;
}
