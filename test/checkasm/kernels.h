/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernels, how each is called with every combination of arguments worth trying, and the instruction sets. */
#ifndef CHECKASM_KERNELS_H
#define CHECKASM_KERNELS_H

#include "dsp/dsp.h"
#include "memory.h"

typedef void any_fn(void); /* a kernel, before it is converted to its true type */

/* Calls a kernel a number of times with the variant-th combination of arguments; size: of its blocks. No calls at all
 * only write the arguments down, in arguments_text. */
typedef struct output run_fn(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times);

struct kernel {
    const char *name;
    size_t slot; /* in struct xc_dsp */
    int size;
    run_fn *run;
    unsigned variants;
};

extern char arguments_text[200];

/* The kernels of a group end with one that has no name. */
struct group {
    const char *name;
    const struct kernel *kernels;
    unsigned rounds; /* of all patterns and variants */
};

enum { GROUPS = 7 };
extern const struct group groups[GROUPS];

/* Variants of motion compensation, for measurements. */
enum { MC_VARIANTS = 8 * 8 * 2 * 2 * 3 * 3 };
#define MC_VARIANT(mx, my) ((mx) + 8 * (my))

/* Each instruction set with those that it builds upon; the first is C. */
enum { MAX_SETS = 4 };
struct set {
    const char *name;
    unsigned features;
};
extern const struct set sets[MAX_SETS];
extern const int set_count;

/* To be called before the following. */
void fill_tables(void);

/* The version of a kernel that runs on a machine with this set. */
any_fn *version(int set, const struct kernel *kernel);
/* Whether the set has a version that those before it lack. */
bool is_own(int set, const struct kernel *kernel);
/* Whether this machine has the set. */
bool is_here(int set);

/* The row of the kernel at this place in struct xc_dsp, or NULL. */
const struct kernel *kernel_at(size_t slot);

#endif
