/* Requests to S3 and Lambda, signed by libcurl, with what AWS's own tools take from the environment: AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or else AWS_PROFILE in AWS_SHARED_CREDENTIALS_FILE; AWS_REGION or
 * AWS_DEFAULT_REGION; AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_LAMBDA.
 *
 * What can be expected to work later (throttling, 5xx, timeouts, dropped connections) is tried again. Every other
 * failure ends the program with one line. */
#ifndef XC_LAMBDA_AWS_H
#define XC_LAMBDA_AWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sha256.h"

/* Reads the environment; the first thing to call. */
void aws_start(void);

/* Objects of a bucket. */
bool aws_object_exists(const char *bucket, const char *key);
/* digest is the SHA-256 of the file, and the server refuses any other bytes. */
void aws_object_put_file(const char *bucket, const char *key, const char *path, const char *digest, uint64_t size);
/* Tries a few times only. false: it could not be done. */
bool aws_object_put_text(const char *bucket, const char *key, const char *text);
/* The caller frees the text; NULL: there is no such object. */
char *aws_object_get_text(const char *bucket, const char *key);
/* Writes the object to a new file; false: there is no such object. what: the name that messages call it by. */
bool aws_object_get_file(const char *bucket, const char *key, const char *path, const char *what);

/* How often something is tried: XC_LAMBDA_ATTEMPTS, or 12 times. */
unsigned aws_attempts(void);
/* Waits before attempt number + 2: a random time up to 0.2 s * 2^number, at most 20 s. */
void aws_wait(unsigned number);

enum aws_call_result {
    AWS_CALL_ANSWERED,
    AWS_CALL_THROTTLED, /* too many at once; there is nothing wrong with this one */
    AWS_CALL_BROKEN,    /* what happened need not happen again */
};

/* Calls a function once and waits. text: its answer, or what was wrong; the caller frees it. */
enum aws_call_result aws_function_call(const char *function, const char *event, char **text);

#endif
