/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to S3 and Lambda, which xc-requests makes and signs (transfer.h). Credentials, region and addresses come
 * from where AWS's own tools take them (settings.h, credentials.h, endpoint.h).
 *
 * Requests for objects are repeated as cause.h says. A failure that remains ends the program with one line. */
#ifndef XC_LAMBDA_AWS_H
#define XC_LAMBDA_AWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cause.h"
#include "sha256.h"

/* Reads the settings. To be called before all others. */
void aws_settings(void);
/* Requests go to this region from now on. NULL: to that of the settings. To be called before all of the following. */
void aws_use_region(const char *name);
/* Finds the credentials, which all requests need. */
void aws_start(void);

/* The URL of "s3" or "lambda". */
const char *aws_endpoint(const char *service);

/* ---- Objects in a bucket ---- */

bool aws_bucket_exists(const char *bucket);
bool aws_object_exists(const char *bucket, const char *key);
/* Whether it exists and notes its digest, as a file that a worker has published does (worker/meeting.h). */
bool aws_object_is_published(const char *bucket, const char *key);
/* How many seconds ago the object was made, by the server's clock; -1 if there is none, or if the request, which is not
 * repeated, fails. */
double aws_object_age(const char *bucket, const char *key);
/* Makes an object of a file that is open for reading. digest: the SHA-256 of its bytes; the server refuses others.
 * what: the file's name in messages. The object gets the tag excamera=raw, by which the bucket's rules tell what the
 * workstation has sent from what the functions have made. */
void aws_object_put_file(const char *bucket, const char *key, FILE *file, const char *what, const char *digest,
                         uint64_t size);
/* Returns false if it fails four times; it does not end the program. */
bool aws_object_put_text(const char *bucket, const char *key, const char *text);
/* The caller frees the text. NULL: there is no such object. */
char *aws_object_get_text(const char *bucket, const char *key);
/* Writes the object to a file, which is empty and open for writing. Returns false if there is no such object. what: the
 * file's name in messages. */
bool aws_object_get_file(const char *bucket, const char *key, FILE *file, const char *what);

/* ---- Functions ---- */

struct aws_answer {
    char *text;             /* what the function has answered; the caller frees it */
    struct failure failure; /* if the call failed */
    char url[256];          /* that was called */
    double billed;          /* seconds; 0 if AWS does not tell */
};

/* The digest of a function's package, as Lambda writes it; the caller frees it. NULL: there is no such function. */
char *aws_function_code(const char *function);

/* A call of a function that is under way, or has ended. Others may be under way at the same time. */
struct aws_call;

/* Calls a function once. function: its name, ARN or either with an alias. */
struct aws_call *aws_call_begin(const char *function, const char *event);
/* Goes on with the calls, and waits for something to happen to them, for at most so many milliseconds. Returns a call
 * that has ended; NULL if none has yet. */
struct aws_call *aws_call_wait(int milliseconds);
/* Frees a call that has ended. Returns whether the function has answered; what that says is the caller's to judge. */
bool aws_call_end(struct aws_call *call, struct aws_answer *answer);
/* Frees a call, and no longer waits for the answer. The function goes on. */
void aws_call_drop(struct aws_call *call);

/* For a call that failed because credentials have expired. Returns whether there are others now. */
bool aws_renew_credentials(void);

#endif
