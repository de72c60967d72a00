/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for flock, strptime and timegm */

#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "settings.h"
#include "sha256.h"
#include "value.h"

enum {
    PATH_SIZE = 1024,
    MARGIN = 60,            /* seconds before the end at which a session counts as old */
    UNKNOWN_LIFE = 15 * 60, /* seconds; of credentials without a date */
    PATIENCE = 60 * 60,     /* seconds; how long the user may take to log in again */
    INTERVAL = 5,           /* seconds between two attempts while the user does */
    MAX_OUTPUT = 64 * 1024, /* bytes */
};

bool session_is_old(const struct session *session)
{
    return time(NULL) > session->expires - MARGIN;
}

void session_free(struct session *session)
{
    free(session->id);
    free(session->secret);
    free(session->token);
    session->id = session->secret = session->token = NULL;
}

static char *copy(const char *text)
{
    return text && *text && !strpbrk(text, "\r\n") ? strdup(text) : NULL;
}

/* Functions that return a session return one without an id if there is none. This one takes it from the JSON of a
 * command, which has a date, or from that of our file, which has seconds. */
static struct session session_from(json_t *said)
{
    struct tm date = { 0 };
    const char *until = value_text(said, "Expiration");
    json_t *seconds = value_get(said, "expires");
    struct session session = { .id = copy(value_text(said, "AccessKeyId")),
                               .secret = copy(value_text(said, "SecretAccessKey")),
                               .token = copy(value_text(said, "SessionToken")) };
    session.expires = json_is_integer(seconds) ? (time_t)json_integer_value(seconds) : time(NULL) + UNKNOWN_LIFE;
    if (until && strptime(until, "%Y-%m-%dT%H:%M:%S", &date)) {
        session.expires = timegm(&date);
    }
    if (!session.id || !session.secret) {
        session_free(&session);
    }
    return session;
}

/* ---- The file ---- */

static bool make_directory(char path[static PATH_SIZE])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool given = cache && *cache == '/';
    snprintf(path, PATH_SIZE, "%s%s", given ? cache : home ? home : "", given ? "" : "/.cache");
    mkdir(path, 0700);
    strncat(path, "/excamera", PATH_SIZE - strlen(path) - 1);
    return !mkdir(path, 0700) || errno == EEXIST;
}

/* The file's name tells the command, the profile and the files in which that is. */
static bool find_path(char path[static PATH_SIZE], const char *command)
{
    char all[2 * PATH_SIZE], digest[SHA256_TEXT];
    const char *config = getenv("AWS_CONFIG_FILE");
    const int length = snprintf(all, sizeof all, "%s\n%s\n%s", command, settings_profile(), config ? config : "");
    if (!make_directory(path) || length < 0 || (size_t)length >= sizeof all) {
        return false;
    }
    sha256_of_bytes(all, (size_t)length, digest);
    snprintf(path + strlen(path), PATH_SIZE - strlen(path), "/%.16s", digest);
    return true;
}

static struct session read_kept(const char *path)
{
    json_t *kept = json_load_file(path, 0, NULL);
    const struct session session = session_from(kept);
    json_decref(kept);
    return session;
}

/* A failure does no harm: the next process runs the command, too. */
static void keep(const struct session *session, const char *path)
{
    char other[PATH_SIZE + 4];
    snprintf(other, sizeof other, "%s.new", path);
    json_t *kept = json_pack("{s:s, s:s, s:s*, s:I}", "AccessKeyId", session->id, "SecretAccessKey", session->secret,
                             "SessionToken", session->token, "expires", (json_int_t)session->expires);
    unlink(other);
    const int descriptor = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0 && kept && !json_dumpfd(kept, descriptor, 0) && !close(descriptor)) {
        rename(other, path);
    }
    json_decref(kept);
}

/* ---- The command ---- */

static struct session run(const char *command, bool quiet)
{
    static char output[MAX_OUTPUT + 1];
    char *line;
    if (asprintf(&line, "{ %s\n} </dev/null%s", command, quiet ? " 2>/dev/null" : "") < 0) {
        return (struct session){ 0 };
    }
    FILE *pipe = popen(line, "re"); /* "credential_process" is a command for a shell */
    free(line);
    if (!pipe) {
        return (struct session){ 0 };
    }
    const size_t size = fread(output, 1, MAX_OUTPUT, pipe);
    const int status = pclose(pipe);
    json_t *said = status ? NULL : json_loadb(output, size, 0, NULL);
    const struct session session = session_from(said);
    json_decref(said);
    memset(output, 0, sizeof output);
    return session;
}

/* Whether the file has credentials that were valid until lately. */
static bool has_worked(const char *path)
{
    struct session before = read_kept(path);
    const bool lately = before.id && time(NULL) < before.expires + PATIENCE;
    session_free(&before);
    return lately;
}

/* Runs the command, again and again if it has worked until lately. */
static struct session run_with_patience(const char *command, const char *path, bool quiet)
{
    const time_t start = time(NULL);
    struct session session = run(command, quiet);
    if (session.id || !has_worked(path)) {
        return session;
    }
    fprintf(stderr, "xc-lambda: credentials: '%s' gives none any more; waiting for you to log in again\n", command);
    while (!session.id && time(NULL) < start + PATIENCE) {
        sleep(INTERVAL);
        session = run(command, true);
    }
    return session;
}

/* The credentials in our file, if they can be used. */
static struct session find_kept(const char *path, const char *refused)
{
    struct session session = read_kept(path);
    if (session.id && (session_is_old(&session) || (refused && !strcmp(refused, session.id)))) {
        session_free(&session);
    }
    return session;
}

/* The same, for one process at a time; runs the command if there are none. */
static struct session find_locked(const char *path, const char *command, const char *refused, bool quiet)
{
    char lock[PATH_SIZE + 5];
    snprintf(lock, sizeof lock, "%s.lock", path);
    const int descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (descriptor >= 0 && flock(descriptor, LOCK_EX) && errno == EINTR) {
    }
    struct session session = find_kept(path, refused); /* another process may have run the command meanwhile */
    if (!session.id) {
        session = run_with_patience(command, path, quiet);
        if (session.id) {
            keep(&session, path);
        }
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return session;
}

bool session_get(struct session *session, const char *command, const char *refused, bool quiet)
{
    char path[PATH_SIZE];
    if (!find_path(path, command)) {
        *session = run(command, quiet);
        return session->id;
    }
    *session = find_kept(path, refused);
    if (!session->id) {
        *session = find_locked(path, command, refused, quiet);
    }
    return session->id;
}
