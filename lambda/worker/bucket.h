/* SPDX-License-Identifier: BSD-2-Clause */
/* The function's requests to S3, with its own credentials. A request that may succeed later is repeated, as cause.h
 * says.
 *
 * The objects in the bucket:
 *   data/SHA256        the bytes with that digest
 *   task/KEY           the answer to the task with that key
 *   meet/KEY/NAME      the file NAME that the task publishes; its metadata has the digest (meeting.h)
 *   meet/KEY/.worker   the state of the task's last worker (life.h) */
#ifndef XC_WORKER_BUCKET_H
#define XC_WORKER_BUCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../cause.h"
#include "../sha256.h"
#include "http.h"

/* Takes region, address and credentials from the environment. Returns NULL, or what is wrong with them. */
const char *bucket_start(void);

enum { BUCKET_NAME = 63, BUCKET_KEY = 160 }; /* the longest name and key */

struct bucket {
    const char *name;
    const char *account; /* that has to own the bucket; "": any */
};

struct bucket_reply {
    bool answered;            /* with the status */
    bool file_failed;         /* our file cannot be read or written */
    long status;              /* HTTP */
    struct failure failure;   /* unless the status is 200 */
    char digest[SHA256_TEXT]; /* of the bytes that a GET has brought */
    char noted[SHA256_TEXT];  /* the digest that the object's metadata have; or "" */
};

/* Downloads an object to a file, which is empty and open for writing. */
struct bucket_reply bucket_get(const struct bucket *bucket, const char *key, FILE *file);
/* Reads an object that is a short text, of which at most size - 1 bytes are kept. */
struct bucket_reply bucket_get_text(const struct bucket *bucket, const char *key, char *text, size_t size);

/* Uploads a file. S3 refuses bytes that have another digest. note: writes the digest to the object's metadata, too. */
struct bucket_reply bucket_put(const struct bucket *bucket, const char *key, FILE *file, uint64_t size,
                               const char *digest, bool note);
struct bucket_reply bucket_put_text(const struct bucket *bucket, const char *key, const char *text);

/* The upload of a short text, once, while other things are done. The text and what the bucket has stay the caller's
 * until it has ended. */
struct bucket_upload;

struct bucket_upload *bucket_upload_begin(const struct bucket *bucket, const char *key, const char *text);
bool bucket_upload_has_ended(const struct bucket_upload *upload);
/* Frees it. Returns whether the object is there. */
bool bucket_upload_end(struct bucket_upload *upload);

#endif
