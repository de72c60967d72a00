/* SPDX-License-Identifier: BSD-2-Clause */
#include "work.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../task.h"
#include "../value.h"
#include "answer.h"
#include "bucket.h"
#include "event.h"
#include "files.h"
#include "life.h"
#include "meeting.h"
#include "step.h"

enum { RESERVE = 15 }; /* the last seconds of the function's time, which are not for waiting */

struct work {
    const struct event *event;
    const struct bucket *bucket;
    struct answer *answer;
    time_t wait_until;
    json_t *here; /* the inputs that are in the directory, by name */
};

/* ---- Before a step ---- */

static bool fetch(struct work *work, const char *name, const char *digest)
{
    char key[BUCKET_KEY];
    snprintf(key, sizeof key, "data/%s", digest);
    const enum files_result result = files_fetch(work->bucket, work->answer, name, key, digest);
    if (result == FILES_ABSENT) {
        answer_end(work->answer, ENDING_REFUSED, "%s: its data are no longer in the store (%s)", name, key);
    }
    return result == FILES_DONE;
}

/* How many files of other tasks this task has not got yet. */
static size_t count_awaited(const struct work *work)
{
    size_t count = 0;
    const char *name;
    json_t *from;
    json_object_foreach(value_get(work->event->task, "inputs"), name, from)
    {
        count += *json_string_value(from) == '@' && !value_get(work->here, name);
    }
    return count;
}

static bool wait_for(struct work *work, const char *name, const char *key)
{
    return meeting_wait(work->bucket, work->answer, name, key, work->event->run, work->wait_until,
                        count_awaited(work) - 1);
}

/* Gets those inputs of the task that this step is the first to need. */
static bool get_inputs(struct work *work, json_t *step)
{
    json_t *inputs = value_get(work->event->task, "inputs"), *item;
    size_t i;
    json_array_foreach(value_get(step, "inputs"), i, item)
    {
        const char *name = json_string_value(item), *from = value_text(inputs, name);
        if (!from || value_get(work->here, name)) {
            continue;
        }
        if (*from == '@' ? !wait_for(work, name, from + 1) : !fetch(work, name, from)) {
            return false;
        }
        json_object_set_new(work->here, name, json_true());
    }
    return true;
}

/* ---- After a step ---- */

static bool publish_outputs(struct work *work, json_t *step)
{
    json_t *published = value_get(work->event->task, "publish"), *item;
    size_t i;
    json_array_foreach(value_get(step, "outputs"), i, item)
    {
        const char *name = json_string_value(item);
        if (task_list_has(published, name) && !meeting_publish(work->bucket, work->answer, name, work->event->key)) {
            return false;
        }
    }
    return true;
}

/* Whether something that the step makes leaves this machine. */
static bool travels(const struct work *work, json_t *step)
{
    size_t i;
    json_t *item;
    json_array_foreach(value_get(step, "outputs"), i, item)
    {
        const char *name = json_string_value(item);
        if (task_list_has(value_get(work->event->task, "publish"), name) ||
            task_list_has(value_get(work->event->task, "outputs"), name)) {
            return true;
        }
    }
    return false;
}

static bool run_steps(struct work *work)
{
    size_t i;
    json_t *step;
    json_array_foreach(value_get(work->event->task, "steps"), i, step)
    {
        if (!get_inputs(work, step) || !step_run(step, travels(work, step), work->answer) ||
            !publish_outputs(work, step)) {
            return false;
        }
    }
    return true;
}

/* What the user wants is stored after all steps, so that what other tasks wait for does not wait for it. */
static bool store_outputs(struct work *work)
{
    size_t i;
    json_t *item;
    json_array_foreach(value_get(work->event->task, "outputs"), i, item)
    {
        if (!files_store(work->bucket, work->answer, json_string_value(item))) {
            return false;
        }
    }
    return true;
}

/* Stores the answer for others who ask for the same. */
static bool store_answer(struct work *work, const char *text)
{
    char key[BUCKET_KEY];
    snprintf(key, sizeof key, "task/%s", work->event->key);
    const struct bucket_reply reply = bucket_put_text(work->bucket, key, text);
    return (reply.answered && reply.status == 200) || files_end(work->answer, "the answer", key, &reply);
}

/* ---- All of it ---- */

static const char *last_word(enum ending ending)
{
    switch (ending) {
    case ENDING_DONE:
        return NULL;
    case ENDING_FAILED:
    case ENDING_REFUSED:
        return "failed";
    default:
        return "gone";
    }
}

/* Does the event's task. Returns the answer. */
static char *do_task(struct work *work)
{
    life_begin(work->bucket, work->event);
    char *text = run_steps(work) && store_outputs(work) ? answer_text(work->answer) : NULL;
    if (text && !store_answer(work, text)) {
        free(text);
        text = NULL;
    }
    life_end(last_word(work->answer->ending));
    return text ? text : answer_text(work->answer);
}

char *work_do(const char *text, size_t size, const char *account, time_t deadline)
{
    char why[EVENT_WHY], *said;
    struct event event;
    struct answer answer;
    answer_begin(&answer);
    if (event_read(&event, text, size, why)) {
        const struct bucket bucket = { .name = event.bucket, .account = account };
        struct work work = { .event = &event,
                             .bucket = &bucket,
                             .answer = &answer,
                             .wait_until = deadline - RESERVE,
                             .here = json_object() };
        said = do_task(&work);
        json_decref(work.here);
    } else {
        answer_end(&answer, ENDING_REFUSED, "%s", why);
        said = answer_text(&answer);
    }
    event_free(&event);
    answer_free(&answer);
    return said;
}
