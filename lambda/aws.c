/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to AWS by libcurl, which keeps one connection per service open between requests. */
#define _GNU_SOURCE /* for asprintf */

#include "aws.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <nettle/base64.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attempts.h"
#include "credentials.h"
#include "endpoint.h"
#include "fail.h"
#include "settings.h"

enum {
    REGION_SIZE = 64,
    URL_SIZE = 1024,
    MAX_TEXT = 6 * 1024 * 1024, /* bytes; Lambda's limit for the answer of a function */
    MAX_LOG_TAIL = 8192,        /* bytes; Lambda sends the last 4 kB, in base64 */
    FEW_ATTEMPTS = 4,           /* for requests whose failure does no harm */
    CONNECT_SECONDS = 10,
    STALLED_SECONDS = 30,            /* an S3 request may stay below a byte per second for so long */
    FUNCTION_SECONDS = 15 * 60 + 20, /* Lambda's limit for a function, and some seconds for the network */
};

static struct credentials credentials;
static char region[REGION_SIZE], s3_endpoint[ENDPOINT_SIZE], lambda_endpoint[ENDPOINT_SIZE];
static char ca_bundle[URL_SIZE]; /* a file with the certificates to trust; or "" */
static const char *owner;        /* the account that owns the bucket; or NULL */
static enum { TRUST_UNKNOWN, TRUST_DIRECTORY, TRUST_FILE } system_trust; /* where its certificates are looked for */
static CURL *only;   /* for all requests but calls of functions, one after another */
static CURLM *calls; /* which may be under way at the same time */

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
    snprintf(ca_bundle, sizeof ca_bundle, "%s", bundle ? bundle : "");
    if (ca_bundle[0] && access(ca_bundle, R_OK)) {
        fail_about("AWS_CA_BUNDLE", "%s: %s", ca_bundle, strerror(errno));
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
    signal(SIGPIPE, SIG_IGN); /* a connection that breaks is an error of its request */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    only = curl_easy_init();
    calls = curl_multi_init();
    if (!only || !calls) {
        fail_about("libcurl", "does not start");
    }
}

/* ---- One attempt ---- */

struct request {
    const char *service, *method;
    char url[URL_SIZE];
    const char *what;   /* stands before the URL in messages; or NULL */
    const char *tag;    /* of the object, NAME=VALUE; or NULL */
    const char *digest; /* of the body, for S3; NULL: there is no body */
    const char *body;   /* or NULL */
    FILE *upload;       /* or NULL */
    uint64_t upload_size;
    FILE *download; /* receives the body of an answer with status 200; NULL: that goes to the reply's text */
};

struct reply {
    CURL *curl;
    CURLcode error;
    long status;
    bool headed; /* the head of the answer is complete */
    bool function_error;
    bool noted;                   /* the object's metadata have its digest */
    char code[100], request[100]; /* the names of the error and of the request, from the headers */
    double billed;                /* seconds of the function, as the end of its log says */
    time_t date, modified;        /* when the server wrote this, and the object; -1: it does not say */
    char *text;
    size_t size;
    FILE *download;
};

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct reply *reply = context;
    long status = 0;
    (void)one;
    curl_easy_getinfo(reply->curl, CURLINFO_RESPONSE_CODE, &status);
    if (reply->download && status == 200) {
        return fwrite(data, 1, size, reply->download);
    }
    if (reply->size + size > MAX_TEXT) {
        return 0;
    }
    char *text = realloc(reply->text, reply->size + size + 1);
    if (!text) {
        return 0;
    }
    reply->text = text;
    memcpy(text + reply->size, data, size);
    reply->size += size;
    text[reply->size] = '\0';
    return size;
}

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
    if (size <= skip || !curl_strnequal(data, name, skip) || data[skip] != ':') {
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

static time_t time_of(const char *value, size_t length)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)length, value);
    return curl_getdate(text, NULL);
}

static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    struct reply *reply = context;
    const char *value;
    size_t length;
    long status = 0;
    (void)one;
    curl_easy_getinfo(reply->curl, CURLINFO_RESPONSE_CODE, &status);
    reply->headed |= *data == '\r' && status >= 200; /* before that there may be "100 Continue" */
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
    return size;
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *name, const char *value)
{
    char *line; /* allocated, since a session token may have any length */
    if (asprintf(&line, "%s: %s", name, value) < 0) {
        fail_about(name, "no memory");
    }
    headers = curl_slist_append(headers, line);
    free(line);
    return headers;
}

static struct curl_slist *make_headers(const struct request *request)
{
    static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct curl_slist *headers = NULL;
    if (!strcmp(request->service, "s3")) {
        headers = add_header(headers, "x-amz-content-sha256", request->digest ? request->digest : of_nothing);
        if (owner && *owner) { /* another account may own a bucket with the name that we were given */
            headers = add_header(headers, "x-amz-expected-bucket-owner", owner);
        }
        if (request->tag) {
            headers = add_header(headers, "x-amz-tagging", request->tag);
        }
    } else {
        headers = add_header(headers, "Content-Type", "application/json");
        headers = add_header(headers, "X-Amz-Log-Type", "Tail");
    }
    if (credentials.token) {
        headers = add_header(headers, "x-amz-security-token", credentials.token);
    }
    return headers;
}

/* Whether the directory has certificates as OpenSSL looks them up: 9d04f354.0, for example. */
static bool has_certificates(const char *path)
{
    DIR *directory = path ? opendir(path) : NULL;
    bool found = false;
    for (const struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        found = strspn(entry->d_name, "0123456789abcdef") == 8 && !strcmp(entry->d_name + 8, ".0");
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}

/* Trusts the user's certificates, or the system's. Of these, the one that is needed is looked up where they are in a
 * directory: reading all of them from one file takes longer than anything else here. */
static void set_trust(CURL *curl)
{
    const char *directory = NULL;
    if (ca_bundle[0]) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_bundle);
        system_trust = TRUST_FILE;
    } else if (system_trust == TRUST_UNKNOWN) {
        curl_easy_getinfo(curl, CURLINFO_CAPATH, &directory);
        system_trust = has_certificates(directory) ? TRUST_DIRECTORY : TRUST_FILE;
    }
    if (system_trust == TRUST_DIRECTORY) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    }
}

/* Prepares the reply's handle. */
static void set_options(const struct request *request, struct reply *reply, struct curl_slist *headers)
{
    CURL *curl = reply->curl;
    char signature[128];
    const bool is_call = request->body != NULL; /* of a function, which may work for long */
    snprintf(signature, sizeof signature, "aws:amz:%s:%s", region, request->service);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERNAME, credentials.id);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials.secret);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signature);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    set_trust(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE,
                     1L); /* routers forget connections that are silent for as long as a function may work */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, is_call ? (long)FUNCTION_SECONDS : 0L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, is_call ? 0L : (long)STALLED_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, is_call ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (!strcmp(request->method, "HEAD")) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    if (request->upload) {
        rewind(request->upload);
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READDATA, request->upload);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->upload_size);
    }
}

/* Stores how the request has ended. */
static void finish(struct reply *reply, CURLcode error)
{
    const bool headless = error == CURLE_OK && !reply->headed; /* libcurl does not mind if the connection ends there */
    reply->error = headless ? CURLE_GOT_NOTHING : error;
    curl_easy_getinfo(reply->curl, CURLINFO_RESPONSE_CODE, &reply->status);
}

/* After a request has failed: whether it is to be made once more, with the certificates that only the system's file may
 * have. */
static bool has_other_certificates(const struct reply *reply)
{
    const bool others = reply->error == CURLE_PEER_FAILED_VERIFICATION && system_trust == TRUST_DIRECTORY;
    if (others) {
        system_trust = TRUST_FILE;
    }
    return others;
}

static struct reply attempt(const struct request *request)
{
    struct reply reply = { .curl = only, .download = request->download, .date = -1, .modified = -1 };
    credentials_keep_fresh(&credentials);
    struct curl_slist *headers = make_headers(request);
    if (request->download) {
        rewind(request->download);
        if (fflush(request->download) || ftruncate(fileno(request->download), 0)) {
            fail_about(request->what, "%s", strerror(errno));
        }
    }
    set_options(request, &reply, headers);
    finish(&reply, curl_easy_perform(only));
    curl_slist_free_all(headers);
    return has_other_certificates(&reply) ? attempt(request) : reply;
}

/* ---- Attempts ---- */

static bool is_network(CURLcode error)
{
    switch (error) {
    case CURLE_WRITE_ERROR:
    case CURLE_READ_ERROR:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_OUT_OF_MEMORY:
        return false;
    default:
        return true;
    }
}

static struct failure failure_of(const struct request *request, const struct reply *reply)
{
    const bool s3 = !strcmp(request->service, "s3");
    struct failure failure = { .source = FAILURE_SERVICE, .status = reply->status };
    if (reply->error) {
        failure.source = FAILURE_NETWORK;
        failure.fatal = !is_network(reply->error);
        snprintf(failure.message, sizeof failure.message, "%s", curl_easy_strerror(reply->error));
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
    return !reply->error && !reply->function_error && (reply->status == 200 || reply->status == 404);
}

/* Repeats the request while its failure says so. Renewed credentials do not count as an attempt. */
static struct reply try_often(const struct request *request, unsigned limit)
{
    struct attempts attempts = attempts_begin(limit);
    struct reply reply;
    while (reply = attempt(request), !is_expected(&reply)) {
        const struct failure failure = failure_of(request, &reply);
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
    const struct failure failure = failure_of(request, reply);
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
    if (reply.error || (reply.status != 200 && reply.status != 404)) {
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
    const bool known = !reply.error && reply.status == 200 && reply.date >= 0 && reply.modified >= 0;
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
    if (reply.error || reply.status != 200) {
        fail_by(&request, &reply);
    }
    free(reply.text);
}

bool aws_object_put_text(const char *bucket, const char *key, const char *text)
{
    char digest[SHA256_TEXT], *bytes = strdup(text);
    struct request request = object("PUT", bucket, key);
    request.upload_size = strlen(text);
    request.upload = bytes ? fmemopen(bytes, strlen(text), "r") : NULL;
    if (!request.upload) {
        free(bytes);
        return false;
    }
    sha256_of_bytes(text, strlen(text), digest);
    request.digest = digest;
    const struct reply reply = try_often(&request, FEW_ATTEMPTS);
    fclose(request.upload);
    free(bytes);
    free(reply.text);
    return !reply.error && reply.status == 200;
}

/* Whether the object exists. Fails if the request had any other result. */
static bool was_there(const struct request *request, const struct reply *reply)
{
    if (!reply->error && reply->status == 404 && (!reply->text || !strstr(reply->text, "NoSuchBucket"))) {
        return false;
    }
    if (reply->error || reply->status != 200) {
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
    struct request request;
    struct reply reply;
    struct curl_slist *headers;
};

static void send_call(struct aws_call *call)
{
    set_options(&call->request, &call->reply, call->headers);
    curl_easy_setopt(call->reply.curl, CURLOPT_PRIVATE, call);
    curl_multi_add_handle(calls, call->reply.curl);
}

struct aws_call *aws_call_begin(const char *function, const char *event)
{
    struct aws_call *call = calloc(1, sizeof *call);
    if (!call || !(call->reply.curl = curl_easy_init())) {
        fail_about("the function", "no memory");
    }
    credentials_keep_fresh(&credentials);
    call->request = of_function("POST", function, "invocations");
    call->request.body = event;
    call->headers = make_headers(&call->request);
    send_call(call);
    return call;
}

/* A call that has ended, with or without an answer; NULL if none has. */
static struct aws_call *ended_call(void)
{
    int count;
    struct aws_call *call = NULL;
    const CURLMsg *message = curl_multi_info_read(calls, &count);
    if (message) {
        const CURLcode error = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        finish(&call->reply, error);
    }
    if (call && has_other_certificates(&call->reply)) {
        curl_multi_remove_handle(calls, call->reply.curl);
        send_call(call);
        return NULL;
    }
    return call;
}

struct aws_call *aws_call_wait(int milliseconds)
{
    struct aws_call *ended;
    int count;
    curl_multi_perform(calls, &count);
    ended = ended_call();
    if (!ended) {
        curl_multi_poll(calls, NULL, 0, milliseconds, NULL);
        curl_multi_perform(calls, &count);
        ended = ended_call();
    }
    return ended;
}

bool aws_call_end(struct aws_call *call, struct aws_answer *answer)
{
    struct reply *reply = &call->reply;
    const bool answered = is_expected(reply) && reply->status == 200;
    *answer = (struct aws_answer){ .failure = failure_of(&call->request, reply), .billed = reply->billed };
    snprintf(answer->url, sizeof answer->url, "%.255s", call->request.url);
    if (answered) {
        answer->text = reply->text;
        reply->text = NULL;
    }
    aws_call_drop(call);
    return answered;
}

void aws_call_drop(struct aws_call *call)
{
    curl_multi_remove_handle(calls, call->reply.curl);
    curl_easy_cleanup(call->reply.curl);
    curl_slist_free_all(call->headers);
    free(call->reply.text);
    free(call);
}

bool aws_renew_credentials(void)
{
    return credentials_renew(&credentials);
}
