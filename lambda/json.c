/* Jansson in fewer words. */
#define _GNU_SOURCE /* for strsep */

#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

json_t *sure(json_t *value)
{
    if (!value) {
        fail_about("task", "no memory, or a name that is not UTF-8");
    }
    return value;
}

json_t *get(json_t *object, const char *name)
{
    return json_object_get(object, name);
}

const char *text_of(json_t *object, const char *name)
{
    return json_string_value(get(object, name));
}

double real_of(json_t *object, const char *name)
{
    return json_real_value(get(object, name));
}

long long integer_of(json_t *object, const char *name)
{
    return json_integer_value(get(object, name));
}

void add_text(json_t *list, const char *text)
{
    json_array_append_new(list, sure(json_string(text)));
}

json_t *words(const char *text)
{
    json_t *list = sure(json_array());
    char *copy = strdup(text), *rest = copy;
    for (char *word; copy && (word = strsep(&rest, " "));) {
        if (*word) {
            add_text(list, word);
        }
    }
    free(copy);
    return list;
}

void print_json(json_t *value)
{
    if (json_dumpf(value, stdout, JSON_COMPACT | JSON_SORT_KEYS) || putchar('\n') == EOF || fflush(stdout)) {
        fail_about("standard output", "%s", strerror(errno));
    }
}
