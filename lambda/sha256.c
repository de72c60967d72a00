/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 by Nettle. It uses the machine's instructions for SHA-256, which matters for chunks of raw video, and it can
 * be linked statically. */
#include "sha256.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 * 1024 };

bool sha256_is_text(const char *text)
{
    return strlen(text) == SHA256_TEXT - 1 && strspn(text, "0123456789abcdef") == SHA256_TEXT - 1;
}

void sha256_finish(struct sha256_ctx *context, char text[static SHA256_TEXT])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
}

void sha256_of_bytes(const void *data, size_t size, char text[static SHA256_TEXT])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, size, data);
    sha256_finish(&context, text);
}

bool sha256_of_stream(FILE *file, char text[static SHA256_TEXT], uint64_t *size)
{
    struct sha256_ctx context;
    uint8_t *block = malloc(BLOCK);
    size_t count;
    if (!block) {
        return false;
    }
    sha256_init(&context);
    *size = 0;
    while ((count = fread(block, 1, BLOCK, file))) {
        sha256_update(&context, count, block);
        *size += count;
    }
    sha256_finish(&context, text);
    const int error = errno;
    free(block);
    errno = error;
    return !ferror(file);
}

bool sha256_of_file(const char *path, char text[static SHA256_TEXT], uint64_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return false;
    }
    const bool done = sha256_of_stream(file, text, size);
    const int error = errno;
    fclose(file);
    errno = error;
    return done;
}
