/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP by the runtime's libcurl. A connection is kept and used again. Several exchanges may be under way at once; all
 * go on whenever somebody waits for one of them. */
#ifndef XC_WORKER_HTTP_H
#define XC_WORKER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../sha256.h"

enum {
    HTTP_FIELD = 300,
    HTTP_SMALL = 512 * 1024, /* bytes: what AWS's advice to give up after two seconds is meant for ("Best practices
                              * design patterns: optimizing Amazon S3 performance", timeouts and retries) */
    HTTP_SECONDS_LARGE = 20, /* of silence in the transfer of a larger body */
};

/* A field of the answer's head that the caller wants to know. */
struct http_field {
    const char *name;
    char value[HTTP_FIELD]; /* "": the answer does not have it */
};

struct http_keys {
    const char *id, *secret;
    const char *scope; /* as CURLOPT_AWS_SIGV4 has it: aws:amz:REGION:SERVICE */
};

struct curl_slist;

/* Everything that it points to belongs to the caller, and stays until http_end. */
struct http_request {
    const char *method; /* GET, PUT or POST */
    const char *url;
    struct curl_slist *headers;
    const struct http_keys *keys; /* they sign the request; NULL: no signature */
    const char *text;             /* the body; or NULL */
    FILE *upload;                 /* the body; or NULL */
    uint64_t size;                /* bytes of the body */
    FILE *download;            /* receives the body of an answer with status 200; NULL: that goes to the reply's text */
    size_t most;               /* bytes of the text that are kept; the rest is dropped */
    struct http_field *fields; /* filled in; the last one has no name. NULL: none */
    unsigned patience;         /* seconds of silence after which the connection counts as dead; a large body gets
                                * HTTP_SECONDS_LARGE, if that is more. 0: no limit */
    bool fresh;                /* opens another connection than those that there are */
};

enum http_error {
    HTTP_DONE,    /* there is an answer, whatever its status */
    HTTP_NETWORK, /* another attempt may succeed */
    HTTP_SILENCE, /* the same, after `patience` */
    HTTP_FILE,    /* a file of ours cannot be read or written */
    HTTP_FATAL,   /* another attempt would fail in the same way */
};

struct http_reply {
    enum http_error error;
    const char *words; /* about the error; a constant */
    long status;
    char *text;               /* with a null after it; NULL if there is none. http_free frees it */
    size_t size;              /* bytes of the body, kept or not */
    char digest[SHA256_TEXT]; /* of what was downloaded */
};

/* ca_bundle: a file with the certificates to trust; or NULL. Returns false if libcurl does not start. */
bool http_start(const char *ca_bundle);
/* The function is called again and again while somebody waits, and may begin exchanges. */
void http_while_waiting(void (*call)(void));

struct http_exchange;

/* Begins an exchange; NULL: no memory. */
struct http_exchange *http_begin(const struct http_request *request);
bool http_has_ended(const struct http_exchange *exchange);
/* Breaks the exchange off if it has not ended. Frees it. */
void http_end(struct http_exchange *exchange, struct http_reply *reply);

/* Begins an exchange and waits for its end. */
void http_perform(const struct http_request *request, struct http_reply *reply);
void http_free(struct http_reply *reply);

/* Waits until an exchange has got something, the descriptor (-1: none) can be read, or the time is over. */
void http_wait(int milliseconds, int descriptor);
/* Waits for that time. */
void http_pause(unsigned milliseconds);

#endif
