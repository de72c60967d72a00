/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages between a wrapper and xc-requests, over a Unix socket that keeps them apart (SOCK_SEQPACKET). Each is JSON,
 * and may have one open file with it.
 *
 * A wrapper says:
 *   {"id": N, "method": "HEAD", "GET", "PUT" or "POST", "url": TEXT, "signature": what CURLOPT_AWS_SIGV4 takes,
 *    "user": TEXT, "password": TEXT, "headers": [LINE...], "authorities": PATH or "", "size": BYTES}
 *       Make this request. POST is a call of a function, which may work for long. The file of PUT and POST is what to
 *       send, from its beginning; that of GET, if there is one, gets the body of an answer with status 200.
 *       authorities: a file with the certificates to trust; "": those of the system.
 *   {"id": N}
 *       Drop that request.
 * xc-requests says:
 *   {"id": N, "status": N, "head": TEXT}
 *       There is an answer, with these headers. The file is its body, if it has one that is not in the file of GET.
 *   {"id": N, "error": TEXT, "fatal": BOOL}
 *       There is none. fatal: it cannot be the network. */
#ifndef XC_LAMBDA_MESSAGE_H
#define XC_LAMBDA_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { MESSAGE_SIZE = 64 * 1024 /* bytes, at most */ };

/* Sends the message, and the file unless it is -1. false with errno; EMSGSIZE: it is too long. */
bool message_send(int socket, json_t *message, int file);
/* Receives a message. The caller owns it, and the file, which is -1 if there is none. NULL: the other side has gone, or
 * has sent what is no message. */
json_t *message_receive(int socket, int *file);

/* Whether the process at the other end is this user's. */
bool message_is_ours(int socket);

/* Writes all of it. false with errno on failure. */
bool message_write(int file, const char *text, size_t size);
/* Makes a file in memory that has this text. -1 with errno on failure. */
int message_file(const char *text, size_t size);
/* Reads such a file, or another one of at most `most` bytes, and closes it. The caller frees the text, which ends with
 * a zero byte. NULL: it is larger, or cannot be read. */
char *message_text(int file, size_t most, size_t *size);

#endif
