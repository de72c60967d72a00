/* SPDX-License-Identifier: BSD-2-Clause */
#include "json.h"

#include <string.h>

/* Elements of the outer containers have a line each. */
enum { LINES = 2 };

static void write_text(FILE *stream, const char *text);

static void begin_value(struct xc_json *json, const char *key)
{
    if (json->depth && !json->empty) {
        putc(',', json->stream);
    }
    if (json->depth && json->depth <= LINES) {
        fprintf(json->stream, "\n%*s", json->depth, "");
    } else if (json->depth && !json->empty) {
        putc(' ', json->stream);
    }
    json->empty = false;
    if (key) {
        write_text(json->stream, key);
        fputs(": ", json->stream);
    }
}

static void open_container(struct xc_json *json, const char *key, char opening, char closing)
{
    begin_value(json, key);
    putc(opening, json->stream);
    json->closing[json->depth++] = closing;
    json->empty = true;
}

void xc_json_object(struct xc_json *json, const char *key)
{
    open_container(json, key, '{', '}');
}

void xc_json_array(struct xc_json *json, const char *key)
{
    open_container(json, key, '[', ']');
}

void xc_json_end(struct xc_json *json)
{
    const int depth = --json->depth;
    if (!json->empty && depth < LINES) {
        fprintf(json->stream, "\n%*s", depth, "");
    }
    putc(json->closing[depth], json->stream);
    json->empty = false;
    if (!depth) {
        putc('\n', json->stream);
    }
}

void xc_json_integer(struct xc_json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    fprintf(json->stream, "%lld", (long long)value);
}

void xc_json_real(struct xc_json *json, const char *key, double value)
{
    begin_value(json, key);
    fprintf(json->stream, "%.6f", value);
}

void xc_json_flag(struct xc_json *json, const char *key, bool value)
{
    begin_value(json, key);
    fputs(value ? "true" : "false", json->stream);
}

void xc_json_text(struct xc_json *json, const char *key, const char *text)
{
    begin_value(json, key);
    if (text) {
        write_text(json->stream, text);
    } else {
        fputs("null", json->stream);
    }
}

/* The length of the UTF-8 sequence that text begins with; 0 if it is none. Unicode 15, table 3-7. */
static int sequence_length(const char *text)
{
    const uint8_t *s = (const uint8_t *)text;
    if (s[0] < 0x80) {
        return 1;
    }
    const int length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    const uint8_t low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[0] < 0xc2 || s[0] > 0xf4 || s[1] < low || s[1] > high) {
        return 0;
    }
    for (int i = 2; i < length; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf) {
            return 0;
        }
    }
    return length;
}

static void write_text(FILE *stream, const char *text)
{
    putc('"', stream);
    while (*text) {
        const int length = sequence_length(text);
        if (!length) {
            fputs("\\ufffd", stream);
        } else if (*text == '"' || *text == '\\') {
            fprintf(stream, "\\%c", *text);
        } else if (length == 1 && (uint8_t)*text < 0x20) {
            fprintf(stream, "\\u%04x", (unsigned)*text);
        } else {
            fwrite(text, 1, (size_t)length, stream);
        }
        text += length ? length : 1;
    }
    putc('"', stream);
}
