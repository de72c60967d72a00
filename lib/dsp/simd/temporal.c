/* SPDX-License-Identifier: BSD-2-Clause */
/* The temporal filter's arithmetic, 16 samples at a time. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

/* (3 * difference^2 + 32) / 64, of words. */
INLINE vec penalty(vec difference)
{
    vec squares = mul_s16(difference, difference);
    return shift_right_s16(add_s16(mul_s16(squares, splat_16(3)), splat_16(32)), 6);
}

/* Adds eight words to those at sums. */
INLINE void add_words(uint16_t *sums, vec words)
{
    store16(sums, add_s16(load16(sums), words));
}

static void KERNEL(temporal_add)(uint16_t *sums, uint16_t *weights, const uint8_t *center, const uint8_t *match,
                                 int count, int block_weight)
{
    const vec block = splat_16(block_weight);
    for (int i = 0; i < count; i += 16) {
        vec samples = load16(match + i);
        /* The penalty exceeds 16 from a difference of 19 on; squares of more than 100 would not fit 16 bits. */
        vec difference = min_u8(difference_u8(load16(center + i), samples), splat_8(100));
        vec low = penalty(zip_low_8(difference, zero())), high = penalty(zip_high_8(difference, zero()));
        vec weight = sat_sub_u8(splat_8(16), narrow_s16_u8(low, high));
        vec weight_low = mul_s16(zip_low_8(weight, zero()), block);
        vec weight_high = mul_s16(zip_high_8(weight, zero()), block);
        add_words(sums + i, mul_s16(zip_low_8(samples, zero()), weight_low));
        add_words(sums + i + 8, mul_s16(zip_high_8(samples, zero()), weight_high));
        add_words(weights + i, weight_low);
        add_words(weights + i + 8, weight_high);
    }
}

/* Four quotients of unsigned words, rounded to the nearest. */
INLINE vec rounded_quotients(vec sums, vec weights)
{
    return quotient_s32(add_s32(sums, shift_right_s32(weights, 1)), weights);
}

/* Eight. */
INLINE vec means(const uint16_t *sums, const uint16_t *weights)
{
    vec sum = load16(sums), weight = load16(weights);
    return narrow_s32_s16(rounded_quotients(zip_low_16(sum, zero()), zip_low_16(weight, zero())),
                          rounded_quotients(zip_high_16(sum, zero()), zip_high_16(weight, zero())));
}

static void KERNEL(temporal_mean)(uint8_t *dst, const uint16_t *sums, const uint16_t *weights, int count)
{
    for (int i = 0; i < count; i += 16) {
        store16(dst + i, narrow_s16_u8(means(sums + i, weights + i), means(sums + i + 8, weights + i + 8)));
    }
}

static void KERNEL(add_offset)(uint8_t *samples, int count, int offset)
{
    const vec more = splat_8(offset > 0 ? offset : 0), less = splat_8(offset < 0 ? -offset : 0);
    for (int i = 0; i < count; i += 16) {
        store16(samples + i, sat_sub_u8(sat_add_u8(load16(samples + i), more), less));
    }
}

void KERNEL(dsp_temporal)(struct xc_dsp *dsp)
{
    dsp->temporal_add = KERNEL(temporal_add);
    dsp->temporal_mean = KERNEL(temporal_mean);
    dsp->add_offset = KERNEL(add_offset);
}
