/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dsp/sample.h"

static uint64_t random_state;

void noise_seed(uint64_t seed)
{
    random_state = seed ? seed : 1; /* zero would stay zero */
}

/* xorshift64* */
unsigned noise(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * 0x2545f4914f6cdd1d) >> 32);
}

/* --- patterns --- */

const char *const pattern_names[PATTERNS] = { "noise", "black", "white", "stripes", "extremes", "smooth", "walk" };

void fill_samples(uint8_t *samples, size_t count, enum pattern pattern)
{
    int level = (int)(noise() % 256), amplitude = 1 << noise() % 6;
    for (size_t i = 0; i < count; i++) {
        int step = (int)(noise() % (2 * (unsigned)amplitude + 1)) - amplitude;
        switch (pattern) {
        case BLACK:
            samples[i] = 0;
            break;
        case WHITE:
            samples[i] = 255;
            break;
        case STRIPES:
            samples[i] = i & 1 ? 255 : 0;
            break;
        case EXTREMES:
            samples[i] = noise() & 1 ? 255 : 0;
            break;
        case SMOOTH:
            samples[i] = clamp_sample(level + step);
            break;
        case WALK:
            level = samples[i] = clamp_sample(level + step);
            break;
        default:
            samples[i] = (uint8_t)noise();
        }
    }
}

static int level(enum pattern pattern, size_t i)
{
    switch (pattern) {
    case BLACK:
        return 0;
    case WHITE:
        return INT16_MAX;
    case STRIPES:
        return i & 1 ? INT16_MAX : INT16_MIN;
    case EXTREMES:
        return noise() & 1 ? INT16_MAX : INT16_MIN;
    case SMOOTH: /* as in real frames */
        return noise() % 4 ? 0 : (int)(noise() % 64) - 32;
    default:
        return (int16_t)noise();
    }
}

static void fill_levels(int16_t *levels, size_t count, enum pattern pattern)
{
    for (size_t i = 0; i < count; i++) {
        levels[i] = (int16_t)level(pattern, i);
    }
}

static void fill_weights(uint16_t *weights, size_t count, enum pattern pattern)
{
    for (size_t i = 0; i < count; i++) {
        weights[i] = (uint16_t)level(pattern, i);
        weights[i] = weights[i] ? weights[i] : (uint16_t)(i % 256 + 1);
    }
}

/* A column has 256 samples at most: twice a level is close to the slope of the steepest. */
static void fill_signals(int32_t *signals, size_t count, enum pattern pattern)
{
    for (size_t i = 0; i < count; i++) {
        signals[i] = 2 * level(pattern, i);
    }
}

/* --- inputs --- */

struct inputs inputs;

static struct input new_input(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int zero = open("/dev/zero", O_RDWR);
    uint8_t *memory = zero < 0 ? MAP_FAILED : mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) || mprotect(memory + 3 * page, page, PROT_NONE)) {
        perror("checkasm");
        exit(2);
    }
    close(zero);
    return (struct input){ memory + page, memory + 3 * page };
}

void allocate_inputs(void)
{
    inputs = (struct inputs){
        .samples = { new_input(), new_input() },
        .levels = new_input(),
        .weights = new_input(),
        .signals = { new_input(), new_input() },
    };
}

void fill_inputs(enum pattern pattern)
{
    const size_t size = (size_t)(inputs.levels.end - inputs.levels.begin);
    const enum pattern other = noise() & 1 ? pattern : noise() % PATTERNS;
    fill_samples(inputs.samples[0].begin, size, pattern);
    fill_samples(inputs.samples[1].begin, size, other);
    fill_levels((void *)inputs.levels.begin, size / 2, pattern);
    fill_weights((void *)inputs.weights.begin, size / 2, pattern);
    fill_signals((void *)inputs.signals[0].begin, size / 4, pattern);
    fill_signals((void *)inputs.signals[1].begin, size / 4, other);
}

const uint8_t *place(const struct input *input, bool at_end, ptrdiff_t stride, struct area area)
{
    return at_end ? input->end - (area.y_end - 1) * stride - area.x_end : input->begin - area.y * stride - area.x;
}

const void *place_array(const struct input *input, bool at_end, size_t size)
{
    return at_end ? input->end - size : input->begin;
}

/* --- the arena --- */

uint8_t *block(struct arena *arena, ptrdiff_t stride)
{
    return arena->bytes + 16 * stride + 16;
}

bool same_outside(const struct arena *a, const struct arena *b, struct output output)
{
    const struct area *w = &output.writable;
    size_t left = (size_t)(16 + w->x), right = (size_t)(16 + w->x_end), stride = (size_t)output.stride;
    for (size_t row = 0; row < ARENA_SIZE / stride; row++) {
        const uint8_t *row_a = a->bytes + row * stride, *row_b = b->bytes + row * stride;
        bool has_block = (int)row >= 16 + w->y && (int)row < 16 + w->y_end;
        bool same = has_block ? !memcmp(row_a, row_b, left) && !memcmp(row_a + right, row_b + right, stride - right)
                              : !memcmp(row_a, row_b, stride);
        if (!same) {
            return false;
        }
    }
    return true;
}

static int number(const uint8_t *at, int element)
{
    int16_t word;
    int32_t number;
    memcpy(&word, at, sizeof word);
    memcpy(&number, at, sizeof number);
    return element == 4 ? number : element == 2 ? word : *at;
}

/* The row that the first of the arenas has; numbers that the other has not are marked. */
static void print_row(const char *name, const uint8_t *row, const uint8_t *other, size_t size, int element)
{
    static const int widths[] = { [1] = 3, [2] = 6, [4] = 11 };
    printf("%-5s", name);
    for (size_t x = 0; x < size; x += (size_t)element) {
        printf(" %c%*d", memcmp(row + x, other + x, (size_t)element) ? '*' : ' ', widths[element],
               number(row + x, element));
    }
    putchar('\n');
}

void print_difference(struct arena *expected, struct arena *got, struct output output, const char *name)
{
    const struct area *w = &output.writable;
    const int element = output.element ? output.element : 1;
    const size_t size = (size_t)(w->x_end - w->x);
    for (int y = w->y; y < w->y_end; y++) {
        const ptrdiff_t at = y * output.stride + w->x;
        const uint8_t *row = block(expected, output.stride) + at, *other = block(got, output.stride) + at;
        if (memcmp(row, other, size)) {
            printf("    row %3d, from %2d: ", y, w->x);
            print_row("c", row, other, size, element);
            printf("    %19s", "");
            print_row(name, other, row, size, element);
        }
    }
}
