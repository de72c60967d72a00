/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes one JSON document (RFC 8259) to a stream, value by value; commas are the writer's. Write errors are found when
 * the stream is closed. */
#ifndef XC_TOOLS_JSON_H
#define XC_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tool.h"

#define XC_TOOL_JSON_OPTION(variable)                                                                                  \
    {                                                                                                                  \
        0, "json", NULL, "print JSON", .flag = &(variable)                                                             \
    }

enum { XC_JSON_DEPTH = 16 };

struct xc_json {
    FILE *stream;
    /* private */
    int depth;
    char closing[XC_JSON_DEPTH]; /* of what is open */
    bool empty;                  /* what was opened last has no value yet */
};

/* Zeroed but for the stream, a writer is ready. key: the name of a member of an object; NULL in an array and for the
 * document itself. */
void xc_json_object(struct xc_json *json, const char *key);
void xc_json_array(struct xc_json *json, const char *key);
/* Ends what was opened last. A newline follows the document. */
void xc_json_end(struct xc_json *json);

void xc_json_integer(struct xc_json *json, const char *key, int64_t value);
/* Six decimals; the value is finite. */
void xc_json_real(struct xc_json *json, const char *key, double value);
void xc_json_flag(struct xc_json *json, const char *key, bool value);
/* Bytes that are not UTF-8 become U+FFFD. NULL is written as null. */
void xc_json_text(struct xc_json *json, const char *key, const char *text);

#endif
