/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings files from the bucket to the working directory, and back. What cannot be brought ends the work. */
#ifndef XC_WORKER_FILES_H
#define XC_WORKER_FILES_H

#include <stdbool.h>

#include "answer.h"
#include "bucket.h"

enum files_result { FILES_DONE, FILES_ABSENT, FILES_FAILED };

/* Downloads the object with this key to the file `name`, and checks its bytes: they have this digest, or, if it is
 * NULL, the one that the object notes; an object without one counts as absent. FILES_ABSENT does not end the work. */
enum files_result files_fetch(const struct bucket *bucket, struct answer *answer, const char *name, const char *key,
                              const char *digest);

/* Uploads the file to data/DIGEST. */
bool files_store(const struct bucket *bucket, struct answer *answer, const char *name);
/* Uploads the file to this key, and notes its digest there. */
bool files_publish(const struct bucket *bucket, struct answer *answer, const char *name, const char *key);

/* Ends the work because of a request that has failed. what: what it was about. */
bool files_end(struct answer *answer, const char *what, const char *key, const struct bucket_reply *reply);

#endif
