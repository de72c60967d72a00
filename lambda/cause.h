/* SPDX-License-Identifier: BSD-2-Clause */
/* What went wrong with a request or in the function, and what is to be done about it. The table in cause.c decides that
 * for every cause, for all callers. */
#ifndef XC_LAMBDA_CAUSE_H
#define XC_LAMBDA_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

enum failure_source {
    FAILURE_NETWORK,  /* there was no answer; message says why */
    FAILURE_SERVICE,  /* S3 or Lambda answered with an error */
    FAILURE_FUNCTION, /* the function was started and did not do the task; code is Lambda's errorType, or the member
                       * that the function's answer has: refused, retry, killed or later */
};

struct failure {
    enum failure_source source;
    bool fatal;        /* FAILURE_NETWORK: it cannot be the network */
    long status;       /* HTTP */
    char code[100];    /* AWS's name of the error, or "" */
    char message[500]; /* or "" */
    char request[100]; /* the request's id, which AWS's support asks for; or "" */
};

enum remedy {
    REMEDY_NONE,   /* the same request would fail in the same way */
    REMEDY_REPEAT, /* another attempt may succeed */
    REMEDY_TWICE,  /* one more attempt: a second failure says that a third would fail, too, and each is paid for */
    REMEDY_SETTLE, /* a few attempts, for as long as new rights need to be known everywhere */
    REMEDY_RENEW,  /* the credentials have expired; others are needed */
    REMEDY_WAIT,   /* no failure: something has to become free or ready */
    REMEDIES,
};

struct cause {
    enum remedy remedy;
    const char *mend; /* what the user can do; or NULL */
};

struct cause cause_of(const struct failure *failure);

/* Copies the text of the XML element, or of the JSON string, with this name from a service's answer: "<Code",
 * "errorType\"". text may be NULL. Writes "" if there is none. */
void cause_find_text(const char *text, const char *name, char *found, size_t size);

enum { CAUSE_WORDS = 1000 };

/* Writes the failure in words, with the mend; returns words. */
const char *cause_words(const struct failure *failure, char words[static CAUSE_WORDS]);

#endif
