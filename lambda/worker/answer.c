/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "../../tools/timing.h"
#include "../value.h"

void answer_begin(struct answer *answer)
{
    *answer = (struct answer){ .outputs = json_object(), .steps = json_array(), .began = xc_tool_timing_now() };
}

bool answer_end(struct answer *answer, enum ending ending, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answer->why, sizeof answer->why, format, arguments);
    va_end(arguments);
    answer->ending = ending;
    return false;
}

bool answer_add_step(struct answer *answer, json_t *step)
{
    if (!step) {
        return answer_end(answer, ENDING_RETRY, "no memory");
    }
    if (json_integer_value(value_get(step, "exit"))) {
        answer->failed = step;
        answer->ending = ENDING_FAILED;
        return false;
    }
    json_object_del(step, "stderr");
    json_array_append_new(answer->steps, step);
    return true;
}

void answer_add_output(struct answer *answer, const char *name, const char *digest, uint64_t size)
{
    json_object_set_new(answer->outputs, name, json_pack("{s:s, s:I}", "sha256", digest, "size", (json_int_t)size));
}

static json_t *make(const struct answer *answer)
{
    static const char *const kinds[] = {
        [ENDING_REFUSED] = "refused", [ENDING_RETRY] = "retry", [ENDING_KILLED] = "killed", [ENDING_LATER] = "later"
    };
    json_t *why;
    switch (answer->ending) {
    case ENDING_DONE:
        return json_pack("{s:O, s:O, s:f}", "outputs", answer->outputs, "steps", answer->steps, "seconds",
                         xc_tool_timing_now() - answer->began);
    case ENDING_FAILED:
        return json_pack("{s:O}", "failed", answer->failed);
    default:
        why = json_string(answer->why);
        return json_pack("{s:o}", kinds[answer->ending], why ? why : json_string("a text that is not UTF-8"));
    }
}

char *answer_text(const struct answer *answer)
{
    json_t *made = make(answer);
    char *text = made ? json_dumps(made, JSON_COMPACT) : NULL;
    json_decref(made);
    return text;
}

void answer_free(struct answer *answer)
{
    json_decref(answer->outputs);
    json_decref(answer->steps);
    json_decref(answer->failed);
}
