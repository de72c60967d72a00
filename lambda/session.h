/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials of limited life, from a command that prints them as JSON ("Sourcing credentials with an external
 * process", AWS SDKs and Tools Reference Guide). The command may take a second of CPU time, and hundreds of wrappers
 * want its result, so one of them runs it, and the others find what it has printed in a file that only the user can
 * read:
 * ~/.cache/excamera/HASH (XDG_CACHE_HOME). */
#ifndef XC_LAMBDA_SESSION_H
#define XC_LAMBDA_SESSION_H

#include <stdbool.h>
#include <time.h>

struct session {
    char *id, *secret;
    char *token; /* or NULL */
    time_t expires;
};

/* Whether the session ends within a minute. */
bool session_is_old(const struct session *session);

/* Stores a session that is not old. The caller calls session_free. refused: the id of credentials that AWS takes for
 * expired, whatever their date is; or NULL.
 *
 * If the command fails, and has given credentials that were valid until less than an hour ago, the user may have to log
 * in again: this prints a line and waits for that, up to an hour, so that a run does not end for it. Returns false if
 * there are no credentials. The command's own messages go to standard error, unless quiet. */
bool session_get(struct session *session, const char *command, const char *refused, bool quiet);
void session_free(struct session *session);

#endif
