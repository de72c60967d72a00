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
    *session = (struct session){ 0 };
}

static char *copy(const char *text)
{
    return text && *text && !strpbrk(text, "\r\n") ? strdup(text) : NULL;
}

/* Takes a session from the JSON of a command, which has a date, or from that of our file, which has seconds. */
static bool take(struct session *session, json_t *said)
{
    struct tm date = { 0 };
    const char *until = value_text(said, "Expiration");
    json_t *seconds = value_get(said, "expires");
    *session = (struct session){ .id = copy(value_text(said, "AccessKeyId")),
                                 .secret = copy(value_text(said, "SecretAccessKey")),
                                 .token = copy(value_text(said, "SessionToken")) };
    session->expires = json_is_integer(seconds) ? (time_t)json_integer_value(seconds) : time(NULL) + UNKNOWN_LIFE;
    if (until && strptime(until, "%Y-%m-%dT%H:%M:%S", &date)) {
        session->expires = timegm(&date);
    }
    if (!session->id || !session->secret) {
        session_free(session);
    }
    return session->id;
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

static bool read_kept(struct session *session, const char *path)
{
    json_t *kept = json_load_file(path, 0, NULL);
    const bool found = take(session, kept);
    json_decref(kept);
    return found;
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

static bool run(struct session *session, const char *command, bool quiet)
{
    static char output[MAX_OUTPUT + 1];
    char *line;
    if (asprintf(&line, "{ %s\n} </dev/null%s", command, quiet ? " 2>/dev/null" : "") < 0) {
        return false;
    }
    FILE *pipe = popen(line, "re"); /* "credential_process" is a command for a shell */
    free(line);
    if (!pipe) {
        return false;
    }
    const size_t size = fread(output, 1, MAX_OUTPUT, pipe);
    const int status = pclose(pipe);
    json_t *said = status ? NULL : json_loadb(output, size, 0, NULL);
    const bool found = take(session, said);
    json_decref(said);
    memset(output, 0, sizeof output);
    return found;
}

/* Runs the command, again and again if it has worked until lately. */
static bool run_with_patience(struct session *session, const char *command, const char *path, bool quiet)
{
    struct session before;
    const time_t start = time(NULL);
    bool found = run(session, command, quiet), patient = false;
    if (!found && read_kept(&before, path)) {
        patient = start < before.expires + PATIENCE;
        session_free(&before);
    }
    if (patient) {
        fprintf(stderr, "xc-lambda: credentials: '%s' gives none any more; waiting for you to log in again\n", command);
    }
    while (!found && patient && time(NULL) < start + PATIENCE) {
        sleep(INTERVAL);
        found = run(session, command, true);
    }
    return found;
}

/* Whether our file has credentials that can be used. If not, *session is empty. */
static bool find_kept(struct session *session, const char *path, const char *refused)
{
    if (read_kept(session, path) && !session_is_old(session) && (!refused || strcmp(refused, session->id) != 0)) {
        return true;
    }
    session_free(session);
    return false;
}

bool session_get(struct session *session, const char *command, const char *refused, bool quiet)
{
    char path[PATH_SIZE], lock[PATH_SIZE + 5];
    *session = (struct session){ 0 };
    if (!find_path(path, command)) {
        return run(session, command, quiet);
    }
    if (find_kept(session, path, refused)) {
        return true;
    }
    snprintf(lock, sizeof lock, "%s.lock", path);
    const int descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (descriptor >= 0 && flock(descriptor, LOCK_EX) && errno == EINTR) {
    }
    bool found = find_kept(session, path, refused); /* another process may have run the command meanwhile */
    if (!found) {
        found = run_with_patience(session, command, path, quiet);
        if (found) {
            keep(session, path);
        }
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return found;
}
