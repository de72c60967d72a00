/* SPDX-License-Identifier: BSD-2-Clause */
#include "request.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "../message.h"
#include "../transfer.h"
#include "../value.h"
#include "sockets.h"
#include "trust.h"

enum {
    AT_ONCE = 128, /* requests that are no calls. More would open more connections; each costs the CPU time of many
                    * requests. */
    MAX_HEAD = 32 * 1024, /* bytes; the end of a function's log is 6 kB of it */
    CONNECT_SECONDS = 10,
    STALLED_SECONDS = 30,            /* an S3 request may stay below a byte per second for so long */
    FUNCTION_SECONDS = 15 * 60 + 20, /* Lambda's limit for a function, and some seconds for the network */
    CALL_BUFFER = 4 * 1024,          /* bytes; calls are many, and most of the time they wait */
};

struct text {
    char *bytes; /* NULL: there are none */
    size_t size;
};

struct request {
    int owner;
    json_t *said;
    int file;    /* -1: none */
    char *event; /* of a call */
    size_t event_size;
    CURL *curl;
    struct curl_slist *headers;
    bool by_directory; /* the certificates to trust are looked up in the system's directory */
    enum state { WAITING, ACTIVE, ENDED, STATES } state;
    struct text head, body;
    bool headed; /* the head of the answer is complete */
    CURLcode result;
    TAILQ_ENTRY(request) place; /* in the list of its state */
};

static TAILQ_HEAD(list, request) lists[STATES];
static unsigned active; /* how many are that are no calls */
static CURLM *multi;
static CURLSH *sessions; /* of TLS, which make new connections cheaper */

bool request_start(void)
{
    for (int i = 0; i < STATES; i++) {
        TAILQ_INIT(&lists[i]);
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    sessions = curl_share_init();
    return multi && sessions && !curl_share_setopt(sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) &&
           sockets_start(multi);
}

static const char *said_text(const struct request *request, const char *name)
{
    return value_text(request->said, name);
}

static bool has_method(const struct request *request, const char *method)
{
    return !strcmp(said_text(request, "method"), method);
}

static bool is_call(const struct request *request)
{
    return has_method(request, "POST");
}

/* ---- What libcurl calls ---- */

static bool append(struct text *text, const char *data, size_t size, size_t most)
{
    char *larger = text->size + size <= most ? realloc(text->bytes, text->size + size + 1) : NULL;
    if (!larger) {
        return false;
    }
    memcpy(larger + text->size, data, size);
    *text = (struct text){ .bytes = larger, .size = text->size + size };
    larger[text->size] = '\0';
    return true;
}

static long status_of(CURL *curl)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct request *request = context;
    (void)one;
    const bool done = has_method(request, "GET") && request->file >= 0 && status_of(request->curl) == 200
                          ? message_write(request->file, data, size)
                          : append(&request->body, data, size, TRANSFER_MAX_TEXT);
    return done ? size : 0;
}

/* Headers that JSON cannot have, and those for which there is no room, are left out. */
static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    struct request *request = context;
    bool plain = true;
    (void)one;
    request->headed |= *data == '\r' && status_of(request->curl) >= 200; /* before that there may be "100 Continue" */
    for (size_t i = 0; i < size; i++) {
        plain &= data[i] > 0;
    }
    if (plain) {
        append(&request->head, data, size, MAX_HEAD);
    }
    return size;
}

static size_t on_read(char *buffer, size_t one, size_t size, void *context)
{
    const struct request *request = context;
    ssize_t got;
    while ((got = read(request->file, buffer, one * size)) < 0 && errno == EINTR) {
    }
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
    const struct request *request = context;
    return lseek(request->file, (off_t)offset, origin) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

/* ---- Options ---- */

static void set_limits(const struct request *request)
{
    CURL *curl = request->curl;
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    if (is_call(request)) {
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)FUNCTION_SECONDS);
        curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)CALL_BUFFER);
    } else {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_SECONDS);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    }
}

static void set_body(const struct request *request)
{
    CURL *curl = request->curl;
    if (is_call(request)) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->event);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->event_size);
    } else if (has_method(request, "HEAD")) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (has_method(request, "PUT")) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, request);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, request);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)value_integer(request->said, "size"));
    }
}

static void set_options(struct request *request)
{
    CURL *curl = request->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, said_text(request, "url"));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERNAME, said_text(request, "user"));
    curl_easy_setopt(curl, CURLOPT_PASSWORD, said_text(request, "password"));
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, said_text(request, "signature"));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
    request->by_directory = trust_set(curl, said_text(request, "authorities"));
    curl_easy_setopt(curl, CURLOPT_SHARE, sessions);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE,
                     1L); /* routers forget connections that are silent for as long as a function may work */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, request);
    set_limits(request);
    set_body(request);
}

/* ---- States ---- */

static void set_state(struct request *request, enum state state)
{
    if (request->state == ACTIVE) {
        curl_multi_remove_handle(multi, request->curl);
        active -= !is_call(request);
    }
    TAILQ_REMOVE(&lists[request->state], request, place);
    TAILQ_INSERT_TAIL(&lists[state], request, place);
    request->state = state;
}

static void end(struct request *request, CURLcode result)
{
    const bool headless = result == CURLE_OK && !request->headed; /* libcurl does not mind if it ends there */
    request->result = headless ? CURLE_GOT_NOTHING : result;
    set_state(request, ENDED);
}

static void start(struct request *request)
{
    set_options(request);
    set_state(request, ACTIVE);
    active += !is_call(request);
    if ((request->file >= 0 && lseek(request->file, 0, SEEK_SET)) || curl_multi_add_handle(multi, request->curl)) {
        end(request, CURLE_READ_ERROR);
    }
}

static void forget(struct request *request)
{
    set_state(request, ENDED);
    TAILQ_REMOVE(&lists[ENDED], request, place);
    curl_easy_cleanup(request->curl);
    curl_slist_free_all(request->headers);
    json_decref(request->said);
    if (request->file >= 0) {
        close(request->file);
    }
    free(request->event);
    free(request->head.bytes);
    free(request->body.bytes);
    free(request);
}

/* The server's certificate may be vouched for by one that only the system's file has. */
static bool deserves_another(const struct request *request, CURLcode result)
{
    return result == CURLE_PEER_FAILED_VERIFICATION && request->by_directory;
}

void request_go_on(void)
{
    int count;
    sockets_go_on();
    for (const CURLMsg *message; (message = curl_multi_info_read(multi, &count));) {
        struct request *request;
        const CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
        if (deserves_another(request, result)) {
            trust_file();
            set_state(request, WAITING);
            start(request);
        } else {
            end(request, result);
        }
    }
    while (active < AT_ONCE && !TAILQ_EMPTY(&lists[WAITING])) {
        start(TAILQ_FIRST(&lists[WAITING]));
    }
}

/* ---- Beginning ---- */

/* Whether it has all members that a request has, and the file that belongs to the method. */
static bool is_complete(json_t *said, int file)
{
    static const char *const texts[] = { "url", "signature", "user", "password", "authorities" };
    const char *method = value_text(said, "method");
    bool complete = method && json_is_integer(value_get(said, "id")) && json_is_array(value_get(said, "headers"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        complete = complete && value_text(said, texts[i]);
    }
    if (complete && (!strcmp(method, "PUT") || !strcmp(method, "POST"))) {
        return file >= 0;
    }
    return complete && (!strcmp(method, "GET") || (!strcmp(method, "HEAD") && file < 0));
}

/* Sets what the handle needs besides its options. */
static bool prepare(struct request *request)
{
    size_t i;
    json_t *line;
    json_array_foreach(value_get(request->said, "headers"), i, line)
    {
        const char *text = json_string_value(line);
        struct curl_slist *longer = text ? curl_slist_append(request->headers, text) : NULL;
        if (!longer) {
            return false;
        }
        request->headers = longer;
    }
    if (is_call(request)) {
        request->event = message_text(request->file, TRANSFER_MAX_TEXT, &request->event_size);
        request->file = -1;
    }
    request->curl = curl_easy_init();
    return request->curl && (request->event || !is_call(request));
}

bool request_begin(json_t *said, int file, int owner)
{
    struct request *request = is_complete(said, file) ? calloc(1, sizeof *request) : NULL;
    if (!request) {
        if (file >= 0) {
            close(file);
        }
        return false;
    }
    *request = (struct request){ .owner = owner, .said = json_incref(said), .file = file };
    TAILQ_INSERT_TAIL(&lists[WAITING], request, place);
    if (!prepare(request)) {
        forget(request);
        return false;
    }
    if (is_call(request)) {
        start(request);
    }
    return true;
}

/* ---- Ends ---- */

int request_descriptor(void)
{
    return sockets_descriptor();
}

int request_timeout(void)
{
    return sockets_timeout();
}

struct request *request_ended(void)
{
    return TAILQ_FIRST(&lists[ENDED]);
}

int request_owner(const struct request *request)
{
    return request->owner;
}

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

json_t *request_take_end(struct request *request, int *file)
{
    const struct text *head = &request->head, *body = &request->body;
    json_t *id = value_get(request->said, "id"), *end;
    *file = -1;
    if (request->result) {
        end = json_pack("{s:O, s:s, s:b}", "id", id, "error", curl_easy_strerror(request->result), "fatal",
                        !is_network(request->result));
    } else {
        *file = body->size ? message_file(body->bytes, body->size) : -1;
        end = json_pack("{s:O, s:I, s:s}", "id", id, "status", (json_int_t)status_of(request->curl), "head",
                        head->bytes ? head->bytes : "");
    }
    forget(request);
    return end;
}

void request_drop(int owner, json_t *id)
{
    for (int i = 0; i < STATES; i++) {
        struct request *next;
        for (struct request *request = TAILQ_FIRST(&lists[i]); request; request = next) {
            next = TAILQ_NEXT(request, place);
            if (request->owner == owner && (!id || json_equal(value_get(request->said, "id"), id))) {
                forget(request);
            }
        }
    }
}
