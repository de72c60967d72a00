/* SPDX-License-Identifier: BSD-2-Clause */
#include "life.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../clock.h"
#include "../value.h"
#include "http.h"

enum {
    PULSE = 15, /* seconds between two signs of life */
    MISSED = 3, /* so many may be missed */
    WAIT_MS = 250,
};

static struct {
    const struct bucket *bucket; /* NULL: nothing is to be told */
    char key[BUCKET_KEY], run[SHA256_TEXT];
    char text[LIFE_STATE];
    time_t next;                  /* when the next sign of life is due */
    struct bucket_upload *upload; /* the one on its way; or NULL */
} life;

static int pulse(void)
{
    const char *given = getenv("XC_LAMBDA_PULSE");
    const int seconds = given ? atoi(given) : PULSE;
    return seconds > 0 ? seconds : PULSE;
}

int life_most_silence(void)
{
    return MISSED * pulse();
}

static void state_key(char key[static BUCKET_KEY], const char *task)
{
    snprintf(key, BUCKET_KEY, "meet/%s/.worker", task);
}

/* The time on the worker's clock goes on, however long it was frozen between two events. */
static time_t seconds(void)
{
    return (time_t)clock_now();
}

/* Called while the worker waits for anything. A sign of life that was lost is given again after a second. */
static void go_on(void)
{
    if (!life.bucket) {
        return;
    }
    if (life.upload && bucket_upload_has_ended(life.upload)) {
        life.next = seconds() + (bucket_upload_end(life.upload) ? pulse() : 1);
        life.upload = NULL;
    }
    if (!life.upload && seconds() >= life.next) {
        snprintf(life.text, sizeof life.text, "begun %s %lld\n", life.run, (long long)time(NULL));
        life.upload = bucket_upload_begin(life.bucket, life.key, life.text);
        life.next = seconds() + 1; /* if there was no memory */
    }
}

void life_begin(const struct bucket *bucket, const struct event *event)
{
    if (!json_array_size(value_get(event->task, "publish"))) {
        return;
    }
    state_key(life.key, event->key);
    snprintf(life.run, sizeof life.run, "%s", event->run);
    life.next = 0;
    life.bucket = bucket;
    http_while_waiting(go_on);
    go_on();
}

/* The last word is not to be overtaken by a sign of life. */
static void fall_silent(void)
{
    http_while_waiting(NULL);
    while (life.upload && !bucket_upload_has_ended(life.upload)) {
        http_wait(WAIT_MS, -1);
    }
    if (life.upload) {
        bucket_upload_end(life.upload);
        life.upload = NULL;
    }
}

void life_end(const char *last_word)
{
    if (!life.bucket) {
        return;
    }
    fall_silent();
    if (last_word) {
        snprintf(life.text, sizeof life.text, "%s %s\n", last_word, life.run);
        bucket_put_text(life.bucket, life.key, life.text);
    }
    life.bucket = NULL;
}

void life_of(const struct bucket *bucket, const char *key, char state[static LIFE_STATE])
{
    char object[BUCKET_KEY];
    state_key(object, key);
    bucket_get_text(bucket, object, state, LIFE_STATE);
    state[strcspn(state, "\n")] = '\0';
}
