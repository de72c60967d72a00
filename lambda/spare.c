/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for flock */

#include "spare.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "sha256.h"
#include "value.h"

#define DIRECTORY ".xc-lambda/workers"

/* The logarithm of a step's time has a standard deviation of 0.256 to 0.384 for what is in the pictures alone
 * (docs/notes/latency.md). So twice the median is exceeded by 0.3 to 3.6 % of the tasks with workers that are not slow,
 * which DONE_PER_SPARE allows for; 1.5 times, by 6 to 15 %. */
enum {
    LEAST_DONE = 4,      /* tasks of a kind, before anything is known of it */
    TIMES_USUAL = 2,     /* a task is late after so many times the median of its kind */
    MORE_SECONDS = 2,    /* and so many seconds, in which a worker can be started */
    DONE_PER_SPARE = 25, /* at most one of so many gets a spare worker, since that costs as much as a task */
    USUAL_SPARES = 8,    /* at once */
    MOST_SPARES = 1000,
};

enum { LINE_SIZE = 128 };

static unsigned most_at_once(void)
{
    const char *given = getenv("XC_LAMBDA_SPARES");
    char *end;
    if (!given || !*given) {
        return USUAL_SPARES;
    }
    const long number = strtol(given, &end, 10);
    if (*end || number < 0 || number > MOST_SPARES) {
        fail_about("XC_LAMBDA_SPARES", "'%s' is not a number from 0 to %d", given, MOST_SPARES);
    }
    return (unsigned)number;
}

/* ---- Kinds ---- */

/* Appends a file's name without the numbers of chunks in it. */
static void append_role(json_t *words, const char *name)
{
    enum { DIGITS = 8 };
    char *role = strdup(name), *end = role;
    if (!role) {
        fail_about("task", "no memory");
    }
    while (*name) {
        if (strspn(name, "0123456789") >= DIGITS) {
            name += DIGITS;
        } else {
            *end++ = *name++;
        }
    }
    *end = '\0';
    value_append_text(words, role);
    free(role);
}

/* Lists what makes the task's kind: of each step the tool, the options without their values, and the names of what it
 * writes without the numbers of chunks. */
static json_t *kind_of(json_t *task)
{
    json_t *words = value_sure(json_array()), *step, *item;
    size_t i, k;
    json_array_foreach(value_get(task, "steps"), i, step)
    {
        value_append_text(words, value_text(step, "tool"));
        json_array_foreach(value_get(step, "arguments"), k, item)
        {
            const char *argument = json_string_value(item);
            if (*argument == '-') {
                json_array_append_new(words, value_sure(json_stringn(argument, strcspn(argument, "="))));
            }
        }
        json_array_foreach(value_get(step, "outputs"), k, item)
        {
            append_role(words, json_string_value(item));
        }
    }
    return words;
}

/* Sets the path of the journal for the task's kind, which shows the first tool. */
static void find_journal(struct spare *spare, json_t *task)
{
    char digest[SHA256_TEXT];
    json_t *kind = kind_of(task);
    char *text = json_dumps(kind, JSON_COMPACT);
    if (!text) {
        fail_about("task", "no memory");
    }
    sha256_of_bytes(text, strlen(text), digest);
    snprintf(spare->path, sizeof spare->path, DIRECTORY "/%.64s-%.16s", json_string_value(json_array_get(kind, 0)),
             digest);
    free(text);
    json_decref(kind);
}

/* ---- The journal: "RUN begun", "RUN done SECONDS", "RUN spare" ---- */

/* Opens it for writing at its end. */
static int open_journal(const struct spare *spare)
{
    const int file = open(spare->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
        fail_about(spare->path, "%s", strerror(errno));
    }
    return file;
}

/* Adds a line, whole or not at all. A run whose journal lacks some has fewer spare workers. */
static void add_line(int file, const struct spare *spare, const char *what)
{
    char line[LINE_SIZE];
    const int length = snprintf(line, sizeof line, "%s %s\n", spare->run, what);
    if (write(file, line, (size_t)length) != length) {
        return;
    }
}

static void add_time(struct spare *spare, double seconds)
{
    if (spare->done == spare->room) {
        const size_t room = 2 * spare->room + 64;
        double *larger = realloc(spare->seconds, room * sizeof *larger);
        if (!larger) {
            return;
        }
        spare->seconds = larger;
        spare->room = room;
    }
    spare->seconds[spare->done++] = seconds;
}

/* Reads what has been added since the last time. */
static void read_journal(struct spare *spare)
{
    char line[LINE_SIZE], run[LINE_SIZE], what[LINE_SIZE];
    double seconds;
    clearerr(spare->journal);
    while (fgets(line, sizeof line, spare->journal)) {
        const int words = sscanf(line, "%127s %127s %lf", run, what, &seconds);
        if (words < 2 || strcmp(run, spare->run) != 0) {
            continue;
        }
        if (!strcmp(what, "begun")) {
            spare->begun++;
        } else if (!strcmp(what, "spare")) {
            spare->spares++;
        } else if (!strcmp(what, "done") && words == 3) {
            add_time(spare, seconds);
        }
    }
}

/* ---- The rule ---- */

static int compare(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* The order of the times does not matter, so they are sorted where they are. */
static double median(struct spare *spare)
{
    qsort(spare->seconds, spare->done, sizeof *spare->seconds, compare);
    return spare->seconds[spare->done / 2];
}

/* Whether enough of the kind are done to know what is usual, and few enough have had a spare worker. */
static bool may_have_more(const struct spare *spare)
{
    const size_t most = spare->done < DONE_PER_SPARE ? 1 : spare->done / DONE_PER_SPARE;
    return spare->done >= LEAST_DONE && 4 * spare->done >= 3 * spare->begun && spare->spares < most;
}

void spare_start(struct spare *spare, json_t *task, const char *run)
{
    *spare = (struct spare){ .run = run, .lock = -1 };
    if (!most_at_once()) {
        return;
    }
    mkdir(".xc-lambda", 0777);
    mkdir(DIRECTORY, 0777);
    find_journal(spare, task);
    const int file = open_journal(spare);
    add_line(file, spare, "begun");
    close(file);
    spare->journal = fopen(spare->path, "re");
    if (!spare->journal) {
        fail_about(spare->path, "%s", strerror(errno));
    }
}

double spare_limit(struct spare *spare)
{
    if (!spare->journal) {
        return INFINITY;
    }
    read_journal(spare);
    return may_have_more(spare) ? TIMES_USUAL * median(spare) + MORE_SECONDS : INFINITY;
}

/* Takes one of the locks. */
static bool lock_one(struct spare *spare)
{
    char path[SPARE_PATH_SIZE];
    for (unsigned i = 0; i < most_at_once(); i++) {
        snprintf(path, sizeof path, DIRECTORY "/lock-%u", i);
        spare->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (spare->lock >= 0 && !flock(spare->lock, LOCK_EX | LOCK_NB)) {
            return true;
        }
        spare_release(spare);
    }
    return false;
}

bool spare_take(struct spare *spare)
{
    if (!lock_one(spare)) {
        return false;
    }
    const int file = open_journal(spare);
    flock(file, LOCK_EX); /* nobody else takes the last one now */
    read_journal(spare);
    const bool may = may_have_more(spare);
    if (may) {
        add_line(file, spare, "spare");
    } else {
        spare_release(spare);
    }
    close(file);
    return may;
}

void spare_release(struct spare *spare)
{
    if (spare->lock >= 0) {
        close(spare->lock);
    }
    spare->lock = -1;
}

void spare_finish(struct spare *spare, double seconds)
{
    char what[LINE_SIZE];
    spare_release(spare);
    if (spare->journal && seconds > 0) {
        const int file = open_journal(spare);
        snprintf(what, sizeof what, "done %.3f", seconds);
        add_line(file, spare, what);
        close(file);
    }
    if (spare->journal) {
        fclose(spare->journal);
    }
    free(spare->seconds);
    *spare = (struct spare){ .lock = -1 };
}
