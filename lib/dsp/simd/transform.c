/* SPDX-License-Identifier: BSD-2-Clause */
/* The transforms; RFC 6386 section 14. A 4x4 block of 16-bit values is two registers, two lines in each. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

struct block {
    vec line_01, line_23;
};

INLINE struct block load_block(const int16_t in[16])
{
    return (struct block){ load16(in), load16(in + 8) };
}

INLINE void store_block(int16_t out[16], struct block block)
{
    store16(out, block.line_01);
    store16(out + 8, block.line_23);
}

/* Lines 0 and 2, lines 1 and 3. */
INLINE struct block block_of(vec even, vec odd)
{
    return (struct block){ zip_low_64(even, odd), zip_high_64(even, odd) };
}

INLINE struct block transpose(struct block b)
{
    vec even = zip_low_16(b.line_01, b.line_23), odd = zip_high_16(b.line_01, b.line_23);
    return (struct block){ zip_low_16(even, odd), zip_high_16(even, odd) };
}

INLINE struct block shift_right(struct block b, int shift)
{
    return (struct block){ shift_right_s16(b.line_01, shift), shift_right_s16(b.line_23, shift) };
}

INLINE struct block dequantize(const int16_t levels[16], int dc, int ac)
{
    struct block b = load_block(levels);
    vec factor = splat_16(ac);
    return (struct block){ set_first_s16(mul_s16(b.line_01, factor), dc), mul_s16(b.line_23, factor) };
}

/* --- inverse --- */

/* Combines lines, each lane on its own; adds round to all of them. */
INLINE struct block idct_lines(struct block b, int round)
{
    vec even = zip_low_64(add_s16(b.line_01, b.line_23), sub_s16(b.line_01, b.line_23));
    vec odd = zip_high_64(b.line_01, b.line_23);
    /* sqrt(2) * sin(pi / 8) and sqrt(2) * cos(pi / 8), both in units of 1/65536 and less 1 so that they fit. */
    vec by_sin = add_s16(odd, mul_high_s16(odd, splat_16(35468 - 65536)));
    vec by_cos = add_s16(odd, mul_high_s16(odd, splat_16(20091)));
    vec sin_swapped = swap_halves(by_sin);
    even = add_s16(even, splat_16(round));
    vec rotated = low_and_high(add_s16(by_cos, sin_swapped), sub_s16(sin_swapped, by_cos));
    return (struct block){ add_s16(even, rotated), swap_halves(sub_s16(even, rotated)) };
}

INLINE void add_to_picture(uint8_t *dst, ptrdiff_t stride, struct block residue)
{
    vec samples = load_4x4(dst, stride);
    vec above = add_s16(zip_low_8(samples, zero()), residue.line_01);
    vec below = add_s16(zip_high_8(samples, zero()), residue.line_23);
    store_4x4(dst, stride, narrow_s16_u8(above, below));
}

static void KERNEL(idct_add)(uint8_t *dst, ptrdiff_t stride, const int16_t levels[16], int dc, int ac)
{
    struct block b = transpose(idct_lines(dequantize(levels, dc, ac), 0));
    add_to_picture(dst, stride, transpose(shift_right(idct_lines(b, 4), 3)));
}

static void KERNEL(idct_dc_add)(uint8_t *dst, ptrdiff_t stride, int dc)
{
    vec value = shift_right_s16(add_s16(splat_16(dc), splat_16(4)), 3);
    add_to_picture(dst, stride, (struct block){ value, value });
}

INLINE struct block iwht_lines(struct block b, int round)
{
    vec mirrored = swap_halves(b.line_23);
    vec sums = add_s16(b.line_01, mirrored), differences = sub_s16(b.line_01, mirrored); /* of 0 and 3, of 1 and 2 */
    vec outer = zip_low_64(sums, differences), inner = zip_high_64(sums, differences);
    outer = add_s16(outer, splat_16(round));
    return (struct block){ add_s16(outer, inner), sub_s16(outer, inner) };
}

static void KERNEL(iwht)(int16_t out[16], const int16_t levels[16], int dc, int ac)
{
    struct block b = transpose(iwht_lines(dequantize(levels, levels[0] * dc, ac), 0));
    store_block(out, transpose(shift_right(iwht_lines(b, 3), 3)));
}

/* --- forward --- */

/* a, b, a, b, ... */
INLINE vec splat_pair(int a, int b)
{
    return zip_low_16(splat_16(a), splat_16(b));
}

/* What both passes of the forward DCT start from. */
struct folded {
    vec even;  /* lines 0 and 2 of the result */
    vec pairs; /* per lane, the differences of lines 1 and 2 and of lines 0 and 3, next to each other */
    vec outer; /* the latter alone, in the low half */
};

INLINE struct folded fold(struct block b)
{
    vec mirrored = swap_halves(b.line_23);
    vec sums = add_s16(b.line_01, mirrored), differences = sub_s16(b.line_01, mirrored);
    return (struct folded){
        zip_low_64(add_s16(sums, swap_halves(sums)), sub_s16(sums, swap_halves(sums))),
        zip_low_16(swap_halves(differences), differences),
        differences,
    };
}

/* Lines 1 and 3; the intermediate results need 32 bits. */
INLINE vec rotate(vec pairs, int round_1, int round_3, int shift)
{
    vec line_1 = add_s32(mul_add_pairs_s16(pairs, splat_pair(2217, 5352)), splat_32(round_1));
    vec line_3 = add_s32(mul_add_pairs_s16(pairs, splat_pair(-5352, 2217)), splat_32(round_3));
    return narrow_s32_s16(shift_right_s32(line_1, shift), shift_right_s32(line_3, shift));
}

/* 1 where a word is not 0, in the low half; 0 in the high half. */
INLINE vec ones_in_low_half(vec a)
{
    return low_and_high(add_s16(equal_s16(a, zero()), splat_16(1)), zero());
}

static void KERNEL(fdct)(int16_t out[16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                         ptrdiff_t pred_stride)
{
    vec from = load_4x4(src, src_stride), minus = load_4x4(pred, pred_stride);
    struct block b = {
        shift_left_s16(sub_s16(zip_low_8(from, zero()), zip_low_8(minus, zero())), 3),
        shift_left_s16(sub_s16(zip_high_8(from, zero()), zip_high_8(minus, zero())), 3),
    };
    struct folded columns = fold(transpose(b));
    b = block_of(columns.even, rotate(columns.pairs, 14500, 7500, 12));

    struct folded rows = fold(transpose(b));
    vec even = shift_right_s16(add_s16(rows.even, splat_16(7)), 4);
    vec odd = add_s16(rotate(rows.pairs, 12000, 51000, 16), ones_in_low_half(rows.outer));
    store_block(out, block_of(even, odd));
}

/* A line of two blocks in each register: block 0 in the low half, block 1 in the high one. */
struct pair {
    vec line[4];
};

INLINE struct pair transpose_pair(struct pair p)
{
    vec a_01 = zip_low_16(p.line[0], p.line[1]), a_23 = zip_low_16(p.line[2], p.line[3]); /* block 0 */
    vec b_01 = zip_high_16(p.line[0], p.line[1]), b_23 = zip_high_16(p.line[2], p.line[3]);
    vec a_left = zip_low_32(a_01, a_23), a_right = zip_high_32(a_01, a_23);
    vec b_left = zip_low_32(b_01, b_23), b_right = zip_high_32(b_01, b_23);
    return (struct pair){ { zip_low_64(a_left, b_left), zip_high_64(a_left, b_left), zip_low_64(a_right, b_right),
                            zip_high_64(a_right, b_right) } };
}

/* a * x + b * y, rounded and divided by 2^shift. */
INLINE vec rotate_pair(vec x, vec y, int a, int b, int round, int shift)
{
    vec factors = splat_pair(a, b);
    vec low = add_s32(mul_add_pairs_s16(zip_low_16(x, y), factors), splat_32(round));
    vec high = add_s32(mul_add_pairs_s16(zip_high_16(x, y), factors), splat_32(round));
    return narrow_s32_s16(shift_right_s32(low, shift), shift_right_s32(high, shift));
}

/* Combines lines; leaves 0 and 2 unrounded. *outer: what line 1 is mostly made of. */
INLINE struct pair fdct_lines(struct pair p, int round_1, int round_3, int shift, vec *outer)
{
    vec outer_sum = add_s16(p.line[0], p.line[3]), inner_sum = add_s16(p.line[1], p.line[2]);
    vec inner = sub_s16(p.line[1], p.line[2]);
    *outer = sub_s16(p.line[0], p.line[3]);
    return (struct pair){ {
        add_s16(outer_sum, inner_sum),
        rotate_pair(inner, *outer, 2217, 5352, round_1, shift),
        sub_s16(outer_sum, inner_sum),
        rotate_pair(inner, *outer, -5352, 2217, round_3, shift),
    } };
}

static void KERNEL(fdct_pair)(int16_t out[2][16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                              ptrdiff_t pred_stride)
{
    struct pair p;
    vec outer;
    for (int y = 0; y < 4; y++) {
        vec from = zip_low_8(load8(src + y * src_stride), zero()),
            minus = zip_low_8(load8(pred + y * pred_stride), zero());
        p.line[y] = shift_left_s16(sub_s16(from, minus), 3);
    }
    p = transpose_pair(fdct_lines(transpose_pair(p), 14500, 7500, 12, &outer));
    p = fdct_lines(p, 12000, 51000, 16, &outer);
    vec outer_is_not_zero = add_s16(equal_s16(outer, zero()), splat_16(1));
    p.line[0] = shift_right_s16(add_s16(p.line[0], splat_16(7)), 4);
    p.line[1] = add_s16(p.line[1], outer_is_not_zero);
    p.line[2] = shift_right_s16(add_s16(p.line[2], splat_16(7)), 4);
    for (int half = 0; half < 2; half++) {
        store16(out[0] + 8 * half, zip_low_64(p.line[2 * half], p.line[2 * half + 1]));
        store16(out[1] + 8 * half, zip_high_64(p.line[2 * half], p.line[2 * half + 1]));
    }
}

/* Ones in words whose magnitude is above a limit. */
INLINE vec beyond_s16(vec a, vec limit)
{
    return bit_or(greater_s16(a, limit), greater_s16(sub_s16(zero(), limit), a));
}

static unsigned KERNEL(significant)(const int16_t coefficients[16], int dc, int ac, uint32_t *energy)
{
    struct block b = load_block(coefficients);
    vec limit = splat_16((ac - 1) / 2), first_limit = set_first_s16(limit, (dc - 1) / 2);
    vec large = narrow_s16_s8(beyond_s16(b.line_01, first_limit), beyond_s16(b.line_23, limit));
    *energy = sum_s32(add_s32(mul_add_pairs_s16(b.line_01, b.line_01), mul_add_pairs_s16(b.line_23, b.line_23)));
    return bits_of_8(large);
}

/* The first pass keeps 16 bits. */
INLINE struct block fwht_lines(struct block b)
{
    vec sums = add_s16(b.line_01, b.line_23), differences = sub_s16(b.line_01, b.line_23); /* of 0 and 2, of 1 and 3 */
    vec even = shift_left_s16(zip_low_64(sums, differences), 2);
    vec odd = shift_left_s16(zip_high_64(sums, differences), 2);
    vec true_sums = sat_add_s16(b.line_01, b.line_23); /* which wrap to 0 in no case */
    return (struct block){
        add_s16(add_s16(even, odd), ones_in_low_half(true_sums)),
        swap_halves(sub_s16(even, odd)),
    };
}

/* (value + (value < 0) + 3) / 8, rounded down. */
INLINE vec round_eighths(vec value)
{
    return shift_right_s32(sub_s32(add_s32(value, splat_32(3)), shift_right_s32(value, 31)), 3);
}

/* The second takes 32. */
static void KERNEL(fwht)(int16_t out[16], const int16_t in[16])
{
    struct block b = transpose(fwht_lines(transpose(load_block(in))));
    vec even = zip_low_16(b.line_01, b.line_23), odd = zip_high_16(b.line_01, b.line_23);
    vec plus = splat_pair(1, 1), minus = splat_pair(1, -1);
    vec even_sum = mul_add_pairs_s16(even, plus), even_difference = mul_add_pairs_s16(even, minus);
    vec odd_sum = mul_add_pairs_s16(odd, plus), odd_difference = mul_add_pairs_s16(odd, minus);
    vec line_0 = round_eighths(add_s32(even_sum, odd_sum)), line_3 = round_eighths(sub_s32(even_sum, odd_sum));
    vec line_1 = round_eighths(add_s32(even_difference, odd_difference));
    vec line_2 = round_eighths(sub_s32(even_difference, odd_difference));
    store_block(out, (struct block){ narrow_s32_s16(line_0, line_1), narrow_s32_s16(line_2, line_3) });
}

void KERNEL(dsp_transform)(struct xc_dsp *dsp)
{
    dsp->idct_add = KERNEL(idct_add);
    dsp->idct_dc_add = KERNEL(idct_dc_add);
    dsp->iwht = KERNEL(iwht);
    dsp->fdct = KERNEL(fdct);
    dsp->fdct_pair = KERNEL(fdct_pair);
    dsp->significant = KERNEL(significant);
    dsp->fwht = KERNEL(fwht);
}
