/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernels.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "excamera/cpu.h"
#include "excamera/modes.h"

char arguments_text[200];

/* Writes the arguments down if no calls are wanted. */
__attribute__((format(printf, 2, 3))) static void describe(unsigned times, const char *format, ...)
{
    if (times == 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(arguments_text, sizeof arguments_text, format, arguments);
        va_end(arguments);
    }
}

/* The next digit of a variant: which of count values an argument takes. */
static int pick(unsigned *variant, unsigned count)
{
    unsigned digit = *variant % count;
    *variant /= count;
    return (int)digit;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PICK(variant, array) ((array)[pick(variant, COUNT(array))])

static const ptrdiff_t strides[] = { 48, 32, 64 }; /* keep blocks aligned */
enum { STRIDES = COUNT(strides) };

/* --- motion compensation --- */

/* before, after: how far the filter reaches. */
static struct output run_mc(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times, int before,
                            int after)
{
    static const ptrdiff_t src_strides[] = { 64, 37, 128 };
    const int margin = 2, slack = 16; /* of a row, before the block and after the filter's reach */
    int mx = pick(&variant, 8), my = pick(&variant, 8);
    int h = size == 4 ? 4 : size >> pick(&variant, 2);
    bool at_end = pick(&variant, 2);
    ptrdiff_t src_stride = PICK(&variant, src_strides), stride = PICK(&variant, strides);
    struct area read = {
        .x = -margin,
        .x_end = size + (mx ? after : 0) + slack,
        .y = my ? -before : 0,
        .y_end = h + (my ? after : 0),
    };
    const uint8_t *src = place(&inputs.samples[0], at_end, src_stride, read);
    describe(times, "dst_stride %td, src_stride %td, h %d, mx %d, my %d", stride, src_stride, h, mx, my);
    for (unsigned i = 0; i < times; i++) {
        ((xc_mc_fn *)kernel)(block(arena, stride), stride, src, src_stride, h, mx, my);
    }
    return (struct output){ stride, { 0, 0, size, h }, 1 };
}

static struct output run_sixtap(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    return run_mc(kernel, size, variant, arena, times, 2, 3);
}

static struct output run_bilinear(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    return run_mc(kernel, size, variant, arena, times, 0, 1);
}

/* --- intra prediction --- */

static struct output run_intra(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    bool at_end = pick(&variant, 2);
    ptrdiff_t stride = PICK(&variant, strides);
    const uint8_t *above = place(&inputs.samples[0], at_end, 0, (struct area){ -1, 0, size == 4 ? 8 : size, 1 });
    const uint8_t *left = place(&inputs.samples[1], at_end, 0, (struct area){ 0, 0, size, 1 });
    describe(times, "stride %td, above[-1] %d", stride, above[-1]);
    for (unsigned i = 0; i < times; i++) {
        ((xc_intra_fn *)kernel)(block(arena, stride), stride, above, left);
    }
    return (struct output){ stride, { 0, 0, size, size }, 1 };
}

enum { INTRA_VARIANTS = 2 * STRIDES };

/* --- transforms --- */

static const int16_t *place_levels(bool at_end)
{
    return place_array(&inputs.levels, at_end, 16 * sizeof(int16_t));
}

static const int dcs[] = { 100, 0, 1, -1, 3, 4, -4, -5, 2040, -2040, INT16_MAX, INT16_MIN, 157 * 2048, -157 * 2048 };
static const int acs[] = { 20, 4, 157, 1, 0, -1, INT16_MAX, INT16_MIN };
enum { LEVEL_VARIANTS = 2 * STRIDES * COUNT(dcs) * COUNT(acs) };

typedef void idct_fn(uint8_t *dst, ptrdiff_t stride, const int16_t levels[16], int dc, int ac);
typedef void idct_dc_fn(uint8_t *dst, ptrdiff_t stride, int dc);
typedef void iwht_fn(int16_t out[16], const int16_t levels[16], int dc, int ac);
typedef void fdct_fn(int16_t out[16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                     ptrdiff_t pred_stride);
typedef void fdct_pair_fn(int16_t out[2][16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                          ptrdiff_t pred_stride);
typedef unsigned significant_fn(const int16_t coefficients[16], int dc, int ac, uint32_t *energy);
typedef void fwht_fn(int16_t out[16], const int16_t in[16]);

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
    describe(times, "stride %td, dc %d, ac %d", stride, dc, ac);
    for (unsigned i = 0; i < times; i++) {
        ((idct_fn *)kernel)(block(arena, stride) + neighbour(i), stride, levels, dc, ac);
    }
    return (struct output){ stride, { 0, 0, size, size }, 1 };
}

static struct output run_idct_dc(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int dc = PICK(&variant, dcs);
    ptrdiff_t stride = PICK(&variant, strides);
    describe(times, "stride %td, dc %d", stride, dc);
    for (unsigned i = 0; i < times; i++) {
        ((idct_dc_fn *)kernel)(block(arena, stride) + neighbour(i), stride, dc);
    }
    return (struct output){ stride, { 0, 0, size, size }, 1 };
}

/* 16 words as a row of an arena. */
static const struct output words_output = { 48, { 0, 0, 32, 1 }, 2 };

static int16_t *words(struct arena *arena)
{
    return (int16_t *)(void *)block(arena, words_output.stride);
}

static struct output run_iwht(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    int dc = PICK(&variant, dcs), ac = PICK(&variant, acs);
    const int16_t *levels = place_levels(pick(&variant, 2));
    describe(times, "dc %d, ac %d", (int16_t)dc, ac);
    for (unsigned i = 0; i < times; i++) {
        ((iwht_fn *)kernel)(words(arena), levels, (int16_t)dc, ac);
    }
    return words_output;
}

static struct output run_fwht(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    const int16_t *in = place_levels(pick(&variant, 2));
    describe(times, "in[0] %d", in[0]);
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

static const ptrdiff_t block_strides[] = { 64, 16, 37, 0 };
enum { TWO_BLOCKS_VARIANTS = COUNT(block_strides) * 2 * COUNT(block_strides) * 2 };

static struct two_blocks pick_blocks(unsigned *variant, int width, int height, unsigned times)
{
    struct two_blocks two;
    for (int i = 0; i < 2; i++) {
        two.stride[i] = PICK(variant, block_strides);
        two.block[i] = place(&inputs.samples[i], pick(variant, 2), two.stride[i], (struct area){ 0, 0, width, height });
    }
    describe(times, "strides %td, %td", two.stride[0], two.stride[1]);
    return two;
}

static struct output run_fdct(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    struct two_blocks two = pick_blocks(&variant, size, size, times);
    for (unsigned i = 0; i < times; i++) {
        ((fdct_fn *)kernel)(words(arena), two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    return words_output;
}

static struct output run_fdct_pair(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    static const struct output blocks = { 96, { 0, 0, 64, 1 }, 2 };
    struct two_blocks two = pick_blocks(&variant, 2 * size, size, times);
    for (unsigned i = 0; i < times; i++) {
        int16_t(*out)[16] = (void *)block(arena, blocks.stride);
        ((fdct_pair_fn *)kernel)(out, two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    return blocks;
}

/* The results of kernels that return them, as a row of an arena. */
static struct output write_results(struct arena *arena, const uint32_t *results, int count)
{
    const struct output output = { 48, { 0, 0, 4 * count, 1 }, 4 };
    memcpy(block(arena, output.stride), results, 4 * (size_t)count);
    return output;
}

static struct output run_significant(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    static const int factors[] = { 20, 1, 2, 3, 8, 157, 243, 1000 };
    (void)size;
    int dc = PICK(&variant, factors), ac = PICK(&variant, factors);
    const int16_t *coefficients = place_levels(pick(&variant, 2));
    uint32_t found[2] = { 0, 0 };
    describe(times, "dc %d, ac %d", dc, ac);
    for (unsigned i = 0; i < times; i++) {
        found[0] = ((significant_fn *)kernel)(coefficients, dc, ac, &found[1]);
    }
    return write_results(arena, found, 2);
}

/* --- comparing blocks --- */

static struct output run_compare(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    struct two_blocks two = pick_blocks(&variant, size, size, times);
    uint32_t sum = 0;
    for (unsigned i = 0; i < times; i++) {
        sum = ((xc_compare_fn *)kernel)(two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    return write_results(arena, &sum, 1);
}

static struct output run_difference(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    struct two_blocks two = pick_blocks(&variant, size, size, times);
    uint32_t sum = 0;
    for (unsigned i = 0; i < times; i++) {
        sum = (uint32_t)((xc_difference_fn *)kernel)(two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    return write_results(arena, &sum, 1);
}

typedef void ssim_sums_fn(uint32_t sums[4], const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride);

static struct output run_ssim_sums(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    struct two_blocks two = pick_blocks(&variant, size, 2 * size, times);
    uint32_t sums[4] = { 0, 0, 0, 0 };
    for (unsigned i = 0; i < times; i++) {
        ((ssim_sums_fn *)kernel)(sums, two.block[0], two.stride[0], two.block[1], two.stride[1]);
    }
    return write_results(arena, sums, 4);
}

/* --- the temporal filter --- */

typedef void temporal_add_fn(uint16_t *sums, uint16_t *weights, const uint8_t *center, const uint8_t *match, int count,
                             int block_weight);
typedef void temporal_mean_fn(uint8_t *dst, const uint16_t *sums, const uint16_t *weights, int count);
typedef void add_offset_fn(uint8_t *samples, int count, int offset);

static const int counts[] = { 32, 16 };

static struct output run_temporal_add(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    const ptrdiff_t stride = 96;
    int count = PICK(&variant, counts), block_weight = 2 - pick(&variant, 3);
    bool at_end = pick(&variant, 2);
    const uint8_t *center = place_array(&inputs.samples[0], at_end, (size_t)count);
    const uint8_t *match = place_array(&inputs.samples[1], at_end, (size_t)count);
    uint8_t *sums = block(arena, stride), *weights = sums + stride;
    describe(times, "count %d, block_weight %d; row 0: sums, row 1: weights", count, block_weight);
    for (unsigned i = 0; i < times; i++) {
        ((temporal_add_fn *)kernel)((void *)sums, (void *)weights, center, match, count, block_weight);
    }
    return (struct output){ stride, { 0, 0, 2 * count, 2 }, 2 };
}

static struct output run_temporal_mean(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    int count = PICK(&variant, counts);
    bool at_end = pick(&variant, 2);
    const uint16_t *sums = place_array(&inputs.levels, at_end, 2 * (size_t)count);
    const uint16_t *weights = place_array(&inputs.weights, at_end, 2 * (size_t)count);
    describe(times, "count %d", count);
    for (unsigned i = 0; i < times; i++) {
        ((temporal_mean_fn *)kernel)(block(arena, 64), sums, weights, count);
    }
    return (struct output){ 64, { 0, 0, count, 1 }, 1 };
}

static const int offsets[] = { 3, -3, 0, 1, -1, 128, -128, 255, -255 };

static struct output run_add_offset(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    int count = PICK(&variant, counts), offset = PICK(&variant, offsets);
    describe(times, "count %d, offset %d", count, offset);
    for (unsigned i = 0; i < times; i++) {
        ((add_offset_fn *)kernel)(block(arena, 64), count, offset);
    }
    return (struct output){ 64, { 0, 0, count, 1 }, 1 };
}

/* --- reducing pictures --- */

typedef void halve_fn(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int width,
                      int height);
typedef void project_columns_fn(int32_t *sums, const uint8_t *src, ptrdiff_t stride, int width, int height);
typedef void project_rows_fn(int32_t *sums, const uint8_t *src, ptrdiff_t stride, int width, int height, int step);
typedef uint32_t sad_s32_fn(const int32_t *a, const int32_t *b, int count);

static const int widths[] = { 24, 8, 16 };

static struct output run_halve(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    static const ptrdiff_t src_strides[] = { 64, 48, 51 };
    static const int heights[] = { 3, 1, 8 };
    (void)size;
    int width = PICK(&variant, widths), height = PICK(&variant, heights);
    bool at_end = pick(&variant, 2);
    ptrdiff_t src_stride = PICK(&variant, src_strides), stride = pick(&variant, 2) ? 48 : 64;
    const uint8_t *src = place(&inputs.samples[0], at_end, src_stride, (struct area){ 0, 0, 2 * width, 2 * height });
    describe(times, "dst_stride %td, src_stride %td, width %d, height %d", stride, src_stride, width, height);
    for (unsigned i = 0; i < times; i++) {
        ((halve_fn *)kernel)(block(arena, stride), stride, src, src_stride, width, height);
    }
    return (struct output){ stride, { 0, 0, width, height }, 1 };
}

enum { HALVE_VARIANTS = COUNT(widths) * 3 * 2 * 3 * 2 };

static struct output run_project_columns(any_fn *kernel, int size, unsigned variant, struct arena *arena,
                                         unsigned times)
{
    static const ptrdiff_t src_strides[] = { 24, 31 };
    static const int heights[] = { 256, 1, 7 };
    (void)size;
    int width = PICK(&variant, widths), height = PICK(&variant, heights);
    bool at_end = pick(&variant, 2);
    ptrdiff_t src_stride = PICK(&variant, src_strides);
    const uint8_t *src = place(&inputs.samples[0], at_end, src_stride, (struct area){ 0, 0, width, height });
    describe(times, "stride %td, width %d, height %d", src_stride, width, height);
    for (unsigned i = 0; i < times; i++) {
        ((project_columns_fn *)kernel)((void *)block(arena, 128), src, src_stride, width, height);
    }
    return (struct output){ 128, { 0, 0, 4 * width, 1 }, 4 };
}

enum { PROJECT_VARIANTS = COUNT(widths) * 3 * 2 * 2 };

static struct output run_project_rows(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    (void)size;
    int step = 4 - pick(&variant, 4);
    const uint8_t *src = inputs.samples[0].begin;
    describe(times, "stride 512, width 500, height 16, step %d", step);
    for (unsigned i = 0; i < times; i++) {
        ((project_rows_fn *)kernel)((void *)block(arena, 128), src, 512, 500, 16, step);
    }
    return (struct output){ 128, { 0, 0, 64, 1 }, 4 };
}

static struct output run_sad_s32(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    static const int lengths[] = { 256, 0, 1, 2, 3, 4, 5, 9, 255 };
    (void)size;
    int count = PICK(&variant, lengths);
    bool at_end = pick(&variant, 2);
    const int32_t *a = place_array(&inputs.signals[0], at_end, 4 * (size_t)count);
    const int32_t *b = place_array(&inputs.signals[1], at_end, 4 * (size_t)count);
    uint32_t sum = 0;
    describe(times, "count %d", count);
    for (unsigned i = 0; i < times; i++) {
        sum = ((sad_s32_fn *)kernel)(a, b, count);
    }
    return write_results(arena, &sum, 1);
}

/* --- loop filters --- */

static const int edges[] = { 40, 0, 1, 2, 4, 7, 12, 20, 63, 100, 128, 193, 254 };
static const int interiors[] = { 12, 0, 1, 2, 4, 7, 31, 63 };
enum { FILTER_VARIANTS = COUNT(edges) * COUNT(interiors) * 4 * STRIDES };

/* The rows of u and v lie below y, by turns, so that the strides differ. */
static struct output run_filter(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int edge = PICK(&variant, edges), interior = PICK(&variant, interiors), hev = pick(&variant, 4);
    const struct xc_filter_limits limits = { (uint8_t)edge, (uint8_t)interior, (uint8_t)hev };
    ptrdiff_t stride = PICK(&variant, strides);
    uint8_t *y = block(arena, stride), *u = y + (size + 8) * stride, *v = u + stride;
    describe(times, "stride %td, edge %d, interior %d, hev %d; u and v from row %d, by turns", stride, edge, interior,
             hev, size + 8);
    for (unsigned i = 0; i < times; i++) {
        ((xc_filter_fn *)kernel)(y, u, v, stride, 2 * stride, &limits);
    }
    return (struct output){ stride, { -3, -3, size, 2 * size + 8 }, 1 };
}

static struct output run_filter_simple(any_fn *kernel, int size, unsigned variant, struct arena *arena, unsigned times)
{
    int edge = PICK(&variant, edges);
    ptrdiff_t stride = PICK(&variant, strides);
    describe(times, "stride %td, edge %d", stride, edge);
    for (unsigned i = 0; i < times; i++) {
        ((xc_filter_simple_fn *)kernel)(block(arena, stride), stride, edge);
    }
    return (struct output){ stride, { -1, -1, size, size }, 1 };
}

/* --- the table --- */

#define SLOT(member) offsetof(struct xc_dsp, member)
#define MC(kind, size)                                                                                                 \
    {                                                                                                                  \
        #kind "_" #size, SLOT(kind[XC_MC_##size]), size, run_##kind, MC_VARIANTS                                       \
    }
#define INTRA(size, name, mode)                                                                                        \
    {                                                                                                                  \
        "intra" #size "_" #name, SLOT(intra##size[XC_INTRA_##mode]), size, run_intra, INTRA_VARIANTS                   \
    }
#define INTRA4(name, mode)                                                                                             \
    {                                                                                                                  \
        "intra4_" #name, SLOT(intra4[XC_B_##mode##_PRED]), 4, run_intra, INTRA_VARIANTS                                \
    }
#define FILTER(name, size, run, variants)                                                                              \
    {                                                                                                                  \
        "filter_" #name, SLOT(filter.name), size, run, variants                                                        \
    }
#define KERNEL(name, size, run, variants)                                                                              \
    {                                                                                                                  \
        #name, SLOT(name), size, run, variants                                                                         \
    }

static const struct kernel mc[] = {
    MC(sixtap, 16), MC(sixtap, 8), MC(sixtap, 4), MC(bilinear, 16), MC(bilinear, 8), MC(bilinear, 4), { 0 },
};
static const struct kernel intra[] = {
    INTRA(16, dc, DC),
    INTRA(16, v, V),
    INTRA(16, h, H),
    INTRA(16, tm, TM),
    INTRA(16, dc_left, DC_LEFT),
    INTRA(16, dc_above, DC_ABOVE),
    INTRA(16, dc_128, DC_128),
    INTRA(8, dc, DC),
    INTRA(8, v, V),
    INTRA(8, h, H),
    INTRA(8, tm, TM),
    INTRA(8, dc_left, DC_LEFT),
    INTRA(8, dc_above, DC_ABOVE),
    INTRA(8, dc_128, DC_128),
    INTRA4(dc, DC),
    INTRA4(tm, TM),
    INTRA4(ve, VE),
    INTRA4(he, HE),
    INTRA4(ld, LD),
    INTRA4(rd, RD),
    INTRA4(vr, VR),
    INTRA4(vl, VL),
    INTRA4(hd, HD),
    INTRA4(hu, HU),
    { 0 },
};
static const struct kernel transform[] = {
    KERNEL(idct_add, 4, run_idct, LEVEL_VARIANTS),
    KERNEL(idct_dc_add, 4, run_idct_dc, COUNT(dcs) * STRIDES),
    KERNEL(iwht, 4, run_iwht, COUNT(dcs) * COUNT(acs) * 2),
    KERNEL(fdct, 4, run_fdct, TWO_BLOCKS_VARIANTS),
    KERNEL(fdct_pair, 4, run_fdct_pair, TWO_BLOCKS_VARIANTS),
    KERNEL(significant, 4, run_significant, 8 * 8 * 2),
    KERNEL(fwht, 4, run_fwht, 2),
    { 0 },
};
static const struct kernel loopfilter[] = {
    FILTER(mb_v, 16, run_filter, FILTER_VARIANTS),
    FILTER(mb_h, 16, run_filter, FILTER_VARIANTS),
    FILTER(inner_v, 16, run_filter, FILTER_VARIANTS),
    FILTER(inner_h, 16, run_filter, FILTER_VARIANTS),
    FILTER(simple_mb_v, 16, run_filter_simple, COUNT(edges) * STRIDES),
    FILTER(simple_mb_h, 16, run_filter_simple, COUNT(edges) * STRIDES),
    FILTER(simple_inner_v, 16, run_filter_simple, COUNT(edges) * STRIDES),
    FILTER(simple_inner_h, 16, run_filter_simple, COUNT(edges) * STRIDES),
    { 0 },
};
static const struct kernel compare[] = {
    KERNEL(ssd16, 16, run_compare, TWO_BLOCKS_VARIANTS),
    KERNEL(sad16, 16, run_compare, TWO_BLOCKS_VARIANTS),
    KERNEL(sad8, 8, run_compare, TWO_BLOCKS_VARIANTS),
    KERNEL(mrsad16, 16, run_compare, TWO_BLOCKS_VARIANTS),
    KERNEL(mrsad8, 8, run_compare, TWO_BLOCKS_VARIANTS),
    KERNEL(difference16, 16, run_difference, TWO_BLOCKS_VARIANTS),
    KERNEL(difference8, 8, run_difference, TWO_BLOCKS_VARIANTS),
    KERNEL(ssim_sums, 4, run_ssim_sums, TWO_BLOCKS_VARIANTS),
    { 0 },
};
static const struct kernel temporal[] = {
    KERNEL(temporal_add, 0, run_temporal_add, COUNT(counts) * 3 * 2),
    KERNEL(temporal_mean, 0, run_temporal_mean, COUNT(counts) * 2),
    KERNEL(add_offset, 0, run_add_offset, COUNT(counts) * COUNT(offsets)),
    { 0 },
};
static const struct kernel reduce[] = {
    KERNEL(halve, 0, run_halve, HALVE_VARIANTS),
    KERNEL(project_columns, 0, run_project_columns, PROJECT_VARIANTS),
    KERNEL(project_rows, 0, run_project_rows, 4),
    KERNEL(sad_s32, 0, run_sad_s32, 9 * 2),
    { 0 },
};

const struct group groups[GROUPS] = {
    { "mc", mc, 2 },
    { "intra", intra, 100 },
    { "transform", transform, 20 },
    { "loopfilter", loopfilter, 4 },
    { "compare", compare, 20 },
    { "temporal", temporal, 100 },
    { "reduce", reduce, 20 },
};

/* --- the versions --- */

const struct set sets[MAX_SETS] = {
    { "c", 0 },
#if defined(__x86_64__)
    { "sse2", XC_CPU_SSE2 },
    { "ssse3", XC_CPU_SSE2 | XC_CPU_SSSE3 },
    { "avx2", XC_CPU_SSE2 | XC_CPU_SSSE3 | XC_CPU_AVX2 },
#elif defined(__aarch64__)
    { "neon", XC_CPU_NEON },
#endif
};
const int set_count =
#if defined(__x86_64__)
    4;
#elif defined(__aarch64__)
    2;
#else
    1;
#endif

static struct xc_dsp tables[MAX_SETS];

void fill_tables(void)
{
    for (int set = 0; set < set_count; set++) {
        xc_dsp_fill(&tables[set], sets[set].features);
    }
}

any_fn *version(int set, const struct kernel *kernel)
{
    any_fn *function;
    memcpy(&function, (const char *)&tables[set] + kernel->slot, sizeof function);
    return function;
}

bool is_own(int set, const struct kernel *kernel)
{
    return set == 0 || version(set, kernel) != version(set - 1, kernel);
}

bool is_here(int set)
{
    return (sets[set].features & ~xc_cpu_features()) == 0;
}

const struct kernel *kernel_at(size_t slot)
{
    for (int group = 0; group < GROUPS; group++) {
        for (const struct kernel *kernel = groups[group].kernels; kernel->name; kernel++) {
            if (kernel->slot == slot) {
                return kernel;
            }
        }
    }
    return NULL;
}
