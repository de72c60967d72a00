/* SPDX-License-Identifier: BSD-2-Clause */
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool files_end(struct answer *answer, const char *what, const char *key, const struct bucket_reply *reply)
{
    char words[CAUSE_WORDS];
    const struct failure *failure = &reply->failure;
    if (reply->answered && reply->status == 403) {
        return answer_end(answer, ENDING_REFUSED, "%s: the function may not use %s: HTTP 403 %s: %s (request %s)", what,
                          key, failure->code, failure->message, failure->request);
    }
    const bool in_vain = cause_of(failure).remedy == REMEDY_NONE;
    return answer_end(answer, in_vain ? ENDING_REFUSED : ENDING_RETRY, "%s: the store, for %s: %s", what, key,
                      cause_words(failure, words));
}

static bool end_full(struct answer *answer, const char *name)
{
    return answer_end(answer, ENDING_REFUSED, "%s: cannot be written; the function needs more ephemeral storage", name);
}

static bool check_digest(struct answer *answer, const char *name, const char *key, const char *digest,
                         const char *expected)
{
    return !strcmp(digest, expected) ||
           answer_end(answer, ENDING_REFUSED, "%s: damaged in the store; remove %s there and make again", name, key);
}

enum files_result files_fetch(const struct bucket *bucket, struct answer *answer, const char *name, const char *key,
                              const char *digest)
{
    FILE *file = fopen(name, "wb");
    if (!file) {
        end_full(answer, name);
        return FILES_FAILED;
    }
    const struct bucket_reply reply = bucket_get(bucket, key, file);
    const bool written = !fclose(file) && !reply.file_failed;
    const char *expected = digest ? digest : reply.noted;
    if (!written) {
        end_full(answer, name);
    } else if (reply.answered && (reply.status == 404 || (reply.status == 200 && !*expected))) {
        return FILES_ABSENT;
    } else if (!reply.answered || reply.status != 200) {
        files_end(answer, name, key, &reply);
    } else if (check_digest(answer, name, key, reply.digest, expected)) {
        return FILES_DONE;
    }
    return FILES_FAILED;
}

/* key: NULL: the one for data with the file's digest. */
static bool put(const struct bucket *bucket, struct answer *answer, const char *name, const char *key)
{
    char digest[SHA256_TEXT], data[BUCKET_KEY];
    uint64_t size;
    FILE *file = fopen(name, "rb");
    if (!file || !sha256_of_stream(file, digest, &size)) {
        answer_end(answer, ENDING_REFUSED, "%s: the tool did not write it: %s", name, strerror(errno));
        if (file) {
            fclose(file);
        }
        return false;
    }
    snprintf(data, sizeof data, "data/%s", digest);
    const struct bucket_reply reply = bucket_put(bucket, key ? key : data, file, size, digest, key);
    fclose(file);
    if (!reply.answered || reply.status != 200) {
        return files_end(answer, name, key ? key : data, &reply);
    }
    answer_add_output(answer, name, digest, size);
    return true;
}

bool files_store(const struct bucket *bucket, struct answer *answer, const char *name)
{
    return put(bucket, answer, name, NULL);
}

bool files_publish(const struct bucket *bucket, struct answer *answer, const char *name, const char *key)
{
    return put(bucket, answer, name, key);
}
