/* Requests to AWS by libcurl, which keeps one connection per service open between requests. */
#define _GNU_SOURCE /* for asprintf */

#include "aws.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "credentials.h"
#include "fail.h"

enum {
    ENDPOINT_SIZE = 256,
    URL_SIZE = 1024,
    MAX_TEXT = 6 * 1024 * 1024, /* bytes; Lambda's limit for the answer of a function */
    ATTEMPTS = 12,
    FEW_ATTEMPTS = 4, /* for requests whose failure does no harm */
    CONNECT_SECONDS = 10,
    STALLED_SECONDS = 30,            /* an S3 request may stay below a byte per second for so long */
    FUNCTION_SECONDS = 15 * 60 + 20, /* Lambda's limit for a function, and some seconds for the network */
};

static struct credentials credentials;
static char s3_endpoint[ENDPOINT_SIZE], lambda_endpoint[ENDPOINT_SIZE];
static CURL *curl;

/* ---- Endpoints ---- */

static void find_endpoint(char *endpoint, const char *variable, const char *service)
{
    const char *given = getenv(variable);
    if (!given || !*given) {
        given = getenv("AWS_ENDPOINT_URL");
    }
    if (given && *given) {
        snprintf(endpoint, ENDPOINT_SIZE, "%.*s", (int)(strlen(given) - (given[strlen(given) - 1] == '/')), given);
    } else {
        snprintf(endpoint, ENDPOINT_SIZE, "https://%s.%s.amazonaws.com", service, credentials.region);
    }
}

void aws_start(void)
{
    const char *why = credentials_find(&credentials);
    if (why) {
        fail_about("credentials", "%s", why);
    }
    find_endpoint(s3_endpoint, "AWS_ENDPOINT_URL_S3", "s3");
    find_endpoint(lambda_endpoint, "AWS_ENDPOINT_URL_LAMBDA", "lambda");
    signal(SIGPIPE, SIG_IGN); /* a connection that breaks is an error of its request */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
    if (!curl) {
        fail_about("libcurl", "does not start");
    }
}

/* ---- One attempt ---- */

struct request {
    const char *service, *method;
    char url[URL_SIZE];
    const char *what;   /* stands before the URL in messages; or NULL */
    const char *digest; /* of the body, for S3; NULL: there is no body */
    const char *body;   /* or NULL */
    FILE *upload;       /* or NULL */
    uint64_t upload_size;
    FILE *download; /* receives the body of an answer with status 200; NULL: that goes to the reply's text */
};

struct reply {
    CURLcode error;
    long status;
    bool function_error;
    char *text;
    size_t size;
    FILE *download;
};

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct reply *reply = context;
    long status = 0;
    (void)one;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
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

static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    static const char name[] = "x-amz-function-error:";
    struct reply *reply = context;
    (void)one;
    if (size > sizeof name && !curl_strnequal(data, name, sizeof name - 1)) {
        return size;
    }
    reply->function_error = reply->function_error || size > sizeof name;
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
    } else {
        headers = add_header(headers, "Content-Type", "application/json");
    }
    if (credentials.token) {
        headers = add_header(headers, "x-amz-security-token", credentials.token);
    }
    return headers;
}

static void set_options(const struct request *request, struct reply *reply, struct curl_slist *headers)
{
    char signature[128];
    const bool is_function = !strcmp(request->service, "lambda");
    snprintf(signature, sizeof signature, "aws:amz:%s:%s", credentials.region, request->service);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERNAME, credentials.id);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials.secret);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signature);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE,
                     1L); /* routers forget connections that are silent for as long as a function may work */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, is_function ? (long)FUNCTION_SECONDS : 0L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, is_function ? 0L : (long)STALLED_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, is_function ? 0L : 1L);
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

static struct reply attempt(const struct request *request)
{
    struct reply reply = { .download = request->download };
    struct curl_slist *headers = make_headers(request);
    if (request->download) {
        rewind(request->download);
        if (fflush(request->download) || ftruncate(fileno(request->download), 0)) {
            fail_about(request->what, "%s", strerror(errno));
        }
    }
    set_options(request, &reply, headers);
    reply.error = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_slist_free_all(headers);
    return reply;
}

/* ---- Attempts ---- */

unsigned aws_attempts(void)
{
    const char *given = getenv("XC_LAMBDA_ATTEMPTS");
    const int number = given ? atoi(given) : ATTEMPTS;
    return number > 0 ? (unsigned)number : 1;
}

void aws_wait(unsigned number)
{
    enum { BASE_MS = 200, MOST_MS = 20000 };
    unsigned most = BASE_MS, chance = 0;
    for (unsigned i = 0; i < number && most < MOST_MS; i++) {
        most *= 2;
    }
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance) {
        chance = 0;
    }
    const unsigned wait = chance % ((most < MOST_MS ? most : MOST_MS) + 1);
    nanosleep(&(struct timespec){ .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000L }, NULL);
}

static bool may_work_later(const struct reply *reply)
{
    switch (reply->error) {
    case CURLE_OK:
        return reply->status == 408 || reply->status == 429 || reply->status >= 500 ||
               (reply->status == 400 && reply->text && strstr(reply->text, "RequestTimeout"));
    case CURLE_WRITE_ERROR:
    case CURLE_READ_ERROR:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_OUT_OF_MEMORY:
        return false;
    default:
        return true;
    }
}

static struct reply try_often(const struct request *request, unsigned attempts)
{
    struct reply reply = attempt(request);
    for (unsigned number = 0; may_work_later(&reply) && number + 1 < attempts; number++) {
        free(reply.text);
        aws_wait(number);
        reply = attempt(request);
    }
    return reply;
}

static struct reply perform(const struct request *request)
{
    return try_often(request, aws_attempts());
}

/* Copies the text of the XML element, or of the JSON string, with this name. */
static void find_text(const char *text, const char *name, char *found, size_t size)
{
    const char *at = text ? strstr(text, name) : NULL;
    found[0] = '\0';
    if (!at) {
        return;
    }
    at += strlen(name);
    at += strspn(at, ">\":< ");
    snprintf(found, size, "%.*s", (int)strcspn(at, "<\"\n"), at);
}

static _Noreturn void fail_by(const struct request *request, const struct reply *reply)
{
    char code[100], message[300], about[URL_SIZE + 300];
    snprintf(about, sizeof about, "%.256s%s%s", request->what ? request->what : "", request->what ? ": " : "",
             request->url);
    if (reply->error) {
        fail_about(about, "%s", curl_easy_strerror(reply->error));
    }
    find_text(reply->text, "<Code", code, sizeof code);
    find_text(reply->text, !strcmp(request->service, "s3") ? "<Message" : "essage\"", message, sizeof message);
    fail_about(about, "HTTP %ld %s%s%s", reply->status, code, code[0] ? ": " : "", message);
}

/* ---- Objects ---- */

static struct request object(const char *method, const char *bucket, const char *key)
{
    struct request request = { .service = "s3", .method = method };
    snprintf(request.url, sizeof request.url, "%s/%.63s/%.200s", s3_endpoint, bucket, key);
    return request;
}

bool aws_object_exists(const char *bucket, const char *key)
{
    const struct request request = object("HEAD", bucket, key);
    const struct reply reply = perform(&request);
    if (reply.error || (reply.status != 200 && reply.status != 404)) {
        fail_by(&request, &reply);
    }
    free(reply.text);
    return reply.status == 200;
}

void aws_object_put_file(const char *bucket, const char *key, const char *path, const char *digest, uint64_t size)
{
    struct request request = object("PUT", bucket, key);
    request.what = path;
    request.digest = digest;
    request.upload_size = size;
    request.upload = fopen(path, "rb");
    if (!request.upload) {
        fail_about(path, "%s", strerror(errno));
    }
    const struct reply reply = perform(&request);
    if (reply.error || reply.status != 200) {
        fail_by(&request, &reply);
    }
    fclose(request.upload);
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

enum aws_call_result aws_function_call(const char *function, const char *event, char **text)
{
    struct request request = { .service = "lambda", .method = "POST", .body = event };
    snprintf(request.url, sizeof request.url, "%s/2015-03-31/functions/%.140s/invocations", lambda_endpoint, function);
    struct reply reply = attempt(&request);
    if (!may_work_later(&reply) && (reply.error || reply.status != 200)) {
        fail_by(&request, &reply);
    }
    if (reply.error || !reply.text) {
        free(reply.text);
        reply.text = strdup(reply.error ? curl_easy_strerror(reply.error) : "no answer");
    }
    *text = reply.text;
    if (reply.error || reply.status != 200 || reply.function_error) {
        return reply.status == 429 ? AWS_CALL_THROTTLED : AWS_CALL_BROKEN;
    }
    return AWS_CALL_ANSWERED;
}
