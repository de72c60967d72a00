/* SPDX-License-Identifier: BSD-2-Clause */
/* The function, on Lambda's OS-only runtime, which starts this program as `bootstrap`: it asks the runtime for an
 * event, answers it, and asks for the next one ("Using the Lambda runtime API for custom runtimes", Lambda developer
 * guide). The other files say, from event.h on, what an event is and what is done for it. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bucket.h"
#include "event.h"
#include "http.h"
#include "scratch.h"
#include "work.h"

enum { URL_SIZE = 512 };

/* The runtime ends with a worker that cannot go on, and starts another one for the next event. */
static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bootstrap: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

/* ---- The runtime ---- */

enum { FIELD_ID, FIELD_DEADLINE, FIELD_FUNCTION, FIELDS };

/* An event as the runtime gives it. */
struct given {
    struct http_reply event;
    struct http_field fields[FIELDS + 1];
};

static const char *runtime_url(char url[static URL_SIZE], const char *what, const char *id, const char *more)
{
    const char *host = getenv("AWS_LAMBDA_RUNTIME_API");
    snprintf(url, URL_SIZE, "http://%.200s/2018-06-01/runtime/invocation/%s%.200s%s", host ? host : "", what, id, more);
    return url;
}

/* Waits for the next event, for as long as it takes. */
static void next_event(struct given *given)
{
    char url[URL_SIZE];
    *given = (struct given){ .fields = { [FIELD_ID].name = "lambda-runtime-aws-request-id",
                                         [FIELD_DEADLINE].name = "lambda-runtime-deadline-ms",
                                         [FIELD_FUNCTION].name = "lambda-runtime-invoked-function-arn" } };
    const struct http_request request = {
        .method = "GET", .url = runtime_url(url, "next", "", ""), .fields = given->fields, .most = EVENT_MOST
    };
    http_perform(&request, &given->event);
    if (given->event.error || given->event.status != 200) {
        fail("the next event: %s, HTTP %ld", given->event.words, given->event.status);
    }
}

static void send_answer(const struct given *given, const char *text)
{
    char url[URL_SIZE];
    struct http_reply reply;
    const struct http_request request = { .method = "POST",
                                          .url = runtime_url(url, "", given->fields[FIELD_ID].value, "/response"),
                                          .text = text,
                                          .size = strlen(text) };
    http_perform(&request, &reply);
    if (reply.error || reply.status / 100 != 2) {
        fprintf(stderr, "bootstrap: the answer: %s, HTTP %ld\n", reply.words, reply.status);
    }
    http_free(&reply);
}

/* The account in the function's name, arn:aws:lambda:REGION:ACCOUNT:function:NAME; or "". */
static void find_account(char account[static 13], const char *function)
{
    account[0] = '\0';
    sscanf(function, "arn:%*[a-z-]:lambda:%*[a-z0-9-]:%12[0-9]", account);
}

/* ---- The worker ---- */

static void start(void)
{
    signal(SIGPIPE, SIG_IGN); /* a connection that breaks is an error of its request */
    if (!http_start(getenv("AWS_CA_BUNDLE"))) {
        fail("libcurl does not start");
    }
    const char *wrong = bucket_start();
    if (wrong) {
        fail("%s", wrong);
    }
}

static void serve(void)
{
    char account[13];
    struct given given;
    if (!scratch_begin()) {
        fail("the directory for files: %s", strerror(errno));
    }
    next_event(&given);
    find_account(account, given.fields[FIELD_FUNCTION].value);
    const time_t deadline = (time_t)(strtoll(given.fields[FIELD_DEADLINE].value, NULL, 10) / 1000);
    char *answer = work_do(given.event.text ? given.event.text : "", given.event.size, account, deadline);
    send_answer(&given, answer ? answer : "{\"retry\": \"no memory\"}");
    free(answer);
    http_free(&given.event);
}

int main(void)
{
    start();
    for (;;) {
        serve();
    }
}
