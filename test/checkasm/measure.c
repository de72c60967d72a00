/* SPDX-License-Identifier: BSD-2-Clause */
#include "measure.h"

#include <stdio.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The shortest of several runs: whatever disturbs only makes them longer. */
static double nanoseconds(const struct kernel *kernel, int set, unsigned variant)
{
    enum { RUNS = 30, TIMES = 2000 };
    static struct arena arena;
    double best = 0;
    for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < ARENA_SIZE; i++) {
            arena.bytes[i] = (uint8_t)(126 + noise() % 4); /* flat, so that the loop filters have something to do */
        }
        double begin = now();
        kernel->run(version(set, kernel), kernel->size, variant, &arena, TIMES);
        double time = (now() - begin) / TIMES;
        best = run == 0 || time < best ? time : best;
    }
    return best;
}

static void measure_variant(const struct kernel *kernel, const bool wanted[MAX_SETS], const char *what,
                            unsigned variant)
{
    double c = nanoseconds(kernel, 0, variant);
    printf("%-21s %-5s c %7.1f", kernel->name, what, c);
    for (int set = 1; set < set_count; set++) {
        if (wanted[set] && is_own(set, kernel) && is_here(set)) {
            double time = nanoseconds(kernel, set, variant);
            printf("   %s %6.1f (x%.1f)", sets[set].name, time, c / time);
        }
    }
    putchar('\n');
    fflush(stdout);
}

void measure(const struct kernel *kernel, const bool wanted[MAX_SETS])
{
    static const struct {
        const char *name;
        unsigned variant;
    } positions[] = {
        { "copy", MC_VARIANT(0, 0) }, { "2,0", MC_VARIANT(2, 0) }, { "0,2", MC_VARIANT(0, 2) },
        { "2,2", MC_VARIANT(2, 2) },  { "3,3", MC_VARIANT(3, 3) },
    };
    if (kernel->variants == MC_VARIANTS) {
        for (size_t i = 0; i < sizeof positions / sizeof positions[0]; i++) {
            measure_variant(kernel, wanted, positions[i].name, positions[i].variant);
        }
    } else {
        measure_variant(kernel, wanted, "", 0);
    }
}
