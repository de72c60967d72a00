/* SPDX-License-Identifier: BSD-2-Clause */
#include "bucket.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "../attempts.h"

enum {
    ATTEMPTS = 8,
    SERVICE_SIZE = 256,
    URL_SIZE = SERVICE_SIZE + BUCKET_NAME + BUCKET_KEY + 3,
    MOST_TEXT = 4096,   /* bytes of an answer that is a text or an error */
    FIRST_PATIENCE = 2, /* seconds; AWS's advice, see HTTP_SMALL. It doubles with each attempt */
    LAST_PATIENCE = 16,
};

#define OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* the SHA-256 of no bytes */
#define NOTED "x-amz-meta-sha256"

static struct {
    char url[SERVICE_SIZE], scope[100];
    struct http_keys keys;
    const char *token; /* "": there is none */
} service;

const char *bucket_start(void)
{
    const char *region = getenv("AWS_REGION"), *url = getenv("AWS_ENDPOINT_URL_S3"),
               *token = getenv("AWS_SESSION_TOKEN");
    service.keys = (struct http_keys){ .id = getenv("AWS_ACCESS_KEY_ID"), .secret = getenv("AWS_SECRET_ACCESS_KEY") };
    service.keys.scope = service.scope;
    service.token = token ? token : "";
    if (!region || !service.keys.id || !service.keys.secret) {
        return "AWS_REGION, AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set";
    }
    const int length = url && *url ? snprintf(service.url, sizeof service.url, "%s", url) /* deploy sets it */
                                   : snprintf(service.url, sizeof service.url, "https://s3.%s.amazonaws.com", region);
    if (length >= SERVICE_SIZE) {
        return "AWS_ENDPOINT_URL_S3 is too long";
    }
    snprintf(service.scope, sizeof service.scope, "aws:amz:%.80s:s3", region);
    return NULL;
}

/* ---- One attempt ---- */

/* A request, and what it points to. */
struct call {
    struct http_request request;
    char url[URL_SIZE];
    struct http_field fields[3]; /* the last one marks the end */
};

enum { FIELD_NOTED, FIELD_REQUEST };

static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
    const size_t size = strlen(name) + strlen(value) + 3;
    char *line = malloc(size); /* a session token may have any length */
    struct curl_slist *longer = NULL;
    if (line) {
        snprintf(line, size, "%s: %s", name, value);
        longer = curl_slist_append(*headers, line);
    }
    free(line);
    *headers = longer ? longer : *headers;
    return longer;
}

/* digest: that of the body. note: whether it becomes the object's metadata, too. Returns false if memory runs out. */
static bool make_call(struct call *call, const char *method, const struct bucket *bucket, const char *key,
                      const char *digest, bool note)
{
    struct curl_slist *headers = NULL;
    *call = (struct call){ .fields = { [FIELD_NOTED].name = NOTED, [FIELD_REQUEST].name = "x-amz-request-id" } };
    snprintf(call->url, sizeof call->url, "%s/%.*s/%.*s", service.url, BUCKET_NAME, bucket->name, BUCKET_KEY, key);
    const bool made = add_header(&headers, "x-amz-content-sha256", digest) &&
                      (!*bucket->account || add_header(&headers, "x-amz-expected-bucket-owner", bucket->account)) &&
                      (!*service.token || add_header(&headers, "x-amz-security-token", service.token)) &&
                      (!note || add_header(&headers, NOTED, digest));
    call->request = (struct http_request){ .method = method,
                                           .url = call->url,
                                           .headers = headers,
                                           .keys = &service.keys,
                                           .most = MOST_TEXT,
                                           .fields = call->fields,
                                           .patience = FIRST_PATIENCE };
    return made;
}

static void end_call(struct call *call)
{
    curl_slist_free_all(call->request.headers);
}

static struct bucket_reply judge(const struct call *call, const struct http_reply *http)
{
    struct bucket_reply reply = { .answered = http->error == HTTP_DONE,
                                  .file_failed = http->error == HTTP_FILE,
                                  .status = http->status,
                                  .failure = { .source = FAILURE_SERVICE, .status = http->status } };
    struct failure *failure = &reply.failure;
    memcpy(reply.digest, http->digest, sizeof reply.digest);
    if (sha256_is_text(call->fields[FIELD_NOTED].value)) {
        memcpy(reply.noted, call->fields[FIELD_NOTED].value, sizeof reply.noted);
    }
    if (reply.answered) {
        snprintf(failure->request, sizeof failure->request, "%.99s", call->fields[FIELD_REQUEST].value);
        cause_find_text(http->text, "<Code", failure->code, sizeof failure->code);
        cause_find_text(http->text, "<Message", failure->message, sizeof failure->message);
    } else {
        failure->source = FAILURE_NETWORK;
        failure->fatal = http->error != HTTP_NETWORK && http->error != HTTP_SILENCE;
        snprintf(failure->message, sizeof failure->message, "%s", http->words);
    }
    return reply;
}

/* ---- Attempts ---- */

/* The worker's patience is short. Throttling is a failure like others, and it cannot get other credentials. */
static enum remedy remedy_of(const struct failure *failure)
{
    const enum remedy remedy = cause_of(failure).remedy;
    return remedy == REMEDY_WAIT ? REMEDY_REPEAT : remedy == REMEDY_RENEW ? REMEDY_NONE : remedy;
}

/* For the function's log: an attempt that has failed. */
static void log_failure(const struct call *call, const struct failure *failure)
{
    char words[CAUSE_WORDS];
    fprintf(stderr, "bootstrap: %s %s: %s\n", call->request.method, call->url, cause_words(failure, words));
}

/* Repeats the request while its failure says so. After silence it has waited long enough already. The caller frees what
 * http has. */
static struct bucket_reply try_often(struct call *call, struct http_reply *http)
{
    struct attempts attempts = attempts_begin(ATTEMPTS);
    for (;;) {
        http_perform(&call->request, http);
        const struct bucket_reply reply = judge(call, http);
        const enum remedy remedy = remedy_of(&reply.failure);
        if (reply.answered && (reply.status == 200 || reply.status == 404)) {
            return reply;
        }
        log_failure(call, &reply.failure);
        if (!attempts_add(&attempts, remedy)) {
            return reply;
        }
        http_free(http);
        if (http->error != HTTP_SILENCE) {
            http_pause(attempts_pause(&attempts, remedy));
        }
        call->request.fresh = !reply.answered;
        if (call->request.patience < LAST_PATIENCE) {
            call->request.patience *= 2;
        }
    }
}

/* Makes the request, and frees what the call has. made: whether there was memory for the call. text, if it is not NULL,
 * gets the body of the answer. */
static struct bucket_reply perform(struct call *call, bool made, char *text, size_t size)
{
    struct http_reply http = { 0 };
    struct bucket_reply reply = { .failure = { .source = FAILURE_NETWORK, .fatal = true, .message = "no memory" } };
    if (made) {
        reply = try_often(call, &http);
    }
    if (text) {
        snprintf(text, size, "%s", http.text && reply.answered && reply.status == 200 ? http.text : "");
    }
    http_free(&http);
    end_call(call);
    return reply;
}

/* ---- Objects ---- */

struct bucket_reply bucket_get(const struct bucket *bucket, const char *key, FILE *file)
{
    struct call call;
    const bool made = make_call(&call, "GET", bucket, key, OF_NOTHING, false);
    call.request.download = file;
    return perform(&call, made, NULL, 0);
}

struct bucket_reply bucket_get_text(const struct bucket *bucket, const char *key, char *text, size_t size)
{
    struct call call;
    const bool made = make_call(&call, "GET", bucket, key, OF_NOTHING, false);
    return perform(&call, made, text, size);
}

struct bucket_reply bucket_put(const struct bucket *bucket, const char *key, FILE *file, uint64_t size,
                               const char *digest, bool note)
{
    struct call call;
    const bool made = make_call(&call, "PUT", bucket, key, digest, note);
    call.request.upload = file;
    call.request.size = size;
    return perform(&call, made, NULL, 0);
}

/* Makes the call that uploads a text. */
static bool make_upload(struct call *call, const struct bucket *bucket, const char *key, const char *text)
{
    char digest[SHA256_TEXT];
    sha256_of_bytes(text, strlen(text), digest);
    const bool made = make_call(call, "PUT", bucket, key, digest, false);
    call->request.text = text;
    call->request.size = strlen(text);
    return made;
}

struct bucket_reply bucket_put_text(const struct bucket *bucket, const char *key, const char *text)
{
    struct call call;
    const bool made = make_upload(&call, bucket, key, text);
    return perform(&call, made, NULL, 0);
}

/* ---- Uploads beside other things ---- */

struct bucket_upload {
    struct call call;
    struct http_exchange *exchange;
};

struct bucket_upload *bucket_upload_begin(const struct bucket *bucket, const char *key, const char *text)
{
    struct bucket_upload *upload = malloc(sizeof *upload);
    if (!upload) {
        return NULL;
    }
    upload->exchange = make_upload(&upload->call, bucket, key, text) ? http_begin(&upload->call.request) : NULL;
    if (!upload->exchange) {
        end_call(&upload->call);
        free(upload);
        return NULL;
    }
    return upload;
}

bool bucket_upload_has_ended(const struct bucket_upload *upload)
{
    return http_has_ended(upload->exchange);
}

bool bucket_upload_end(struct bucket_upload *upload)
{
    struct http_reply http;
    http_end(upload->exchange, &http);
    const bool done = http.error == HTTP_DONE && http.status == 200;
    http_free(&http);
    end_call(&upload->call);
    free(upload);
    return done;
}
