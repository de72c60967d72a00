/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernels read and write in checkasm: inputs filled with a pattern, which cannot be left without a fault, and an
 * arena that holds the output and what is around it. */
#ifndef CHECKASM_MEMORY_H
#define CHECKASM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Random numbers, the same for the same seed. */
void noise_seed(uint64_t seed);
unsigned noise(void);

enum pattern { NOISE, BLACK, WHITE, STRIPES, EXTREMES, SMOOTH, WALK, PATTERNS };
extern const char *const pattern_names[PATTERNS];

void fill_samples(uint8_t *samples, size_t count, enum pattern pattern);

/* A region between pages that cannot be touched. */
struct input {
    uint8_t *begin, *end;
};

extern struct inputs {
    struct input samples[2];
    struct input levels;     /* int16_t, any values */
    struct input weights;    /* uint16_t, none of them 0 */
    struct input signals[2]; /* int32_t, slopes of integral projections at most */
} inputs;

/* Ends the program if there is no memory. */
void allocate_inputs(void);
void fill_inputs(enum pattern pattern);

/* A rectangle of samples around the first one of a block; x_end and y_end are one beyond. */
struct area {
    int x, y, x_end, y_end;
};

/* Where to put the first sample of the block so that the area begins where the input does, or ends where it ends. */
const uint8_t *place(const struct input *input, bool at_end, ptrdiff_t stride, struct area area);

/* The same for an array. */
const void *place_array(const struct input *input, bool at_end, size_t size);

enum { ARENA_SIZE = 64 * 64 };

/* What a call writes to, and what it must leave alone around that. */
struct arena {
    _Alignas(64) uint8_t bytes[ARENA_SIZE];
};

/* The block in the middle of an arena. */
uint8_t *block(struct arena *arena, ptrdiff_t stride);

/* What a call may write. */
struct output {
    ptrdiff_t stride;
    struct area writable; /* relative to the block, in bytes */
    int element;          /* bytes of a number in it: 1, 2 or 4; 0 means 1 */
};

/* Whether two arenas are equal outside of the output. */
bool same_outside(const struct arena *a, const struct arena *b, struct output output);

/* Prints each row of the output in which the arenas differ, with the numbers that differ marked; the name is that of
 * the version that wrote got. */
void print_difference(struct arena *expected, struct arena *got, struct output output, const char *name);

#endif
