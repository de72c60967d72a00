/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fail.h"
#include "store.h"
#include "value.h"

enum { GLANCE_MS = 1000 }; /* how often a wrapper looks whether its task is late */

enum { FIRST, SPARE };
struct worker {
    struct aws_call *call; /* NULL: none is under way */
    double since, look_at; /* by our clock: when it was called; when to look next whether it is late */
};

const char *calls_function(void)
{
    const char *given = getenv("XC_LAMBDA_FUNCTION");
    return given && *given ? given : "excamera";
}

static char *event_of(json_t *task, const char *run)
{
    json_t *event = value_sure(json_pack("{s:s, s:s, s:O}", "bucket", store_bucket(), "run", run, "task", task));
    char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    if (!text) {
        fail_about("task", "no memory");
    }
    return text;
}

/* A spare worker gets another name of the run. So workers that wait for this task do not take its failure for that of
 * the task, which another worker may still do. */
void calls_begin(struct calls *calls, json_t *task, const char *run)
{
    char other[SHA256_TEXT];
    snprintf(other, sizeof other, "%.58s.spare", run);
    *calls = (struct calls){ .task = task, .events = { event_of(task, run), event_of(task, other) } };
    spare_start(&calls->spare, task, run);
}

void calls_end(struct calls *calls)
{
    spare_finish(&calls->spare, calls->seconds);
    for (int i = 0; i < CALLS_WORKERS; i++) {
        free(calls->events[i]);
    }
}

/* ---- Answers ---- */

/* Prints a tool's messages, and exits as it did. */
static _Noreturn void fail_like_the_tool(json_t *failed)
{
    enum { EXIT_SIGNAL = 128 }; /* plus a signal's number: the status of a command that the signal ended */
    const int code = (int)json_integer_value(value_get(failed, "exit")) & 0xff;
    fputs(value_text(failed, "stderr") ? value_text(failed, "stderr") : "", stderr);
    if (code > EXIT_SIGNAL) {
        fprintf(stderr, "%s: ended by signal %d\n", value_text(failed, "tool"), code - EXIT_SIGNAL);
    }
    exit(code);
}

/* Takes the answer of the function. Returns the task's answer; or NULL, with the failure that the text tells. Ends the
 * program if a tool has failed. */
static json_t *judge(const char *text, json_t *task, struct failure *failure)
{
    static const char *const kinds[] = { "refused", "later", "retry", "killed" };
    json_t *said = json_loads(text, 0, NULL);
    if (value_get(said, "failed")) {
        fail_like_the_tool(value_get(said, "failed"));
    }
    if (said && store_answer_fits(said, task)) {
        return said;
    }
    failure->source = FAILURE_FUNCTION;
    snprintf(failure->message, sizeof failure->message, "%s", text);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (value_text(said, kinds[i])) {
            snprintf(failure->code, sizeof failure->code, "%s", kinds[i]);
            snprintf(failure->message, sizeof failure->message, "%s", value_text(said, kinds[i]));
        }
    }
    json_decref(said);
    return NULL;
}

/* ---- Times ---- */

static double at_least_0(double number)
{
    return number > 0 ? number : 0;
}

/* Whether a step reads a file that another task publishes. */
static bool waits(json_t *step, json_t *inputs)
{
    size_t i;
    json_t *item;
    json_array_foreach(value_get(step, "inputs"), i, item)
    {
        const char *given = value_text(inputs, json_string_value(item));
        if (given && *given == '@') {
            return true;
        }
    }
    return false;
}

/* For how long the worker may have waited for files of other tasks: the time before each step that reads some. */
static double seconds_waited(json_t *answer, json_t *task)
{
    json_t *steps = value_get(answer, "steps"), *step;
    const size_t count = json_array_size(steps);
    double waited = 0, last = value_real(json_array_get(steps, count - 1), "end") - value_real(answer, "seconds");
    size_t i;
    json_array_foreach(steps, i, step)
    {
        if (waits(json_array_get(value_get(task, "steps"), i), value_get(task, "inputs"))) {
            waited += at_least_0(value_real(step, "start") - last);
        }
        last = value_real(step, "end");
    }
    return waited;
}

/* For how long all that the task needs has been there: since its call, at most. 0: something is not there yet. */
static double seconds_ready(json_t *task, double since)
{
    double ready = clock_now() - since;
    const char *name;
    json_t *value;
    json_object_foreach(value_get(task, "inputs"), name, value)
    {
        const char *key = json_string_value(value);
        if (*key == '@') {
            const double there = at_least_0(store_published_since(key + 1, name));
            ready = there < ready ? there : ready;
        }
    }
    return ready;
}

/* ---- Workers ---- */

static struct worker call(const char *event)
{
    return (struct worker){ .call = aws_call_begin(calls_function(), event), .since = clock_now() };
}

/* Takes the answer of a call that has ended. Returns the task's; or NULL with the failure. */
static json_t *take(struct calls *calls, struct worker *worker, struct failure *failure)
{
    struct aws_answer answer;
    const double seconds = clock_now() - worker->since;
    const bool answered = aws_call_end(worker->call, &answer);
    worker->call = NULL;
    calls->billed += answer.billed;
    memcpy(calls->url, answer.url, sizeof calls->url);
    *failure = answer.failure;
    json_t *done = answered ? judge(answer.text ? answer.text : "no answer", calls->task, failure) : NULL;
    free(answer.text);
    if (done) {
        calls->seconds = seconds - seconds_waited(done, calls->task);
        calls->billed += answer.billed > 0 ? 0 : value_real(done, "seconds"); /* AWS has not told */
    }
    return done;
}

/* Stops waiting for a worker, which goes on. What is billed for the rest of its time cannot be known. */
static void leave(struct calls *calls, struct worker *worker)
{
    if (worker->call) {
        calls->billed += clock_now() - worker->since;
        aws_call_drop(worker->call);
    }
}

/* Whether another worker has to be called. What a task waits for is asked less often the longer that takes. */
static bool is_late(struct calls *calls, struct worker *first)
{
    const double time = clock_now();
    if (time < first->look_at) {
        return false;
    }
    const double limit = spare_limit(&calls->spare);
    if (time - first->since <= limit) {
        return false;
    }
    first->look_at = time + (time - first->since) / 4;
    return seconds_ready(calls->task, first->since) > limit && spare_take(&calls->spare);
}

json_t *calls_make(struct calls *calls, struct failure *failure)
{
    struct worker workers[CALLS_WORKERS] = { call(calls->events[FIRST]) };
    struct failure ignored; /* a spare worker's: the other one may succeed, or has failed in its own way */
    json_t *done = NULL;
    bool spared = false;
    while (!done && (workers[FIRST].call || workers[SPARE].call)) {
        const struct aws_call *ended = aws_call_wait(GLANCE_MS);
        if (ended && ended == workers[FIRST].call) {
            done = take(calls, &workers[FIRST], failure);
        } else if (ended) {
            done = take(calls, &workers[SPARE], &ignored);
            spare_release(&calls->spare);
        } else if (!spared && is_late(calls, &workers[FIRST])) {
            workers[SPARE] = call(calls->events[SPARE]);
            spared = true;
        }
    }
    leave(calls, &workers[FIRST]);
    leave(calls, &workers[SPARE]);
    spare_release(&calls->spare);
    return done;
}
