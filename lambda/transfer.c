/* SPDX-License-Identifier: BSD-2-Clause */
#include "transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "message.h"
#include "requester.h"
#include "value.h"

struct transfer {
    json_int_t id;
    bool ended;
    struct transfer_reply reply;
    json_t *said; /* the message at its end, which has the reply's texts; or NULL */
    char *text;   /* the answer's body; or NULL */
    struct transfer *next;
};

static struct transfer *all;
static int requester = -1; /* the socket; -1: not connected */
static bool alone;         /* the process is our own */

/* ---- Ends ---- */

static void end_without_answer(struct transfer *transfer)
{
    transfer->ended = true;
    transfer->reply.error = "xc-requests has ended";
    transfer->reply.fatal = alone;
}

/* After the process has ended: so have all requests. */
static void lose_requester(void)
{
    for (struct transfer *transfer = all; transfer; transfer = transfer->next) {
        if (!transfer->ended) {
            end_without_answer(transfer);
        }
    }
    close(requester);
    requester = -1;
    alone = true;
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

/* body: a file, which this closes; or -1. */
static void end(struct transfer *transfer, json_t *said, int body)
{
    size_t size;
    transfer->ended = true;
    transfer->said = json_incref(said);
    transfer->text = body < 0 ? NULL : message_text(body, TRANSFER_MAX_TEXT, &size);
    transfer->reply = (struct transfer_reply){ .error = value_text(said, "error"),
                                               .fatal = json_is_true(value_get(said, "fatal")),
                                               .status = (long)value_integer(said, "status"),
                                               .head = text_or_empty(value_text(said, "head")),
                                               .text = text_or_empty(transfer->text) };
}

/* ---- Requests ---- */

static json_t *describe(const struct transfer_request *request, json_int_t id)
{
    return value_sure(json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:O, s:s, s:I}", "id", id, "method", request->method,
                                "url", request->url, "signature", request->signature, "user", request->user, "password",
                                request->password, "headers", request->headers, "authorities", request->authorities,
                                "size", (json_int_t)request->size));
}

/* Returns false if there is no process any more. */
static bool send_message(json_t *message, int file)
{
    if (requester < 0) {
        requester = requester_connect(&alone);
    }
    const bool sent = message_send(requester, message, file);
    if (!sent && errno == EMSGSIZE) {
        fail_about("settings", "a request would have headers of more than %d bytes", MESSAGE_SIZE);
    }
    if (!sent) {
        lose_requester();
    }
    return sent;
}

struct transfer *transfer_begin(const struct transfer_request *request)
{
    static json_int_t last;
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer) {
        fail_about("xc-requests", "no memory");
    }
    *transfer = (struct transfer){ .id = ++last, .reply = { .head = "", .text = "" } };
    json_t *message = describe(request, transfer->id);
    bool sent = false;
    for (int i = 0; i < 2 && !sent; i++) { /* the second time to another process */
        sent = send_message(message, request->file);
    }
    if (!sent) {
        end_without_answer(transfer);
    }
    json_decref(message);
    transfer->next = all;
    all = transfer;
    return transfer;
}

void transfer_wait(int milliseconds)
{
    struct pollfd wait = { .fd = requester, .events = POLLIN };
    int body;
    if (requester < 0 || poll(&wait, 1, milliseconds) <= 0) {
        return;
    }
    json_t *said = message_receive(requester, &body);
    if (!said) {
        lose_requester();
        return;
    }
    struct transfer *transfer = all;
    while (transfer && transfer->id != value_integer(said, "id")) {
        transfer = transfer->next;
    }
    if (transfer) {
        end(transfer, said, body);
    } else if (body >= 0) { /* it has been dropped */
        close(body);
    }
    json_decref(said);
}

const struct transfer_reply *transfer_reply(const struct transfer *transfer)
{
    return transfer->ended ? &transfer->reply : NULL;
}

void transfer_free(struct transfer *transfer)
{
    struct transfer **place = &all;
    while (*place != transfer) {
        place = &(*place)->next;
    }
    *place = transfer->next;
    if (!transfer->ended) {
        json_t *message = value_sure(json_pack("{s:I}", "id", transfer->id));
        send_message(message, -1);
        json_decref(message);
    }
    json_decref(transfer->said);
    free(transfer->text);
    free(transfer);
}
