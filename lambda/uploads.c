/* SPDX-License-Identifier: BSD-2-Clause */
#include "uploads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

static const char path[] = ".xc-lambda/uploads";

enum {
    AT_ONCE = 16,
    GLANCE_MS = 20, /* how often the wrapper that is next looks for a place */
    DIGITS = 12,    /* of a digest, which choose its byte. If two have the same, one waits in vain, and then goes on */
};

/* The bytes: one for each chunk, for those that wait; one for each transfer; one for each of the data. */
static const off_t chunks = 0, transfers = (off_t)1 << 32, data = (off_t)1 << 40;

static int file = -1;

/* Sets a lock, or removes it. Returns false if it is not to wait, and others hold one. On a file system without locks,
 * nobody waits. */
static bool set_lock(short type, off_t first, off_t count, bool waits)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = count };
    while (fcntl(file, waits ? F_SETLKW : F_SETLK, &lock)) {
        if (errno != EINTR) {
            return errno != EAGAIN && errno != EACCES;
        }
    }
    return true;
}

static bool take_transfer(void)
{
    for (off_t i = 0; i < AT_ONCE; i++) {
        if (set_lock(F_WRLCK, transfers + i, 1, false)) {
            return true;
        }
    }
    return false;
}

/* Waits until no chunk before this one waits for its turn. Later one may come that does. */
static void wait_for_chunks_before(off_t chunk)
{
    if (chunk) { /* no bytes would mean all */
        set_lock(F_RDLCK, chunks, chunk, true);
        set_lock(F_UNLCK, chunks, chunk, false);
    }
}

void uploads_take_data(const char *digest)
{
    char number[DIGITS + 1];
    if (file < 0) {
        mkdir(".xc-lambda", 0777);
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0) {
            fail_about(path, "%s", strerror(errno));
        }
    }
    snprintf(number, sizeof number, "%s", digest);
    set_lock(F_WRLCK, data + (off_t)strtoull(number, NULL, 16), 1, true);
}

void uploads_take_turn(const char *output)
{
    enum { CHUNK_DIGITS = 8 };
    char number[CHUNK_DIGITS + 1];
    snprintf(number, sizeof number, "%s", output);
    const off_t chunk = (off_t)strtoul(number, NULL, 10);
    set_lock(F_WRLCK, chunks + chunk, 1, true); /* others see that it waits */
    for (;;) {
        wait_for_chunks_before(chunk);
        if (take_transfer()) {
            break;
        }
        nanosleep(&(struct timespec){ .tv_nsec = GLANCE_MS * 1000000L }, NULL);
    }
    set_lock(F_UNLCK, chunks + chunk, 1, false);
}

void uploads_end(void)
{
    set_lock(F_UNLCK, 0, 0, false);
}
