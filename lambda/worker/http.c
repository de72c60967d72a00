/* SPDX-License-Identifier: BSD-2-Clause */
#include "http.h"

#include <curl/curl.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../clock.h"

enum {
    KEPT = 4,        /* connections: one to the runtime, one to the store, and one each for what is under way at once */
    GLANCE_MS = 250, /* how often exchanges are looked at that may have fallen silent */
    LONG_MS = 60000, /* any time after which to look whether there is something to do */
};

struct http_exchange {
    const struct http_request *request;
    struct http_reply reply;
    CURL *curl;
    struct sha256_ctx digest;
    uint64_t sent;              /* bytes of the request's text */
    double moved;               /* when something was sent or received */
    bool headed;                /* the head of the answer is complete */
    bool large;                 /* the answer has a large body */
    CURLcode result;            /* once it has ended */
    bool ended;                 /* it is no longer in `active` */
    struct http_exchange *next; /* in `active` */
};

static CURLM *multi;
static const char *trusted;
static void (*while_waiting)(void);
static struct http_exchange *active;

bool http_start(const char *ca_bundle)
{
    trusted = ca_bundle;
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
        return false;
    }
    multi = curl_multi_init();
    return multi && !curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)KEPT);
}

void http_while_waiting(void (*call)(void))
{
    while_waiting = call;
}

/* ---- What libcurl calls ---- */

static size_t on_read(char *buffer, size_t one, size_t size, void *context)
{
    struct http_exchange *exchange = context;
    const struct http_request *request = exchange->request;
    (void)one;
    exchange->moved = clock_now();
    if (request->upload) {
        const size_t count = fread(buffer, 1, size, request->upload);
        return ferror(request->upload) ? CURL_READFUNC_ABORT : count;
    }
    const uint64_t left = request->size - exchange->sent;
    const size_t count = left < size ? (size_t)left : size;
    memcpy(buffer, request->text + exchange->sent, count);
    exchange->sent += count;
    return count;
}

/* libcurl repeats a request by itself if a kept connection turns out to be closed. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct http_exchange *exchange = context;
    const struct http_request *request = exchange->request;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > request->size) {
        return CURL_SEEKFUNC_FAIL;
    }
    exchange->sent = (uint64_t)offset;
    return request->upload && fseeko(request->upload, offset, SEEK_SET) ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct http_exchange *exchange = context;
    struct http_reply *reply = &exchange->reply;
    const size_t most = exchange->request->most;
    long status = 0;
    (void)one;
    exchange->moved = clock_now();
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->request->download && status == 200) {
        sha256_update(&exchange->digest, size, (const uint8_t *)data);
        reply->size += size;
        return fwrite(data, 1, size, exchange->request->download);
    }
    const size_t kept = reply->size < most ? reply->size : most;
    const size_t taken = size < most - kept ? size : most - kept;
    char *text = realloc(reply->text, kept + taken + 1);
    if (!text) {
        return 0;
    }
    memcpy(text + kept, data, taken);
    text[kept + taken] = '\0';
    reply->text = text;
    reply->size += size;
    return size;
}

static void take_field(struct http_field *field, const char *data, size_t size)
{
    const size_t skip = strlen(field->name);
    if (size <= skip || !curl_strnequal(data, field->name, skip) || data[skip] != ':') {
        return;
    }
    for (data += skip + 1, size -= skip + 1; size && *data == ' '; data++, size--) {
    }
    while (size && strchr("\r\n ", data[size - 1])) {
        size--;
    }
    snprintf(field->value, sizeof field->value, "%.*s", (int)(size < HTTP_FIELD ? size : HTTP_FIELD - 1), data);
}

static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    struct http_exchange *exchange = context;
    curl_off_t length = 0;
    long status = 0;
    (void)one;
    exchange->moved = clock_now();
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    exchange->headed |= *data == '\r' && status >= 200; /* before that there may be "100 Continue" */
    for (struct http_field *field = exchange->request->fields; field && field->name; field++) {
        take_field(field, data, size);
    }
    curl_easy_getinfo(exchange->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    exchange->large = length > HTTP_SMALL;
    return size;
}

/* ---- One exchange ---- */

static void set_body(struct http_exchange *exchange)
{
    const struct http_request *request = exchange->request;
    const curl_off_t size = (curl_off_t)request->size;
    if (!strcmp(request->method, "POST")) {
        curl_easy_setopt(exchange->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDSIZE_LARGE, size);
    } else {
        curl_easy_setopt(exchange->curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(exchange->curl, CURLOPT_INFILESIZE_LARGE, size);
    }
    /* The server's leave to send a body (100 Continue) would cost a round trip for each. */
    curl_easy_setopt(exchange->curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    curl_easy_setopt(exchange->curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(exchange->curl, CURLOPT_READDATA, exchange);
    curl_easy_setopt(exchange->curl, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(exchange->curl, CURLOPT_SEEKDATA, exchange);
}

static void set_options(struct http_exchange *exchange)
{
    const struct http_request *request = exchange->request;
    CURL *curl = exchange->curl;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    if (trusted) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, trusted);
    }
    if (request->keys) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, request->keys->id);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, request->keys->secret);
        curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request->keys->scope);
    }
    if (request->fresh) { /* perhaps to another one of the service's machines */
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    }
    if (request->text || request->upload) {
        set_body(exchange);
    }
}

/* Empties what the answer is written to, since an attempt before may have left something there. */
static bool begin_anew(const struct http_request *request)
{
    for (struct http_field *field = request->fields; field && field->name; field++) {
        field->value[0] = '\0';
    }
    if (request->upload) {
        rewind(request->upload);
    }
    if (!request->download) {
        return true;
    }
    rewind(request->download);
    return !fflush(request->download) && !ftruncate(fileno(request->download), 0);
}

struct http_exchange *http_begin(const struct http_request *request)
{
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        return NULL;
    }
    *exchange = (struct http_exchange){ .request = request, .curl = curl_easy_init(), .moved = clock_now() };
    if (!exchange->curl) {
        free(exchange);
        return NULL;
    }
    sha256_init(&exchange->digest);
    set_options(exchange);
    exchange->result = begin_anew(request) ? CURLE_OK : CURLE_WRITE_ERROR;
    if (exchange->result == CURLE_OK && curl_multi_add_handle(multi, exchange->curl)) {
        exchange->result = CURLE_OUT_OF_MEMORY;
    }
    exchange->ended = exchange->result != CURLE_OK;
    if (!exchange->ended) {
        exchange->next = active;
        active = exchange;
    }
    return exchange;
}

/* Takes the exchange out of those that go on. If its answer is not complete, libcurl closes the connection. */
static void leave(struct http_exchange *exchange, CURLcode result)
{
    struct http_exchange **link = &active;
    if (result == CURLE_OK && !exchange->headed) { /* libcurl does not mind if the connection ends in the head */
        result = CURLE_GOT_NOTHING;
    }
    while (*link && *link != exchange) {
        link = &(*link)->next;
    }
    if (*link) {
        *link = exchange->next;
    }
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &exchange->reply.status);
    curl_multi_remove_handle(multi, exchange->curl);
    exchange->result = result;
    exchange->ended = true;
}

static enum http_error error_of(CURLcode result)
{
    switch (result) {
    case CURLE_OK:
        return HTTP_DONE;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_SILENCE;
    case CURLE_WRITE_ERROR:
    case CURLE_READ_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        return HTTP_FILE;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return HTTP_FATAL;
    default:
        return HTTP_NETWORK;
    }
}

bool http_has_ended(const struct http_exchange *exchange)
{
    return exchange->ended;
}

void http_end(struct http_exchange *exchange, struct http_reply *reply)
{
    FILE *download = exchange->request->download;
    if (!exchange->ended) {
        leave(exchange, CURLE_OPERATION_TIMEDOUT);
    }
    if (download && fflush(download) && exchange->result == CURLE_OK) {
        exchange->result = CURLE_WRITE_ERROR;
    }
    *reply = exchange->reply;
    reply->error = error_of(exchange->result);
    reply->words = curl_easy_strerror(exchange->result);
    sha256_finish(&exchange->digest, reply->digest);
    curl_easy_cleanup(exchange->curl);
    free(exchange);
}

void http_free(struct http_reply *reply)
{
    free(reply->text);
    reply->text = NULL;
}

/* ---- All exchanges ---- */

/* Ends those that libcurl has finished. Returns whether there are any. */
static bool end_finished(void)
{
    CURLMsg *message;
    int left;
    bool any = false;
    while ((message = curl_multi_info_read(multi, &left))) {
        struct http_exchange *exchange = NULL;
        const CURLcode result = message->data.result; /* the message does not outlive its exchange */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        leave(exchange, result);
        any = true;
    }
    return any;
}

static bool is_silent(const struct http_exchange *exchange)
{
    const struct http_request *request = exchange->request;
    unsigned limit = request->patience;
    if (limit && limit < HTTP_SECONDS_LARGE && (exchange->large || request->size > HTTP_SMALL)) {
        limit = HTTP_SECONDS_LARGE;
    }
    return limit && clock_now() - exchange->moved > limit;
}

/* Ends those that have been silent for too long. Returns whether there are any. */
static bool end_silent(void)
{
    bool any = false;
    for (struct http_exchange *exchange = active, *next; exchange; exchange = next) {
        next = exchange->next;
        if (is_silent(exchange)) {
            leave(exchange, CURLE_OPERATION_TIMEDOUT);
            any = true;
        }
    }
    return any;
}

/* Whether an exchange may fall silent, so that somebody has to look. */
static bool any_is_watched(void)
{
    for (const struct http_exchange *exchange = active; exchange; exchange = exchange->next) {
        if (exchange->request->patience) {
            return true;
        }
    }
    return false;
}

void http_wait(int milliseconds, int descriptor)
{
    struct curl_waitfd wanted = { .fd = descriptor, .events = CURL_WAIT_POLLIN };
    int running;
    if (while_waiting) {
        while_waiting();
    }
    curl_multi_perform(multi, &running);
    if (end_finished() || end_silent()) {
        return;
    }
    if (milliseconds > GLANCE_MS && any_is_watched()) {
        milliseconds = GLANCE_MS;
    }
    curl_multi_poll(multi, descriptor < 0 ? NULL : &wanted, descriptor >= 0, milliseconds, NULL);
}

void http_pause(unsigned milliseconds)
{
    const double end = clock_now() + milliseconds / 1000.0;
    for (double left; (left = end - clock_now()) > 0;) {
        http_wait((int)(left * 1000) + 1, -1);
    }
}

void http_perform(const struct http_request *request, struct http_reply *reply)
{
    struct http_exchange *exchange = http_begin(request);
    if (!exchange) {
        *reply = (struct http_reply){ .error = HTTP_FATAL, .words = "no memory" };
        return;
    }
    while (!exchange->ended) {
        http_wait(LONG_MS, -1);
    }
    http_end(exchange, reply);
}
