/* Requests to S3 and Lambda, signed by libcurl, with what AWS's own tools take from the environment: AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or else AWS_PROFILE in AWS_SHARED_CREDENTIALS_FILE; AWS_REGION or
 * AWS_DEFAULT_REGION; AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_LAMBDA.
 *
 * What can be expected to work later (throttling, 5xx, timeouts, dropped connections) is tried again. Every other failure
 * ends the program with one line. */
#ifndef XC_LAMBDA_AWS_H
#define XC_LAMBDA_AWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sha256.h"

/* Prints "program: WHAT: ..." on standard error and ends the program with status 1. */
_Noreturn void aws_fail(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads the environment; the first thing to call. */
void aws_start(void);

/* Objects of a bucket. */
bool aws_object_exists(const char *bucket, const char *key);
/* digest is the SHA-256 of the file, and the server refuses any other bytes. */
void aws_object_put_file(const char *bucket, const char *key, const char *path, const char *digest, uint64_t size);
/* The caller frees the text; NULL: there is no such object. */
char *aws_object_get_text(const char *bucket, const char *key);
/* Writes the object to a new file; false: there is no such object. */
bool aws_object_get_file(const char *bucket, const char *key, const char *path);

/* What waits between attempts: random, up to base * 2^attempt, at most 20 seconds; false: it was the last attempt. */
bool aws_wait_before_retry(unsigned attempt);

/* Calls a function and waits for its answer, which the caller frees. NULL: something went wrong that may not go wrong
 * again, and why (static) says what. */
char *aws_function_call(const char *function, const char *event, const char **why);

#endif
