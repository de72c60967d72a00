/* Requests to S3 and Lambda, signed by libcurl. Credentials and region come from where AWS's own tools take them
 * (credentials.h). AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_LAMBDA replace AWS's addresses.
 *
 * A request that may succeed later (throttling, 5xx, timeouts, dropped connections) is repeated. Every other failure
 * ends the program with one line. */
#ifndef XC_LAMBDA_AWS_H
#define XC_LAMBDA_AWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sha256.h"

/* Reads the environment. To be called before all others. */
void aws_start(void);

/* ---- Objects in a bucket ---- */

bool aws_object_exists(const char *bucket, const char *key);
/* digest: the SHA-256 of the file. The server refuses bytes that have another one. */
void aws_object_put_file(const char *bucket, const char *key, const char *path, const char *digest, uint64_t size);
/* Returns false if it fails four times; it does not end the program. */
bool aws_object_put_text(const char *bucket, const char *key, const char *text);
/* The caller frees the text. NULL: there is no such object. */
char *aws_object_get_text(const char *bucket, const char *key);
/* Writes the object to a file, which is empty and open for writing. Returns false if there is no such object. what: the
 * file's name in messages. */
bool aws_object_get_file(const char *bucket, const char *key, FILE *file, const char *what);

/* ---- Attempts ---- */

/* How many times a request is made before it counts as failed: XC_LAMBDA_ATTEMPTS, or 12. */
unsigned aws_attempts(void);
/* Waits for a random time from 0 to 0.2 s * 2^number, at most 20 s. */
void aws_wait(unsigned number);

/* ---- Functions ---- */

enum aws_call_result {
    AWS_CALL_ANSWERED,
    AWS_CALL_THROTTLED, /* there are too many calls at the same time */
    AWS_CALL_BROKEN,    /* the call failed, and another one may succeed */
};

/* Calls a function once and waits for its answer. *text: the answer, or the error; the caller frees it. */
enum aws_call_result aws_function_call(const char *function, const char *event, char **text);

#endif
