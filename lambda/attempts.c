/* SPDX-License-Identifier: BSD-2-Clause */
#include "attempts.h"

#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

enum {
    USUAL_LIMIT = 12,
    SETTLE_LIMIT = 3,
    USUAL_PATIENCE = 3600, /* seconds */
};

/* The waiting time is random between 0 and a limit, which doubles with each failure ("full jitter", as in Exponential
 * Backoff And Jitter, AWS Architecture Blog, 2015). New rights take seconds to be known everywhere, so that limit
 * starts higher. */
static const unsigned first_limit_ms[REMEDIES] = {
    [REMEDY_REPEAT] = 200, [REMEDY_TWICE] = 200, [REMEDY_SETTLE] = 3000, [REMEDY_RENEW] = 200, [REMEDY_WAIT] = 200,
};
enum { LAST_LIMIT_MS = 20000 };

static unsigned setting(const char *variable, unsigned usual)
{
    const char *given = getenv(variable);
    const int number = given ? atoi(given) : (int)usual;
    return number > 0 ? (unsigned)number : 1;
}

unsigned attempts_limit(void)
{
    return setting("XC_LAMBDA_ATTEMPTS", USUAL_LIMIT);
}

struct attempts attempts_begin(unsigned limit)
{
    return (struct attempts){ .limit = limit, .since = time(NULL) };
}

/* The time at which this run of make has last finished a step, or the start of these attempts. */
static time_t last_progress(const struct attempts *attempts)
{
    struct stat status;
    return stat("timings.tsv", &status) || status.st_mtime < attempts->since ? attempts->since : status.st_mtime;
}

bool attempts_add(struct attempts *attempts, enum remedy remedy)
{
    const unsigned failed = ++attempts->failed[remedy];
    switch (remedy) {
    case REMEDY_REPEAT:
    case REMEDY_RENEW:
        return failed < attempts->limit;
    case REMEDY_TWICE:
        return failed < 2 && failed < attempts->limit;
    case REMEDY_SETTLE:
        return failed < SETTLE_LIMIT && failed < attempts->limit;
    case REMEDY_WAIT:
        return time(NULL) - last_progress(attempts) < (time_t)setting("XC_LAMBDA_PATIENCE", USUAL_PATIENCE);
    default:
        return false;
    }
}

unsigned attempts_made(const struct attempts *attempts)
{
    unsigned made = 0;
    for (int i = 0; i < REMEDIES; i++) {
        made += attempts->failed[i];
    }
    return made;
}

unsigned attempts_pause(const struct attempts *attempts, enum remedy remedy)
{
    unsigned limit = first_limit_ms[remedy], chance = 0;
    for (unsigned i = 1; i < attempts->failed[remedy] && limit < LAST_LIMIT_MS; i++) {
        limit *= 2;
    }
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance) {
        chance = 0;
    }
    return chance % ((limit < LAST_LIMIT_MS ? limit : LAST_LIMIT_MS) + 1);
}

void attempts_wait(const struct attempts *attempts, enum remedy remedy)
{
    const unsigned wait = attempts_pause(attempts, remedy);
    nanosleep(&(struct timespec){ .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000L }, NULL);
}
