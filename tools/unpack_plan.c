/* SPDX-License-Identifier: BSD-2-Clause */
#include "unpack_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const char magic[] = "excamera-plan 2";
enum { MOST_SECONDS = 100000000 /* more than three years */, MOST_FRAMES = 10000 /* ./excamera's greatest -s */ };

/* ffmpeg's filters that a plan may name: none of them opens a file, runs a command or asks a network. */
static const char *const allowed[] = { "format",  "hflip",     "scale", "setfield", "setparams",
                                       "tonemap", "transpose", "vflip", "yadif",    "zscale" };

/* A filter is its name, and perhaps "=" and arguments without quotes, which could hide a comma. */
static bool filter_is_allowed(const char *filter, size_t length)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:=-";
    const size_t name = strcspn(filter, "=,");
    bool known = false;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        known = known || (strlen(allowed[i]) == name && !strncmp(allowed[i], filter, name));
    }
    return known && strspn(filter, plain) >= length;
}

static bool filters_are_allowed(const char *filters)
{
    for (;;) {
        const size_t length = strcspn(filters, ",");
        if (!filter_is_allowed(filters, length)) {
            return false;
        }
        if (!filters[length]) {
            return true;
        }
        filters += length + 1;
    }
}

/* Reads a number, and moves *text after it; false if it is none from least to most. */
static bool read_number(const char **text, int64_t least, int64_t most, int64_t *value)
{
    char *end;
    if (!strchr("-0123456789", **text)) { /* the end of the text is refused by strtoll */
        return false;
    }
    errno = 0;
    *value = strtoll(*text, &end, 10);
    const bool good = end > *text && !errno && *value >= least && *value <= most;
    *text = end;
    return good;
}

static bool skip(const char **text, char separator)
{
    return *(*text)++ == separator;
}

static bool skip_word(const char **text, const char *word)
{
    const size_t length = strlen(word);
    const bool found = !strncmp(*text, word, length);
    *text += found ? length : 0;
    return found;
}

static bool read_fraction(const char *text, struct unpack_fraction *fraction)
{
    return read_number(&text, 1, INT32_MAX, &fraction->num) && skip(&text, '/') &&
           read_number(&text, 1, INT32_MAX, &fraction->den) && !*text;
}

static bool read_range(const char **text, int64_t *from, int64_t *to)
{
    const int64_t most = INT64_MAX / 4;
    return read_number(text, -most, most, from) && skip(text, ' ') && read_number(text, -most, most, to) &&
           *to >= *from;
}

static bool read_decoder(struct unpack_plan *plan, const char *text)
{
    char *end;
    plan->decoder = strtoull(text, &end, 16);
    return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16 && !*end;
}

static bool read_pictures(struct unpack_plan *plan, const char *text)
{
    if (!read_range(&text, &plan->first, &plan->last) || !skip(&text, ' ') ||
        !read_number(&text, 0, INT32_MAX, &plan->pictures)) {
        return false;
    }
    plan->ends = skip_word(&text, " end");
    plan->opens = skip_word(&text, " open");
    return !*text;
}

static bool read_filters(struct unpack_plan *plan, const char *text)
{
    strcpy(plan->filters, text);
    return filters_are_allowed(text);
}

static bool read_shift(struct unpack_plan *plan, const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    strcpy(plan->shift, text);
    return strspn(text, "-.0123456789") == strlen(text) && end > text && !*end && value > -MOST_SECONDS &&
           value < MOST_SECONDS;
}

static bool read_base(struct unpack_plan *plan, const char *text)
{
    return read_fraction(text, &plan->base);
}

static bool read_rate(struct unpack_plan *plan, const char *text)
{
    return read_fraction(text, &plan->rate);
}

static bool read_frames(struct unpack_plan *plan, const char *text)
{
    return read_range(&text, &plan->begin, &plan->end) && skip(&text, ' ') &&
           read_number(&text, plan->end, plan->end + MOST_FRAMES, &plan->next) && !*text && plan->end > plan->begin &&
           plan->end - plan->begin <= MOST_FRAMES;
}

/* The lines after the magic one, in this order. */
static const struct {
    const char *word;
    bool (*read)(struct unpack_plan *plan, const char *text);
} lines[] = {
    { "decoder ", read_decoder }, { "base ", read_base }, { "pictures ", read_pictures }, { "filters ", read_filters },
    { "shift ", read_shift },     { "rate ", read_rate }, { "frames ", read_frames },
};

/* Reads a line without its newline; false at the end, or if it is too long. */
static bool read_line(char line[UNPACK_TEXT], FILE *stream)
{
    if (!fgets(line, UNPACK_TEXT, stream)) {
        return false;
    }
    const size_t length = strcspn(line, "\n");
    const bool whole = line[length] == '\n';
    line[length] = '\0';
    return whole;
}

void unpack_plan_read(struct unpack_plan *plan, const char *name)
{
    char line[UNPACK_TEXT];
    struct xc_tool_input input;
    *plan = (struct unpack_plan){ .name = name };
    xc_tool_input_open(&input, name);
    if (!read_line(line, input.stream) || strcmp(line, magic) != 0) {
        xc_tool_fail(name, "not a plan; its first line is not '%s'", magic);
    }
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const size_t word = strlen(lines[i].word);
        if (!read_line(line, input.stream) || strncmp(line, lines[i].word, word) != 0 ||
            !lines[i].read(plan, line + word)) {
            xc_tool_fail(name, "line %zu is not '%s' and what may follow it", i + 2, lines[i].word);
        }
    }
    if (getc(input.stream) != EOF) {
        xc_tool_fail(name, "has more than %zu lines", 1 + sizeof lines / sizeof lines[0]);
    }
    xc_tool_input_close(&input);
}
