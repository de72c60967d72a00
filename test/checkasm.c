/* checkasm: every kernel of every instruction set that this machine has, against its C version, bit for bit.
 *
 * checkasm [--seed N]    compares; one line per group of kernels and instruction set checkasm --bench
 * measures; nanoseconds per call, and how many times faster than C
 *
 * Both versions get the same inputs: noise, extremes and smooth surfaces, with every combination of arguments worth
 * trying. All that a kernel may write lies in the middle of an arena that is compared as a whole; all that it may
 * read ends, or begins, where memory that it must not touch begins, or ends. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dsp/dsp.h"
#include "dsp/sample.h"
#include "excamera/decode.h"

/* --- noise --- */

static uint64_t seed = 1, random_state;

/* xorshift64* */
static unsigned noise(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * 0x2545f4914f6cdd1d) >> 32);
}

enum pattern { NOISE, BLACK, WHITE, STRIPES, EXTREMES, SMOOTH, WALK, PATTERNS };

static void fill_samples(uint8_t *samples, size_t count, enum pattern pattern)
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

static void fill_levels(int16_t *levels, size_t count, enum pattern pattern)
{
    for (size_t i = 0; i < count; i++) {
        switch (pattern) {
        case BLACK:
            levels[i] = 0;
            break;
        case WHITE:
            levels[i] = INT16_MAX;
            break;
        case STRIPES:
            levels[i] = i & 1 ? INT16_MAX : INT16_MIN;
            break;
        case EXTREMES:
            levels[i] = noise() & 1 ? INT16_MAX : INT16_MIN;
            break;
        case SMOOTH: /* as in real frames */
            levels[i] = (int16_t)(noise() % 4 ? 0 : (int)(noise() % 64) - 32);
            break;
        default:
            levels[i] = (int16_t)noise();
        }
    }
}

/* --- where kernels read from and write to --- */

/* A region that cannot be left without a fault. */
struct input {
    uint8_t *begin, *end;
};

static struct input inputs[2], level_input;

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

/* A rectangle of samples around a block's first; x_end and y_end are one beyond. */
struct area {
    int x, y, x_end, y_end;
};

/* Where to put the block's first sample so that the area begins where the input does, or ends where it ends. */
static const uint8_t *place(const struct input *input, bool at_end, ptrdiff_t stride, struct area area)
{
    return at_end ? input->end - (area.y_end - 1) * stride - area.x_end : input->begin - area.y * stride - area.x;
}

enum { ARENA_SIZE = 48 * 64 };

/* What a call writes to, and around it what it must leave alone. */
struct arena {
    _Alignas(64) uint8_t bytes[ARENA_SIZE];
};

/* The block in the middle of an arena. */
struct output {
    ptrdiff_t stride;
    struct area writable; /* relative to the block */
};

static uint8_t *block(struct arena *arena, ptrdiff_t stride)
{
    return arena->bytes + 16 * stride + 16;
}

static bool same_outside(const struct arena *a, const struct arena *b, struct output output)
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

/* --- calls --- */

typedef void any_fn(void); /* a kernel, before it is converted to its true type */

/* Calls a kernel a number of times with the variant-th combination of arguments; size: of its blocks. */
typedef struct output run_fn(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times);

/* The next digit of a variant: which of count values an argument takes. */
static int pick(unsigned *variant, unsigned count)
{
    unsigned digit = *variant % count;
    *variant /= count;
    return (int)digit;
}

#define PICK(variant, array) ((array)[pick(variant, sizeof(array) / sizeof(array)[0])])

static const ptrdiff_t strides[] = { 48, 32, 64 }; /* keep blocks aligned */
enum { STRIDES = sizeof strides / sizeof strides[0] };

/* before, behind: how far the filter reaches. */
static struct output run_mc(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times, int before,
                            int behind)
{
    static const ptrdiff_t src_strides[] = { 64, 37, 128 };
    const int margin = 2, slack = 16; /* of a row, before the block and behind the filter's reach */
    int mx = pick(&variant, 8), my = pick(&variant, 8);
    int h = size == 4 ? 4 : size >> pick(&variant, 2);
    bool at_end = pick(&variant, 2);
    ptrdiff_t src_stride = PICK(&variant, src_strides), stride = PICK(&variant, strides);
    struct area read = {
        .x = -margin,
        .x_end = size + (mx ? behind : 0) + slack,
        .y = my ? -before : 0,
        .y_end = h + (my ? behind : 0),
    };
    const uint8_t *src = place(&inputs[0], at_end, src_stride, read);
    for (unsigned i = 0; i < times; i++) {
        ((xc_mc_fn *)kernel)(block(arena, stride), stride, src, src_stride, h, mx, my);
    }
    return (struct output){ stride, { 0, 0, size, h } };
}

enum { MC_VARIANTS = 8 * 8 * 2 * 2 * 3 * STRIDES };
#define MC_VARIANT(mx, my) ((mx) + 8 * (my))

static struct output run_sixtap(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    return run_mc(kernel, size, variant, arena, times, 2, 3);
}

static struct output run_bilinear(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    return run_mc(kernel, size, variant, arena, times, 0, 1);
}

static struct output run_intra(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    bool at_end = pick(&variant, 2);
    ptrdiff_t stride = PICK(&variant, strides);
    const uint8_t *above = place(&inputs[0], at_end, 0, (struct area){ -1, 0, size == 4 ? 8 : size, 1 });
    const uint8_t *left = place(&inputs[1], at_end, 0, (struct area){ 0, 0, size, 1 });
    for (unsigned i = 0; i < times; i++) {
        ((xc_intra_fn *)kernel)(block(arena, stride), stride, above, left);
    }
    return (struct output){ stride, { 0, 0, size, size } };
}

enum { INTRA_VARIANTS = 2 * STRIDES };

static const int16_t *place_levels(bool at_end)
{
    return (const int16_t *)(const void *)(at_end ? level_input.end - 32 : level_input.begin);
}

static const int dcs[] = { 100, 0, 1, -1, 3, 4, -4, -5, 2040, -2040, INT16_MAX, INT16_MIN, 157 * 2048, -157 * 2048 };
static const int acs[] = { 20, 4, 157, 1, 0, -1, INT16_MAX, INT16_MIN };
enum { LEVEL_VARIANTS = 2 * STRIDES * 14 * 8 };

typedef void idct_fn(uint8_t *dst, ptrdiff_t stride, const int16_t levels[16], int dc, int ac);
typedef void idct_dc_fn(uint8_t *dst, ptrdiff_t stride, int dc);
typedef void iwht_fn(int16_t out[16], const int16_t levels[16], int dc, int ac);
typedef void fdct_fn(int16_t out[16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                     ptrdiff_t pred_stride);
typedef void fdct_pair_fn(int16_t out[2][16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                          ptrdiff_t pred_stride);
typedef unsigned survey_fn(const int16_t coefficients[16], int dc, int ac, uint32_t *energy);
typedef void fwht_fn(int16_t out[16], const int16_t in[16]);
typedef uint32_t difference_fn(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride);

/* In measurements, calls go round four neighbours, or each would wait for what the one before it writes. */
static int neighbour(unsigned call)
{
    return 4 * (int)(call % 4);
}

static struct output run_idct(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int dc = PICK(&variant, dcs), ac = PICK(&variant, acs);
    const int16_t *levels = place_levels(pick(&variant, 2));
    ptrdiff_t stride = PICK(&variant, strides);
    for (unsigned i = 0; i < times; i++) {
        ((idct_fn *)kernel)(block(arena, stride) + neighbour(i), stride, levels, dc, ac);
    }
    return (struct output){ stride, { 0, 0, size, size } };
}

static struct output run_idct_dc(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int dc = PICK(&variant, dcs);
    ptrdiff_t stride = PICK(&variant, strides);
    for (unsigned i = 0; i < times; i++) {
        ((idct_dc_fn *)kernel)(block(arena, stride) + neighbour(i), stride, dc);
    }
    return (struct output){ stride, { 0, 0, size, size } };
}

/* 16 words as a row of an arena. */
static const struct output words_output = { 48, { 0, 0, 32, 1 } };

static int16_t *words(struct arena *arena)
{
    return (int16_t *)(void *)block(arena, words_output.stride);
}

static struct output run_iwht(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    int dc = PICK(&variant, dcs), ac = PICK(&variant, acs);
    const int16_t *levels = place_levels(pick(&variant, 2));
    for (unsigned i = 0; i < times; i++) {
        ((iwht_fn *)kernel)(words(arena), levels, (int16_t)dc, ac);
    }
    return words_output;
}

static struct output run_fwht(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    const int16_t *in = place_levels(pick(&variant, 2));
    for (unsigned i = 0; i < times; i++) {
        ((fwht_fn *)kernel)(words(arena), in);
    }
    return words_output;
}

/* Two blocks to compare, or to subtract. */
struct two_blocks {
    const uint8_t *block[2];
    ptrdiff_t stride[2];
};

static struct two_blocks pick_blocks(unsigned *variant, int width, int height)
{
    static const ptrdiff_t block_strides[] = { 64, 16, 37 };
    struct two_blocks two;
    for (int i = 0; i < 2; i++) {
        two.stride[i] = PICK(variant, block_strides);
        two.block[i] = place(&inputs[i], pick(variant, 2), two.stride[i], (struct area){ 0, 0, width, height });
    }
    return two;
}

enum { TWO_BLOCKS_VARIANTS = 3 * 2 * 3 * 2 };

static struct output run_fdct(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    struct two_blocks two = pick_blocks(&variant, size, size);
    for (unsigned i = 0; i < times; i++) {
        ((fdct_fn *)kernel)(words(arena), two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    return words_output;
}

static struct output run_fdct_pair(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    static const struct output blocks = { 96, { 0, 0, 64, 1 } };
    struct two_blocks two = pick_blocks(&variant, 2 * size, size);
    for (unsigned i = 0; i < times; i++) {
        int16_t(*out)[16] = (void *)block(arena, blocks.stride);
        ((fdct_pair_fn *)kernel)(out, two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    return blocks;
}

static const int factors[] = { 20, 1, 2, 3, 8, 157, 243, 1000 };

static struct output run_survey(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    int dc = PICK(&variant, factors), ac = PICK(&variant, factors);
    const int16_t *coefficients = place_levels(pick(&variant, 2));
    uint32_t found[2] = { 0, 0 };
    for (unsigned i = 0; i < times; i++) {
        found[0] = ((survey_fn *)kernel)(coefficients, dc, ac, &found[1]);
    }
    memcpy(words(arena), found, sizeof found);
    return (struct output){ words_output.stride, { 0, 0, sizeof found, 1 } };
}

static struct output run_pixel(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    struct two_blocks two = pick_blocks(&variant, size, size);
    uint32_t sum = 0;
    for (unsigned i = 0; i < times; i++) {
        sum = ((difference_fn *)kernel)(two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    memcpy(block(arena, 48), &sum, sizeof sum);
    return (struct output){ 48, { 0, 0, sizeof sum, 1 } };
}

static const int edges[] = { 40, 0, 1, 2, 4, 7, 12, 20, 63, 100, 128, 193, 254 };
static const int interiors[] = { 12, 0, 1, 2, 4, 7, 31, 63 };
enum { FILTER_VARIANTS = 13 * 8 * 4 * STRIDES };

static struct output run_filter(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int edge = PICK(&variant, edges), interior = PICK(&variant, interiors), hev = pick(&variant, 4);
    ptrdiff_t stride = PICK(&variant, strides);
    for (unsigned i = 0; i < times; i++) {
        ((xc_filter_luma_fn *)kernel)(block(arena, stride), stride, edge, interior, hev);
    }
    return (struct output){ stride, { -3, -3, size, size } };
}

static struct output run_filter_uv(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int edge = PICK(&variant, edges), interior = PICK(&variant, interiors), hev = pick(&variant, 4);
    ptrdiff_t stride = PICK(&variant, strides);
    uint8_t *u = block(arena, stride), *v = u + 16 * stride;
    for (unsigned i = 0; i < times; i++) {
        ((xc_filter_chroma_fn *)kernel)(u, v, stride, edge, interior, hev);
    }
    return (struct output){ stride, { -3, -3, size, 16 + size } };
}

static struct output run_filter_simple(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int edge = PICK(&variant, edges);
    ptrdiff_t stride = PICK(&variant, strides);
    for (unsigned i = 0; i < times; i++) {
        ((xc_filter_simple_fn *)kernel)(block(arena, stride), stride, edge);
    }
    return (struct output){ stride, { -1, -1, size, size } };
}

/* --- the kernels --- */

struct kernel {
    const char *name;
    size_t slot; /* in struct xc_dsp */
    int size;
    run_fn *run;
    unsigned variants;
};

#define SLOT(worker) offsetof(struct xc_dsp, worker)
#define MC(kind, size)                                                                                                 \
    {                                                                                                                  \
        #kind " " #size, SLOT(kind[XC_MC_##size]), size, run_##kind, MC_VARIANTS                                       \
    }
#define INTRA(size, mode)                                                                                              \
    {                                                                                                                  \
        "intra" #size " " #mode, SLOT(intra##size[XC_INTRA_##mode]), size, run_intra, INTRA_VARIANTS                   \
    }
#define INTRA4(mode)                                                                                                   \
    {                                                                                                                  \
        "intra4 " #mode, SLOT(intra4[XC_B_##mode##_PRED]), 4, run_intra, INTRA_VARIANTS                                \
    }
#define FILTER(name)                                                                                                   \
    {                                                                                                                  \
        #name, SLOT(filter.name), 16, run_filter, FILTER_VARIANTS                                                      \
    }
#define FILTER_UV(name)                                                                                                \
    {                                                                                                                  \
        #name, SLOT(filter.name), 8, run_filter_uv, FILTER_VARIANTS                                                    \
    }
#define FILTER_SIMPLE(name)                                                                                            \
    {                                                                                                                  \
        #name, SLOT(filter.name), 16, run_filter_simple, 13 * STRIDES                                                  \
    }
#define PIXEL(name, size)                                                                                              \
    {                                                                                                                  \
        #name, SLOT(name), size, run_pixel, TWO_BLOCKS_VARIANTS                                                        \
    }

static const struct kernel mc[] = {
    MC(sixtap, 16), MC(sixtap, 8), MC(sixtap, 4), MC(bilinear, 16), MC(bilinear, 8), MC(bilinear, 4), { 0 },
};
static const struct kernel intra[] = {
    INTRA(16, DC),       INTRA(16, V),       INTRA(16, H),      INTRA(16, TM),    INTRA(16, DC_LEFT),
    INTRA(16, DC_ABOVE), INTRA(8, DC),       INTRA(8, V),       INTRA(8, H),      INTRA(8, TM),
    INTRA(8, DC_LEFT),   INTRA(8, DC_ABOVE), INTRA4(DC),        INTRA4(TM),       INTRA4(VE),
    INTRA4(HE),          INTRA4(LD),         INTRA4(RD),        INTRA4(VR),       INTRA4(VL),
    INTRA4(HD),          INTRA4(HU),         INTRA(16, DC_128), INTRA(8, DC_128), { 0 },
};
static const struct kernel transform[] = {
    { "idct_add", SLOT(idct_add), 4, run_idct, LEVEL_VARIANTS },
    { "idct_dc_add", SLOT(idct_dc_add), 4, run_idct_dc, 14 * STRIDES },
    { "iwht", SLOT(iwht), 4, run_iwht, 14 * 8 * 2 },
    { "fdct", SLOT(fdct), 4, run_fdct, TWO_BLOCKS_VARIANTS },
    { "fdct_pair", SLOT(fdct_pair), 4, run_fdct_pair, TWO_BLOCKS_VARIANTS },
    { "significant", SLOT(significant), 4, run_survey, 8 * 8 * 2 },
    { "fwht", SLOT(fwht), 4, run_fwht, 2 },
    { 0 },
};
static const struct kernel loopfilter[] = {
    FILTER(mb_v),
    FILTER(mb_h),
    FILTER(inner_v),
    FILTER(inner_h),
    FILTER_UV(mb_v_uv),
    FILTER_UV(mb_h_uv),
    FILTER_UV(inner_v_uv),
    FILTER_UV(inner_h_uv),
    FILTER_SIMPLE(simple_mb_v),
    FILTER_SIMPLE(simple_mb_h),
    FILTER_SIMPLE(simple_inner_v),
    FILTER_SIMPLE(simple_inner_h),
    { 0 },
};
static const struct kernel pixel[] = {
    PIXEL(ssd16, 16), PIXEL(ssd8, 8), PIXEL(ssd4, 4), PIXEL(sad16, 16), { 0 },
};

/* The last entry of each has no name. */
static const struct {
    const char *name;
    const struct kernel *kernels;
    unsigned rounds; /* of all patterns and variants */
} groups[] = {
    { "mc", mc, 2 },        { "intra", intra, 100 }, { "transform", transform, 20 }, { "loopfilter", loopfilter, 4 },
    { "pixel", pixel, 20 },
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

/* Each instruction set with those it builds upon. */
static const struct {
    const char *name;
    unsigned features;
} sets[] = {
    { "c", 0 },
#if defined(__x86_64__)
    { "sse2", XC_CPU_SSE2 },
    { "ssse3", XC_CPU_SSE2 | XC_CPU_SSSE3 },
    { "avx2", XC_CPU_SSE2 | XC_CPU_SSSE3 | XC_CPU_AVX2 },
#elif defined(__aarch64__)
    { "neon", XC_CPU_NEON },
#endif
};
enum { SETS = sizeof sets / sizeof sets[0] };

static struct xc_dsp tables[SETS];

static any_fn *version(int set, const struct kernel *kernel)
{
    any_fn *function;
    memcpy(&function, (const char *)&tables[set] + kernel->slot, sizeof function);
    return function;
}

/* Whether the set has a version that those before it lack. */
static bool is_own(int set, const struct kernel *kernel)
{
    return set == 0 || version(set, kernel) != version(set - 1, kernel);
}

static bool is_here(int set)
{
    return (sets[set].features & ~xc_cpu_features()) == 0;
}

/* --- comparing --- */

/* What the handler of a fault says. */
static char fault_text[200];

static void on_fault(int signal_number)
{
    (void)signal_number;
    if (write(STDOUT_FILENO, fault_text, strlen(fault_text)) < 0) {
        _exit(2);
    }
    _exit(1);
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

static bool check_pattern(const struct kernel *kernel, int set, enum pattern pattern)
{
    static struct arena before, expected, got;
    size_t input_size = (size_t)(level_input.end - level_input.begin);
    fill_samples(inputs[0].begin, input_size, pattern);
    fill_samples(inputs[1].begin, input_size, noise() & 1 ? pattern : noise() % PATTERNS);
    fill_levels((int16_t *)(void *)level_input.begin, input_size / 2, pattern);
    fill_samples(before.bytes, ARENA_SIZE, pattern);
    for (unsigned variant = 0; variant < kernel->variants; variant++) {
        expected = got = before;
        struct output output = kernel->run(version(0, kernel), kernel->size, variant, &expected, 1);
        kernel->run(version(set, kernel), kernel->size, variant, &got, 1);
        const char *wrong = difference(&before, &expected, &got, output);
        if (wrong) {
            printf("%s (%s): %s: variant %u, pattern %d\n", kernel->name, sets[set].name, wrong, variant, (int)pattern);
            return false;
        }
    }
    return true;
}

static bool check_kernel(const struct kernel *kernel, int set, unsigned rounds)
{
    snprintf(fault_text, sizeof fault_text, "%s (%s): touches memory that it must not\n", kernel->name, sets[set].name);
    for (unsigned round = 0; round < rounds; round++) {
        for (int pattern = 0; pattern < PATTERNS; pattern++) {
            if (!check_pattern(kernel, set, (enum pattern)pattern)) {
                return false;
            }
        }
    }
    return true;
}

struct tally {
    unsigned passed, failed, skipped;
};

static void check_group(int group, int set, struct tally *total)
{
    struct tally tally = { 0 };
    for (const struct kernel *kernel = groups[group].kernels; kernel->name; kernel++) {
        if (!is_own(set, kernel)) {
            continue;
        }
        if (!is_here(set)) {
            tally.skipped++;
        } else if (check_kernel(kernel, set, groups[group].rounds)) {
            tally.passed++;
        } else {
            tally.failed++;
        }
    }
    total->passed += tally.passed;
    total->failed += tally.failed;
    total->skipped += tally.skipped;
    if (tally.passed + tally.failed + tally.skipped) {
        printf("%-11s %-6s %2u ok, %u failed%s\n", groups[group].name, sets[set].name, tally.passed, tally.failed,
               tally.skipped ? ", skipped: this machine does not have it" : "");
    }
    fflush(stdout);
}

static int check_all(void)
{
    struct tally total = { 0 };
    printf("seed %llu\n", (unsigned long long)seed);
    for (int group = 0; group < GROUPS; group++) {
        for (int set = 1; set < SETS; set++) {
            check_group(group, set, &total);
        }
    }
    printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
    return total.failed ? 1 : 0;
}

/* --- measuring --- */

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

static void measure(const struct kernel *kernel, const char *what, unsigned variant)
{
    double c = nanoseconds(kernel, 0, variant);
    printf("%-16s %-6s c %7.1f", kernel->name, what, c);
    for (int set = 1; set < SETS; set++) {
        if (is_own(set, kernel) && is_here(set)) {
            double time = nanoseconds(kernel, set, variant);
            printf("   %s %6.1f (x%.1f)", sets[set].name, time, c / time);
        }
    }
    putchar('\n');
    fflush(stdout);
}

static void measure_all(void)
{
    static const struct {
        const char *name;
        unsigned variant;
    } positions[] = {
        { "copy", MC_VARIANT(0, 0) }, { "2,0", MC_VARIANT(2, 0) }, { "0,2", MC_VARIANT(0, 2) },
        { "2,2", MC_VARIANT(2, 2) },  { "3,3", MC_VARIANT(3, 3) },
    };
    printf("nanoseconds per call\n");
    for (int group = 0; group < GROUPS; group++) {
        for (const struct kernel *kernel = groups[group].kernels; kernel->name; kernel++) {
            for (size_t i = 0; i < (kernel->variants == MC_VARIANTS ? 5 : 1); i++) {
                measure(kernel, kernel->variants == MC_VARIANTS ? positions[i].name : "", positions[i].variant);
            }
        }
    }
}

int main(int argc, char **argv)
{
    bool bench = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--bench")) {
            bench = true;
        } else if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 0);
        } else {
            fprintf(stderr, "usage: checkasm [--bench] [--seed N]\n");
            return 2;
        }
    }
    random_state = seed ? seed : 1; /* zero would stay zero */
    inputs[0] = new_input();
    inputs[1] = new_input();
    level_input = new_input();
    for (int set = 0; set < SETS; set++) {
        xc_dsp_fill(&tables[set], sets[set].features);
    }
    if (bench) {
        measure_all();
        return 0;
    }
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    return check_all();
}
