/* SPDX-License-Identifier: BSD-2-Clause */
/* Where tasks run: regions of AWS, each with a function of the same name and a bucket of its own.
 *
 * XC_LAMBDA_REGIONS is a list of regions, XC_LAMBDA_BUCKET one of their buckets in the same order. Without the first
 * there is one region, that of the user's settings, and one bucket. The batches of a film are dealt out among the
 * regions in turn: batch B, counted from 0, runs in region B modulo their number. So all steps of a batch run in one
 * region, and a later run with the same list finds what they have made there. */
#ifndef XC_LAMBDA_PLACE_H
#define XC_LAMBDA_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the variables, after aws_settings, and takes the first region: requests go there from now on. */
void place_start(void);

/* How many regions there are. The others are taken by their numbers, or: */
size_t place_count(void);
void place_take(size_t number);
/* The region of a batch. file: one that a step of the batch writes; its name begins with the number of its chunk. The
 * makefile says in XC_LAMBDA_BATCH how many chunks a batch has, and with which chunk the first batch begins. Where
 * batches have different lengths, the first is how many they have at most, and the first chunks of all of them follow,
 * in ascending order. A batch then runs where its first chunk would if all had that length. */
void place_take_batch(const char *file);
/* The region of a bucket. Returns false, and changes nothing, if no region has that bucket. */
bool place_take_bucket(const char *bucket);

/* What has been taken: the region's number; its name, or NULL if there is only one; its bucket, or NULL if
 * XC_LAMBDA_BUCKET is not set. */
size_t place_number(void);
const char *place_name(void);
const char *place_bucket(void);

#endif
