/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for asprintf, strptime and timegm */

#include "aws.h"

#include <errno.h>
#include <jansson.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "attempts.h"
#include "credentials.h"
#include "endpoint.h"
#include "fail.h"
#include "message.h"
#include "settings.h"
#include "transfer.h"
#include "value.h"

enum {
    REGION_SIZE = 64,
    URL_SIZE = 1024,
    MAX_LOG_TAIL = 8192, /* bytes; Lambda sends the last 4 kB, in base64 */
    FEW_ATTEMPTS = 4,    /* for requests whose failure does no harm */
};

static struct credentials credentials;
static char region[REGION_SIZE], s3_endpoint[ENDPOINT_SIZE], lambda_endpoint[ENDPOINT_SIZE];
static char *ca_bundle;   /* the path of a file with the certificates to trust; NULL: those of the system */
static const char *owner; /* the account that owns the bucket; or NULL */

/* ---- Settings ---- */

static void find_endpoint(char url[static ENDPOINT_SIZE], const char *service)
{
    const char *why = endpoint_find(url, service, region);
    if (why) {
        fail_about("settings", "%s", why);
    }
}

void aws_use_region(const char *name)
{
    const char *found = name ? name : settings_get(SETTING_REGION);
    if (!found) {
        fail_about("settings", "no region; set AWS_REGION");
    }
    snprintf(region, sizeof region, "%s", found);
    find_endpoint(s3_endpoint, "s3");
    find_endpoint(lambda_endpoint, "lambda");
}

void aws_settings(void)
{
    settings_read();
    const char *bundle = settings_get(SETTING_CA_BUNDLE);
    ca_bundle = bundle ? realpath(bundle, NULL) : NULL;
    if (bundle && (!ca_bundle || access(ca_bundle, R_OK))) {
        fail_about("AWS_CA_BUNDLE", "%s: %s", bundle, strerror(errno));
    }
    owner = getenv("XC_LAMBDA_ACCOUNT");
    if (owner && strspn(owner, "0123456789") != strlen(owner)) {
        fail_about("XC_LAMBDA_ACCOUNT", "is not the number of an account");
    }
}

const char *aws_endpoint(const char *service)
{
    return !strcmp(service, "s3") ? s3_endpoint : lambda_endpoint;
}

void aws_start(void)
{
    const char *why = credentials_find(&credentials);
    if (why) {
        fail_about("credentials", "%s", why);
    }
}

/* ---- Answers ---- */

struct reply {
    char error[100]; /* in words; "": there is an answer */
    bool fatal;      /* the error cannot be the network */
    long status;
    bool function_error;
    bool noted;                   /* the object's metadata have its digest */
    char code[100], request[100]; /* the names of the error and of the request, from the headers */
    double billed;                /* seconds of the function, as the end of its log says */
    time_t date, modified;        /* when the server wrote this, and the object; -1: it does not say */
    char *text;                   /* the body; NULL: there is none */
};

/* Reads the line "REPORT ... Billed Duration: 3145 ms ..." in the end of the function's log, which comes in base64. */
static double billed_seconds(const char *tail, size_t size)
{
    struct base64_decode_ctx context;
    char log[BASE64_DECODE_LENGTH(MAX_LOG_TAIL) + 1];
    size_t length = sizeof log - 1;
    double milliseconds = 0;
    base64_decode_init(&context);
    if (size > MAX_LOG_TAIL || !base64_decode_update(&context, &length, (uint8_t *)log, size, tail)) {
        return 0;
    }
    log[length] = '\0';
    const char *report = strstr(log, "Billed Duration: ");
    return report && sscanf(report, "Billed Duration: %lf ms", &milliseconds) == 1 ? milliseconds / 1000 : 0;
}

/* If the header has this name, returns its value and sets *length; otherwise NULL. */
static const char *header_value(const char *data, size_t size, const char *name, size_t *length)
{
    const size_t skip = strlen(name);
    if (size <= skip || strncasecmp(data, name, skip) != 0 || data[skip] != ':') {
        return NULL;
    }
    for (data += skip + 1, size -= skip + 1; size && *data == ' '; data++, size--) {
    }
    while (size && strchr("\r\n ", data[size - 1])) {
        size--;
    }
    *length = size;
    return data;
}

/* Reads a date as HTTP has it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). */
static time_t time_of(const char *value, size_t length)
{
    char text[64];
    struct tm date = { 0 };
    snprintf(text, sizeof text, "%.*s", (int)length, value);
    return strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date) ? timegm(&date) : -1;
}

static void read_header(struct reply *reply, const char *data, size_t size)
{
    const char *value;
    size_t length;
    if (header_value(data, size, "x-amz-function-error", &length)) {
        reply->function_error = true;
    } else if ((value = header_value(data, size, "x-amzn-errortype", &length))) {
        /* The name may be followed by a colon and a URL. */
        snprintf(reply->code, sizeof reply->code, "%.*s", (int)length, value);
        reply->code[strcspn(reply->code, ":")] = '\0';
    } else if ((value = header_value(data, size, "x-amz-request-id", &length)) ||
               (value = header_value(data, size, "x-amzn-requestid", &length))) {
        snprintf(reply->request, sizeof reply->request, "%.*s", (int)length, value);
    } else if (header_value(data, size, "x-amz-meta-sha256", &length)) {
        reply->noted = true;
    } else if ((value = header_value(data, size, "x-amz-log-result", &length))) {
        reply->billed = billed_seconds(value, length);
    } else if ((value = header_value(data, size, "date", &length))) {
        reply->date = time_of(value, length);
    } else if ((value = header_value(data, size, "last-modified", &length))) {
        reply->modified = time_of(value, length);
    }
}

/* Reads what a request that has ended was answered. The caller frees the text. */
static struct reply read_reply(const struct transfer_reply *given)
{
    struct reply reply = { .fatal = given->fatal, .status = given->status, .date = -1, .modified = -1 };
    snprintf(reply.error, sizeof reply.error, "%s", given->error ? given->error : "");
    for (const char *line = given->head, *end; (end = strchr(line, '\n')); line = end + 1) {
        read_header(&reply, line, (size_t)(end - line));
    }
    reply.text = *given->text ? strdup(given->text) : NULL;
    return reply;
}

/* ---- One attempt ---- */

struct request {
    const char *service, *method;
    char url[URL_SIZE];
    const char *what;   /* stands before the URL in messages; or NULL */
    const char *tag;    /* of the object, NAME=VALUE; or NULL */
    const char *digest; /* of the body, for S3; NULL: there is no body */
    FILE *upload;       /* or NULL */
    uint64_t upload_size;
    FILE *download; /* receives the body of an answer with status 200; NULL: that goes to the reply's text */
};

static void add_header(json_t *headers, const char *name, const char *value)
{
    char *line; /* allocated, since a session token may have any length */
    if (asprintf(&line, "%s: %s", name, value) < 0) {
        fail_about(name, "no memory");
    }
    value_append_text(headers, line);
    free(line);
}

static json_t *make_headers(const struct request *request)
{
    static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    json_t *headers = value_sure(json_array());
    if (!strcmp(request->service, "s3")) {
        add_header(headers, "x-amz-content-sha256", request->digest ? request->digest : of_nothing);
        if (owner && *owner) { /* another account may own a bucket with the name that we were given */
            add_header(headers, "x-amz-expected-bucket-owner", owner);
        }
        if (request->tag) {
            add_header(headers, "x-amz-tagging", request->tag);
        }
    } else {
        add_header(headers, "Content-Type", "application/json");
        add_header(headers, "X-Amz-Log-Type", "Tail");
    }
    if (credentials.token) {
        add_header(headers, "x-amz-security-token", credentials.token);
    }
    return headers;
}

static struct transfer *begin(const struct request *request)
{
    char signature[128];
    FILE *file = request->upload ? request->upload : request->download;
    credentials_keep_fresh(&credentials);
    snprintf(signature, sizeof signature, "aws:amz:%s:%s", region, request->service);
    const struct transfer_request wanted = { .method = request->method,
                                             .url = request->url,
                                             .signature = signature,
                                             .user = credentials.id,
                                             .password = credentials.secret,
                                             .authorities = ca_bundle ? ca_bundle : "",
                                             .headers = make_headers(request),
                                             .file = file ? fileno(file) : -1,
                                             .size = request->upload_size };
    struct transfer *transfer = transfer_begin(&wanted);
    json_decref(wanted.headers);
    return transfer;
}

static struct reply attempt(const struct request *request)
{
    const struct transfer_reply *end;
    if (request->download && (fflush(request->download) || ftruncate(fileno(request->download), 0))) {
        fail_about(request->what, "%s", strerror(errno));
    }
    struct transfer *transfer = begin(request);
    while (!(end = transfer_reply(transfer))) {
        transfer_wait(-1);
    }
    const struct reply reply = read_reply(end);
    transfer_free(transfer);
    return reply;
}

/* ---- Attempts ---- */

static struct failure failure_of(const char *service, const struct reply *reply)
{
    const bool s3 = !strcmp(service, "s3");
    struct failure failure = { .source = FAILURE_SERVICE, .status = reply->status };
    if (reply->error[0]) {
        failure.source = FAILURE_NETWORK;
        failure.fatal = reply->fatal;
        snprintf(failure.message, sizeof failure.message, "%s", reply->error);
        return failure;
    }
    failure.source = reply->function_error ? FAILURE_FUNCTION : FAILURE_SERVICE;
    snprintf(failure.request, sizeof failure.request, "%s", reply->request);
    snprintf(failure.code, sizeof failure.code, "%s", reply->code);
    if (!failure.code[0]) {
        cause_find_text(reply->text, s3 ? "<Code" : "errorType\"", failure.code, sizeof failure.code);
    }
    cause_find_text(reply->text, s3 ? "<Message" : "essage\"", failure.message, sizeof failure.message);
    return failure;
}

static bool is_expected(const struct reply *reply)
{
    return !reply->error[0] && !reply->function_error && (reply->status == 200 || reply->status == 404);
}

/* Repeats the request while its failure says so. Renewed credentials do not count as an attempt. */
static struct reply try_often(const struct request *request, unsigned limit)
{
    struct attempts attempts = attempts_begin(limit);
    struct reply reply;
    while (reply = attempt(request), !is_expected(&reply)) {
        const struct failure failure = failure_of(request->service, &reply);
        const enum remedy remedy = cause_of(&failure).remedy;
        if (!attempts_add(&attempts, remedy) || (remedy == REMEDY_RENEW && !credentials_renew(&credentials))) {
            break;
        }
        free(reply.text);
        attempts_wait(&attempts, remedy);
    }
    return reply;
}

static struct reply perform(const struct request *request)
{
    return try_often(request, attempts_limit());
}

static _Noreturn void fail_by(const struct request *request, const struct reply *reply)
{
    char words[CAUSE_WORDS], about[URL_SIZE + 300];
    const struct failure failure = failure_of(request->service, reply);
    snprintf(about, sizeof about, "%.256s%s%s", request->what ? request->what : "", request->what ? ": " : "",
             request->url);
    fail_about(about, "%s", cause_words(&failure, words));
}

/* ---- Objects ---- */

static struct request object(const char *method, const char *bucket, const char *key)
{
    struct request request = { .service = "s3", .method = method };
    snprintf(request.url, sizeof request.url, "%s/%.63s/%.200s", s3_endpoint, bucket, key);
    return request;
}

bool aws_bucket_exists(const char *bucket)
{
    return aws_object_exists(bucket, "");
}

/* Asks for the object's head. The reply's status is 200 or 404. */
static struct reply look_at(const char *bucket, const char *key)
{
    const struct request request = object("HEAD", bucket, key);
    const struct reply reply = perform(&request);
    if (reply.error[0] || (reply.status != 200 && reply.status != 404)) {
        fail_by(&request, &reply);
    }
    free(reply.text);
    return reply;
}

bool aws_object_exists(const char *bucket, const char *key)
{
    return look_at(bucket, key).status == 200;
}

bool aws_object_is_published(const char *bucket, const char *key)
{
    const struct reply reply = look_at(bucket, key);
    return reply.status == 200 && reply.noted;
}

double aws_object_age(const char *bucket, const char *key)
{
    const struct request request = object("HEAD", bucket, key);
    const struct reply reply = attempt(&request);
    const bool known = !reply.error[0] && reply.status == 200 && reply.date >= 0 && reply.modified >= 0;
    free(reply.text);
    return known ? difftime(reply.date, reply.modified) : -1;
}

void aws_object_put_file(const char *bucket, const char *key, FILE *file, const char *what, const char *digest,
                         uint64_t size)
{
    struct request request = object("PUT", bucket, key);
    request.what = what;
    request.tag = "excamera=raw";
    request.digest = digest;
    request.upload_size = size;
    request.upload = file;
    const struct reply reply = perform(&request);
    if (reply.error[0] || reply.status != 200) {
        fail_by(&request, &reply);
    }
    free(reply.text);
}

/* A file that has the text. NULL: there is no room for it. */
static FILE *file_of(const char *text)
{
    const int file = message_file(text, strlen(text));
    return file < 0 ? NULL : fdopen(file, "r");
}

bool aws_object_put_text(const char *bucket, const char *key, const char *text)
{
    char digest[SHA256_TEXT];
    struct request request = object("PUT", bucket, key);
    request.upload_size = strlen(text);
    request.upload = file_of(text);
    if (!request.upload) {
        return false;
    }
    sha256_of_bytes(text, strlen(text), digest);
    request.digest = digest;
    const struct reply reply = try_often(&request, FEW_ATTEMPTS);
    fclose(request.upload);
    free(reply.text);
    return !reply.error[0] && reply.status == 200;
}

/* Whether the object exists. Fails if the request had any other result. */
static bool was_there(const struct request *request, const struct reply *reply)
{
    if (!reply->error[0] && reply->status == 404 && (!reply->text || !strstr(reply->text, "NoSuchBucket"))) {
        return false;
    }
    if (reply->error[0] || reply->status != 200) {
        fail_by(request, reply);
    }
    return true;
}

char *aws_object_get_text(const char *bucket, const char *key)
{
    const struct request request = object("GET", bucket, key);
    const struct reply reply = perform(&request);
    if (was_there(&request, &reply)) {
        return reply.text;
    }
    free(reply.text);
    return NULL;
}

bool aws_object_get_file(const char *bucket, const char *key, FILE *file, const char *what)
{
    struct request request = object("GET", bucket, key);
    request.what = what;
    request.download = file;
    const struct reply reply = perform(&request);
    const bool there = was_there(&request, &reply);
    free(reply.text);
    return there;
}

/* ---- Functions ---- */

/* A function's name, and its version or alias, or "". */
struct function {
    char name[65], qualifier[130];
};

/* Reads NAME or NAME:QUALIFIER. */
static bool read_function(struct function *function, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$";
    const size_t length = strspn(text, plain);
    const char *qualifier = text[length] == ':' ? text + length + 1 : text + length;
    snprintf(function->name, sizeof function->name, "%.*s", (int)length, text);
    snprintf(function->qualifier, sizeof function->qualifier, "%s", qualifier);
    return length && length < sizeof function->name && strlen(qualifier) < sizeof function->qualifier &&
           strspn(qualifier, plain) == strlen(qualifier) && (!text[length] || *qualifier);
}

/* Reads the name of a function: NAME, NAME:QUALIFIER, or the ARN of either. A request names no region or account, so
 * those of the ARN have to be ours. */
static struct function find_function(const char *text)
{
    struct function function;
    char its_region[REGION_SIZE] = "", account[13] = "";
    int skip = 0;
    sscanf(text, "arn:%*[a-z-]:lambda:%63[a-z0-9-]:%12[0-9]:function:%n", its_region, account, &skip);
    if (!read_function(&function, text + skip)) {
        fail_about("XC_LAMBDA_FUNCTION", "is neither the name of a function nor its ARN");
    }
    if (skip && strcmp(its_region, region) != 0) {
        fail_about("XC_LAMBDA_FUNCTION", "is a function in %s, and AWS_REGION is %s", its_region, region);
    }
    if (skip && owner && strcmp(account, owner) != 0) {
        fail_about("XC_LAMBDA_FUNCTION", "is a function of account %s, and XC_LAMBDA_ACCOUNT is %s", account, owner);
    }
    return function;
}

/* what: what the request is about, as the URL names it. */
static struct request of_function(const char *method, const char *function, const char *what)
{
    struct request request = { .service = "lambda", .method = method };
    const struct function found = find_function(function);
    snprintf(request.url, sizeof request.url, "%s/2015-03-31/functions/%s/%s%s%s", lambda_endpoint, found.name, what,
             found.qualifier[0] ? "?Qualifier=" : "", found.qualifier);
    return request;
}

char *aws_function_code(const char *function)
{
    char digest[SHA256_TEXT];
    const struct request request = of_function("GET", function, "configuration");
    const struct reply reply = perform(&request);
    const bool there = was_there(&request, &reply);
    cause_find_text(reply.text, "\"CodeSha256\"", digest, sizeof digest);
    free(reply.text);
    return there ? strdup(digest) : NULL;
}

struct aws_call {
    char url[256];
    struct transfer *transfer;
    struct aws_call *next;
};

static struct aws_call *calls; /* that are under way, or have ended */

struct aws_call *aws_call_begin(const char *function, const char *event)
{
    struct aws_call *call = calloc(1, sizeof *call);
    struct request request = of_function("POST", function, "invocations");
    request.upload = file_of(event);
    if (!call || !request.upload) {
        fail_about("the function", "no memory");
    }
    snprintf(call->url, sizeof call->url, "%.255s", request.url);
    call->transfer = begin(&request);
    fclose(request.upload);
    call->next = calls;
    calls = call;
    return call;
}

/* A call that has ended, with or without an answer; NULL if none has. */
static struct aws_call *ended_call(void)
{
    struct aws_call *call = calls;
    while (call && !transfer_reply(call->transfer)) {
        call = call->next;
    }
    return call;
}

struct aws_call *aws_call_wait(int milliseconds)
{
    if (!ended_call()) {
        transfer_wait(milliseconds);
    }
    return ended_call();
}

bool aws_call_end(struct aws_call *call, struct aws_answer *answer)
{
    struct reply reply = read_reply(transfer_reply(call->transfer));
    const bool answered = is_expected(&reply) && reply.status == 200;
    *answer = (struct aws_answer){ .failure = failure_of("lambda", &reply), .billed = reply.billed };
    memcpy(answer->url, call->url, sizeof answer->url);
    if (answered) {
        answer->text = reply.text;
    } else {
        free(reply.text);
    }
    aws_call_drop(call);
    return answered;
}

void aws_call_drop(struct aws_call *call)
{
    struct aws_call **place = &calls;
    while (*place != call) {
        place = &(*place)->next;
    }
    *place = call->next;
    transfer_free(call->transfer);
    free(call);
}

bool aws_renew_credentials(void)
{
    return credentials_renew(&credentials);
}
