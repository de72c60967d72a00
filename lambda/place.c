/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L /* for strtok_r */

#include "place.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "fail.h"

enum {
    MAX_PLACES = 64,  /* AWS has fewer regions */
    LIST_SIZE = 8192, /* characters, for as many names of buckets */
    DIGITS = 8,       /* of the number of a chunk; xcdriver/graph.py */
};

/* What is in a variable. */
struct list {
    char text[LIST_SIZE];
    const char *words[MAX_PLACES]; /* NULL after the last one */
    size_t count;
};

static struct list regions, buckets;
static size_t count, taken;

/* Divides the list at its blanks. */
static void read_list(struct list *list, const char *variable)
{
    const char *given = getenv(variable);
    char *next;
    const int length = snprintf(list->text, sizeof list->text, "%s", given ? given : "");
    if (length < 0 || (size_t)length >= sizeof list->text) {
        fail_about(variable, "is too long");
    }
    for (char *word = strtok_r(list->text, " \t\n", &next); word; word = strtok_r(NULL, " \t\n", &next)) {
        if (list->count == MAX_PLACES) {
            fail_about(variable, "has more than %d names", MAX_PLACES);
        }
        for (size_t i = 0; i < list->count; i++) {
            if (!strcmp(list->words[i], word)) {
                fail_about(variable, "has %s twice", word);
            }
        }
        list->words[list->count++] = word;
    }
}

void place_start(void)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    read_list(&regions, "XC_LAMBDA_REGIONS");
    for (size_t i = 0; i < regions.count; i++) {
        if (strspn(regions.words[i], plain) != strlen(regions.words[i])) {
            fail_about("XC_LAMBDA_REGIONS", "'%s' is not a region", regions.words[i]);
        }
    }
    count = regions.count ? regions.count : 1;
    read_list(&buckets, "XC_LAMBDA_BUCKET");
    if (buckets.count && buckets.count != count) {
        fail_about("XC_LAMBDA_BUCKET",
                   "names %zu of %zu buckets, one for each region; unset it, and run: eval \"$(xc-lambda deploy)\"",
                   buckets.count, count);
    }
    place_take(0);
}

size_t place_count(void)
{
    return count;
}

void place_take(size_t number)
{
    taken = number;
    aws_use_region(regions.words[number]);
}

/* The number of the batch of a chunk, by XC_LAMBDA_BATCH. */
static size_t batch_of(long chunk)
{
    const char *given = getenv("XC_LAMBDA_BATCH");
    long size, first, start, begin = chunk;
    int length = 0;
    if (given && sscanf(given, "%ld %ld%n", &size, &first, &length) == 2 && size > 0 && first >= 0) {
        for (given += length; sscanf(given, " %ld%n", &start, &length) == 1; given += length) {
            begin = start <= chunk ? start : begin;
        }
        if (!*given) {
            return begin < first ? 0 : (size_t)((begin - first) / size);
        }
    }
    fail_about("XC_LAMBDA_BATCH", "does not say what a batch is; write the makefile anew with gen_makefile.py");
}

void place_take_batch(const char *file)
{
    long chunk = 0;
    if (count == 1) {
        return;
    }
    for (int i = 0; i < DIGITS; i++) {
        if (!isdigit((unsigned char)file[i])) {
            fail_about(file, "does not begin with the number of a chunk, which decides about the region");
        }
        chunk = 10 * chunk + (file[i] - '0');
    }
    place_take(batch_of(chunk) % count);
}

bool place_take_bucket(const char *bucket)
{
    for (size_t i = 0; i < buckets.count; i++) {
        if (!strcmp(buckets.words[i], bucket)) {
            place_take(i);
            return true;
        }
    }
    return false;
}

size_t place_number(void)
{
    return taken;
}

const char *place_name(void)
{
    return count > 1 ? regions.words[taken] : NULL;
}

const char *place_bucket(void)
{
    return buckets.words[taken];
}
