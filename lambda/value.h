/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON by Jansson, in fewer words. The programs end with a message when memory runs out. */
#ifndef XC_LAMBDA_VALUE_H
#define XC_LAMBDA_VALUE_H

#include <jansson.h>

/* Returns the value; if it is NULL, ends the program. For the results of calls that fail only for want of memory or
 * because of text that is not UTF-8. */
json_t *value_sure(json_t *value);

/* A member of an object; NULL if there is none. */
json_t *value_get(json_t *object, const char *name);
/* The same as text or number; NULL or 0 if there is none of that type. */
const char *value_text(json_t *object, const char *name);
double value_real(json_t *object, const char *name);
long long value_integer(json_t *object, const char *name);

void value_append_text(json_t *list, const char *text);
/* The words of a text, which are separated by blanks, as a list. */
json_t *value_words(const char *text);

/* Prints the value on one line of standard output. Equal values give equal lines. */
void value_print(json_t *value);

#endif
