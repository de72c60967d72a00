/* SPDX-License-Identifier: BSD-2-Clause */
/* The requests of xc-requests, by libcurl: all in one thread, over connections that are kept, with certificates that
 * are loaded once. */
#ifndef XC_LAMBDA_REQUESTS_REQUEST_H
#define XC_LAMBDA_REQUESTS_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

/* To be called before all others. Returns whether there are requests now. */
bool request_start(void);
/* A descriptor that can be read when request_go_on has something to do. */
int request_descriptor(void);
/* In how many milliseconds it has to be called in any case; -1: it need not be. */
int request_timeout(void);
void request_go_on(void);

struct request;

/* Begins a request. owner: a number that the caller chooses. said: a wrapper's message, which is kept; file: what has
 * come with it, or -1. Takes the file over. Returns false if the message is none of a request. */
bool request_begin(json_t *said, int file, int owner);
/* A request that has ended, and whose end has not been taken yet; NULL: there is none. */
struct request *request_ended(void);
int request_owner(const struct request *request);
/* The message about its end, and the file for that, which the caller closes, or -1. The request is freed. NULL: no
 * memory. */
json_t *request_take_end(struct request *request, int *file);
/* Drops the owner's request with this id; all of them, if id is NULL. */
void request_drop(int owner, json_t *id);

#endif
