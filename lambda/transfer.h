/* SPDX-License-Identifier: BSD-2-Clause */
/* Single requests over HTTP, which xc-requests makes for this program. Several may be under way at the same time. If
 * that process ends, the requests that it had end without an answer, and this program gets a process of its own. */
#ifndef XC_LAMBDA_TRANSFER_H
#define XC_LAMBDA_TRANSFER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* message.h says what the members mean. */
struct transfer_request {
    const char *method, *url, *signature, *user, *password, *authorities;
    json_t *headers;
    int file; /* -1: none. It stays the caller's; its offset is changed. */
    uint64_t size;
};

struct transfer_reply {
    const char *error; /* in words; NULL: there is an answer */
    bool fatal;
    long status;
    const char *head, *text; /* the headers, as they came; the body, if it is not in the file; "": there is none */
};

struct transfer;

/* The text of an answer has at most so many bytes: Lambda's limit for the answer of a function. */
enum { TRANSFER_MAX_TEXT = 6 * 1024 * 1024 };

/* Begins a request. The caller frees it. */
struct transfer *transfer_begin(const struct transfer_request *request);
/* Waits until a request ends, for at most so many milliseconds; -1: for as long as it takes. */
void transfer_wait(int milliseconds);
/* NULL: it has not ended. What is returned stays until transfer_free. */
const struct transfer_reply *transfer_reply(const struct transfer *transfer);
/* Frees a request, and no longer waits for its end. */
void transfer_free(struct transfer *transfer);

#endif
