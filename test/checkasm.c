/* SPDX-License-Identifier: BSD-2-Clause */
/* checkasm: every kernel of every instruction set that this machine has, against its C version, bit for bit.
 *
 * Both versions get the same inputs: noise, extremes and smooth surfaces, with every combination of arguments worth
 * trying. All that a kernel may write lies in the middle of an arena that is compared as a whole; all that it may read
 * ends, or begins, where memory that it must not touch begins, or ends. */
#include <fnmatch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkasm/kernels.h"
#include "checkasm/measure.h"
#include "checkasm/memory.h"

static const char usage[] =
    "Usage: checkasm [--kernel PATTERN] [--isa NAME] [--seed N] [--bench]\n"
    "Compares the kernels with their C versions; a line per group of kernels and instruction set. What differs is\n"
    "printed with the arguments and the rows that are wrong.\n"
    "\n"
    "  --kernel PATTERN  only the kernels whose names match, such as 'intra4_*'\n"
    "  --isa NAME        only those of this instruction set, such as avx2\n"
    "  --seed N          other random numbers (1)\n"
    "  --bench           print nanoseconds per call, and how many times faster than C that is\n";

static struct options {
    const char *kernel; /* a pattern of names */
    bool sets[MAX_SETS];
    unsigned long long seed;
    bool bench;
} options = { .kernel = "*", .seed = 1 };

static bool is_wanted(const struct kernel *kernel)
{
    return fnmatch(options.kernel, kernel->name, 0) == 0;
}

/* --- comparing --- */

/* Where to go on after a call that touched memory that it must not. */
static sigjmp_buf after_fault;

static void on_fault(int signal_number)
{
    siglongjmp(after_fault, signal_number);
}

static const char *difference(const struct arena *before, const struct arena *expected, const struct arena *got,
                              struct output output)
{
    if (!same_outside(before, expected, output)) {
        return "the C version writes outside of its block";
    }
    if (!same_outside(before, got, output)) {
        return "writes outside of its block";
    }
    return memcmp(expected, got, sizeof *got) ? "differs from the C version" : NULL;
}

static void report(const struct kernel *kernel, int set, const char *wrong, unsigned variant, enum pattern pattern)
{
    static struct arena unused;
    kernel->run(version(set, kernel), kernel->size, variant, &unused, 0);
    printf("%s (%s): %s\n    %s; pattern %s, variant %u\n", kernel->name, sets[set].name, wrong, arguments_text,
           pattern_names[pattern], variant);
}

static bool check_variant(const struct kernel *kernel, int set, unsigned variant, enum pattern pattern,
                          const struct arena *before)
{
    static struct arena expected, got;
    expected = got = *before;
    if (sigsetjmp(after_fault, 0)) {
        report(kernel, set, "touches memory that it must not", variant, pattern);
        return false;
    }
    struct output output = kernel->run(version(0, kernel), kernel->size, variant, &expected, 1);
    kernel->run(version(set, kernel), kernel->size, variant, &got, 1);
    const char *wrong = difference(before, &expected, &got, output);
    if (wrong) {
        report(kernel, set, wrong, variant, pattern);
        print_difference(&expected, &got, output, sets[set].name);
    }
    return !wrong;
}

static bool check_kernel(const struct kernel *kernel, int set, unsigned rounds)
{
    static struct arena before;
    for (unsigned round = 0; round < rounds; round++) {
        for (int pattern = 0; pattern < PATTERNS; pattern++) {
            fill_inputs((enum pattern)pattern);
            fill_samples(before.bytes, ARENA_SIZE, (enum pattern)pattern);
            for (unsigned variant = 0; variant < kernel->variants; variant++) {
                if (!check_variant(kernel, set, variant, (enum pattern)pattern, &before)) {
                    return false;
                }
            }
        }
    }
    return true;
}

struct tally {
    unsigned passed, failed, skipped;
};

static void check_group(const struct group *group, int set, struct tally *total)
{
    struct tally tally = { 0 };
    for (const struct kernel *kernel = group->kernels; kernel->name; kernel++) {
        if (!is_own(set, kernel) || !is_wanted(kernel)) {
            continue;
        }
        if (!is_here(set)) {
            tally.skipped++;
        } else if (check_kernel(kernel, set, group->rounds)) {
            tally.passed++;
        } else {
            tally.failed++;
        }
    }
    total->passed += tally.passed;
    total->failed += tally.failed;
    total->skipped += tally.skipped;
    if (tally.passed + tally.failed + tally.skipped) {
        printf("%-11s %-6s %2u ok, %u failed%s\n", group->name, sets[set].name, tally.passed, tally.failed,
               tally.skipped ? ", skipped: this machine does not have it" : "");
    }
    fflush(stdout);
}

/* struct xc_dsp holds pointers to kernels and nothing else. Each must have a row, or nothing compares its versions. */
static void check_rows(struct tally *total)
{
    const struct kernel *before = NULL;
    for (size_t slot = 0; slot < sizeof(struct xc_dsp); slot += sizeof(any_fn *)) {
        const struct kernel *kernel = kernel_at(slot);
        if (!kernel) {
            printf("the kernel at byte %zu of struct xc_dsp, after %s, has no row in test/checkasm/kernels.c\n", slot,
                   before ? before->name : "none");
            total->failed++;
        }
        before = kernel ? kernel : before;
    }
}

static int check_all(void)
{
    struct tally total = { 0 };
    const struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    printf("seed %llu\n", options.seed);
    check_rows(&total);
    for (int group = 0; group < GROUPS; group++) {
        for (int set = 1; set < set_count; set++) {
            if (options.sets[set]) {
                check_group(&groups[group], set, &total);
            }
        }
    }
    printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
    return total.failed ? 1 : 0;
}

static void measure_all(void)
{
    fill_inputs(SMOOTH);
    printf("nanoseconds per call\n");
    for (int group = 0; group < GROUPS; group++) {
        for (const struct kernel *kernel = groups[group].kernels; kernel->name; kernel++) {
            if (is_wanted(kernel)) {
                measure(kernel, options.sets);
            }
        }
    }
}

/* --- options --- */

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "checkasm: %s %s; see checkasm --help\n", what, which);
    exit(2);
}

static void want_set(const char *name)
{
    bool known = false;
    for (int set = 1; set < set_count; set++) {
        options.sets[set] = !name || !strcmp(sets[set].name, name);
        known = known || options.sets[set];
    }
    if (name && !known) {
        fail("there are no kernels here for the instruction set", name);
    }
}

static bool is_any_wanted(void)
{
    for (int group = 0; group < GROUPS; group++) {
        for (const struct kernel *kernel = groups[group].kernels; kernel->name; kernel++) {
            if (is_wanted(kernel)) {
                return true;
            }
        }
    }
    return false;
}

static void parse_options(char **arguments)
{
    want_set(NULL);
    for (; *arguments; arguments++) {
        const char *option = *arguments, *value = arguments[1];
        if (!strcmp(option, "--bench")) {
            options.bench = true;
        } else if (!strcmp(option, "--help")) {
            fputs(usage, stdout);
            exit(0);
        } else if (!value) {
            fail("unknown option, or one that needs a value:", option);
        } else if (!strcmp(option, "--kernel")) {
            options.kernel = *++arguments;
        } else if (!strcmp(option, "--isa")) {
            want_set(*++arguments);
        } else if (!strcmp(option, "--seed")) {
            options.seed = strtoull(*++arguments, NULL, 0);
        } else {
            fail("unknown option", option);
        }
    }
    if (!is_any_wanted()) {
        fail("there is no kernel", options.kernel);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    parse_options(argv + 1);
    noise_seed(options.seed);
    allocate_inputs();
    fill_tables();
    if (options.bench) {
        measure_all();
        return 0;
    }
    return check_all();
}
