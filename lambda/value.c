/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON by Jansson, in fewer words. */
#define _GNU_SOURCE /* for strsep */

#include "value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

json_t *value_sure(json_t *value)
{
    if (!value) {
        fail_about("task", "no memory, or a name that is not UTF-8");
    }
    return value;
}

json_t *value_get(json_t *object, const char *name)
{
    return json_object_get(object, name);
}

const char *value_text(json_t *object, const char *name)
{
    return json_string_value(value_get(object, name));
}

double value_real(json_t *object, const char *name)
{
    return json_real_value(value_get(object, name));
}

long long value_integer(json_t *object, const char *name)
{
    return json_integer_value(value_get(object, name));
}

void value_append_text(json_t *list, const char *text)
{
    json_array_append_new(list, value_sure(json_string(text)));
}

json_t *value_words(const char *text)
{
    json_t *list = value_sure(json_array());
    char *copy = strdup(text), *rest = copy;
    if (!copy) {
        fail_about("task", "no memory");
    }
    for (char *word; (word = strsep(&rest, " "));) {
        if (*word) {
            value_append_text(list, word);
        }
    }
    free(copy);
    return list;
}

void value_print(json_t *value)
{
    if (json_dumpf(value, stdout, JSON_COMPACT | JSON_SORT_KEYS) || putchar('\n') == EOF || fflush(stdout)) {
        fail_about("standard output", "%s", strerror(errno));
    }
}
