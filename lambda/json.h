/* Jansson in fewer words. The programs end where there is no memory. */
#ifndef XC_LAMBDA_JSON_H
#define XC_LAMBDA_JSON_H

#include <jansson.h>

/* The value, which cannot be NULL; if it is, the program ends. */
json_t *sure(json_t *value);

/* A member of an object, as it is or as what it should be; NULL or 0 if it is not. */
json_t *get(json_t *object, const char *name);
const char *text_of(json_t *object, const char *name);
double real_of(json_t *object, const char *name);
long long integer_of(json_t *object, const char *name);

void add_text(json_t *list, const char *text);
/* The words of a text, which blanks separate, as a list. */
json_t *words(const char *text);

/* In one line, the same for the same value. */
void print_json(json_t *value);

#endif
