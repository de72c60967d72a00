/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns. The C library's printf never sees one: a pattern comes from outside. */
#include "png2y4m_names.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

enum { MAX_DIGITS = 18 /* of a number that fits into 64 bits */ };

struct pattern {
    const char *operand;
    char *directory;       /* with its slash, or empty */
    char *prefix, *suffix; /* what stands before and after the number */
    int width;             /* the number has at least so many digits */
};

struct match {
    int64_t number;
    char *path;
};

static void *need_memory(void *memory)
{
    if (!memory) {
        xc_tool_fail(NULL, "%s", strerror(errno));
    }
    return memory;
}

static char *join(const char *a, const char *b)
{
    char *text = need_memory(malloc(strlen(a) + strlen(b) + 1));
    return strcat(strcpy(text, a), b);
}

/* ---- Parsing ---- */

/* Copies text up to a % that begins a number, or to its end; %% is a %. Moves *text there. */
static char *copy_literal(const char **text)
{
    char *literal = need_memory(malloc(strlen(*text) + 1)), *end = literal;
    for (; **text && (**text != '%' || (*text)[1] == '%'); ++*text) {
        *text += **text == '%';
        *end++ = **text;
    }
    *end = '\0';
    return literal;
}

/* Reads %d, or %0Nd with N from 1 to MAX_DIGITS. */
static bool parse_number(const char **text, int *width)
{
    *width = 1;
    ++*text;
    if (**text == '0') {
        char *end;
        const long digits = strtol(*text, &end, 10);
        *width = digits < 1 || digits > MAX_DIGITS ? 0 : (int)digits;
        *text = end;
    }
    return *width && *(*text)++ == 'd';
}

static void parse_pattern(struct pattern *pattern, const char *operand)
{
    const char *slash = strrchr(operand, '/');
    const char *text = slash ? slash + 1 : operand;
    *pattern = (struct pattern){ .operand = operand };
    pattern->directory = need_memory(strndup(operand, (size_t)(text - operand)));
    pattern->prefix = copy_literal(&text);
    bool good = *text && parse_number(&text, &pattern->width);
    pattern->suffix = good ? copy_literal(&text) : NULL;
    if (!good || *text) {
        xc_tool_fail(operand, "no such file, and not a pattern, which has one %%d or, for eight digits, %%08d");
    }
}

static void clear_pattern(struct pattern *pattern)
{
    free(pattern->directory);
    free(pattern->prefix);
    free(pattern->suffix);
}

/* ---- Matching ---- */

/* The number in a file's name; -1: the name does not match. */
static int64_t number_in(const struct pattern *pattern, const char *name)
{
    const size_t prefix = strlen(pattern->prefix), suffix = strlen(pattern->suffix), length = strlen(name);
    if (length <= prefix + suffix || strncmp(name, pattern->prefix, prefix) != 0 ||
        strcmp(name + length - suffix, pattern->suffix) != 0) {
        return -1;
    }
    const char *digits = name + prefix;
    const size_t count = length - prefix - suffix;
    const bool padded = count > (size_t)pattern->width && digits[0] == '0';
    if (count < (size_t)pattern->width || count > MAX_DIGITS || padded || strspn(digits, "0123456789") < count) {
        return -1;
    }
    int64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        number = 10 * number + (digits[i] - '0');
    }
    return number;
}

static int compare(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Returns the number of matches, sorted. */
static size_t find_matches(struct match **matches, const struct pattern *pattern)
{
    size_t count = 0, room = 0;
    DIR *directory = opendir(*pattern->directory ? pattern->directory : ".");
    if (!directory) {
        xc_tool_fail(pattern->operand, "%s", strerror(errno));
    }
    *matches = NULL;
    struct dirent *entry;
    while ((void)(errno = 0), entry = readdir(directory)) {
        const int64_t number = number_in(pattern, entry->d_name);
        if (number < 0) {
            continue;
        }
        if (count == room) {
            room = 2 * room + 64;
            *matches = need_memory(realloc(*matches, room * sizeof **matches));
        }
        (*matches)[count++] = (struct match){ number, join(pattern->directory, entry->d_name) };
    }
    if (errno) {
        xc_tool_fail(pattern->operand, "%s", strerror(errno));
    }
    closedir(directory);
    if (count) {
        qsort(*matches, count, sizeof **matches, compare);
    }
    return count;
}

/* Takes over the path. */
static void add(struct png2y4m_names *names, char *path)
{
    if (names->count == names->room) {
        names->room = 2 * names->room + 64;
        names->paths = need_memory(realloc(names->paths, names->room * sizeof *names->paths));
    }
    names->paths[names->count++] = path;
}

void png2y4m_names_add(struct png2y4m_names *names, const char *operand)
{
    const char *slash = strrchr(operand, '/');
    if (!strchr(slash ? slash : operand, '%') || access(operand, F_OK) == 0) {
        add(names, join(operand, ""));
        return;
    }
    struct pattern pattern;
    struct match *matches;
    parse_pattern(&pattern, operand);
    const size_t count = find_matches(&matches, &pattern);
    if (!count) {
        xc_tool_fail(operand, "no file has such a name");
    }
    for (size_t i = 0; i < count; i++) {
        if (i && matches[i].number != matches[i - 1].number + 1) {
            xc_tool_fail(operand,
                         "number %lld is missing, between %s and %s; to leave it out, name the pictures "
                         "one by one",
                         (long long)matches[i - 1].number + 1, matches[i - 1].path, matches[i].path);
        }
        add(names, matches[i].path);
    }
    free(matches);
    clear_pattern(&pattern);
}

void png2y4m_names_clear(struct png2y4m_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->paths[i]);
    }
    free(names->paths);
    *names = (struct png2y4m_names){ 0 };
}
