/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing square blocks, 16 samples at a time: one row of 16 or two rows of 8. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

INLINE vec load_rows(const uint8_t *src, ptrdiff_t stride, int size)
{
    return size == 16 ? load16(src) : zip_low_64(load8(src), load8(src + stride));
}

/* Four sums of four products each. */
INLINE vec products_u8(vec a, vec b)
{
    return add_s32(mul_add_pairs_s16(zip_low_8(a, zero()), zip_low_8(b, zero())),
                   mul_add_pairs_s16(zip_high_8(a, zero()), zip_high_8(b, zero())));
}

static uint32_t KERNEL(ssd16)(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    vec sums = zero();
    for (int y = 0; y < 16; y++) {
        vec difference = difference_u8(load16(a + y * a_stride), load16(b + y * b_stride));
        sums = add_s32(sums, products_u8(difference, difference));
    }
    return sum_s32(sums);
}

INLINE uint32_t sad(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size)
{
    vec sums = zero();
    for (int y = 0; y < size; y += 16 / size) {
        vec rows_a = load_rows(a + y * a_stride, a_stride, size), rows_b = load_rows(b + y * b_stride, b_stride, size);
        sums = add_s32(sums, sum_differences_u8(rows_a, rows_b));
    }
    return sum_s32(sums);
}

INLINE int32_t sum_of_differences(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size)
{
    vec sums = zero();
    for (int y = 0; y < size; y += 16 / size) {
        vec rows_a = load_rows(a + y * a_stride, a_stride, size), rows_b = load_rows(b + y * b_stride, b_stride, size);
        sums = add_s32(sums, sub_s32(sum_differences_u8(rows_a, zero()), sum_differences_u8(rows_b, zero())));
    }
    return (int32_t)sum_s32(sums);
}

/* Sum of |a - b - mean|, mean not negative. Of a - b and b - a, each saturated at 0, one is 0: the first differs from
 * mean by |a - b - mean| or by mean, and then the second is what is missing. So bytes are enough. */
INLINE uint32_t sad_from_mean(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size,
                              int mean)
{
    vec sums = zero();
    for (int y = 0; y < size; y += 16 / size) {
        vec rows_a = load_rows(a + y * a_stride, a_stride, size), rows_b = load_rows(b + y * b_stride, b_stride, size);
        sums = add_s32(sums, sum_differences_u8(sat_sub_u8(rows_a, rows_b), splat_8(mean)));
        sums = add_s32(sums, sum_differences_u8(sat_sub_u8(rows_b, rows_a), zero()));
    }
    return sum_s32(sums);
}

INLINE uint32_t mrsad(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size)
{
    const int mean = sum_of_differences(a, a_stride, b, b_stride, size) / (size * size);
    return mean >= 0 ? sad_from_mean(a, a_stride, b, b_stride, size, mean)
                     : sad_from_mean(b, b_stride, a, a_stride, size, -mean);
}

#define DEFINE_SIZE(size)                                                                                              \
    static uint32_t KERNEL(sad##size)(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)      \
    {                                                                                                                  \
        return sad(a, a_stride, b, b_stride, size);                                                                    \
    }                                                                                                                  \
    static int32_t KERNEL(difference##size)(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b,                    \
                                            ptrdiff_t b_stride)                                                        \
    {                                                                                                                  \
        return sum_of_differences(a, a_stride, b, b_stride, size);                                                     \
    }                                                                                                                  \
    static uint32_t KERNEL(mrsad##size)(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)    \
    {                                                                                                                  \
        return mrsad(a, a_stride, b, b_stride, size);                                                                  \
    }

DEFINE_SIZE(16)
DEFINE_SIZE(8)

static void KERNEL(ssim_sums)(uint32_t sums[4], const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b,
                              ptrdiff_t b_stride)
{
    vec sum_a = zero(), sum_b = zero(), squares = zero(), products = zero();
    for (int y = 0; y < 8; y += 4) {
        vec rows_a = load_4x4(a + y * a_stride, a_stride), rows_b = load_4x4(b + y * b_stride, b_stride);
        sum_a = add_s32(sum_a, sum_differences_u8(rows_a, zero()));
        sum_b = add_s32(sum_b, sum_differences_u8(rows_b, zero()));
        squares = add_s32(squares, add_s32(products_u8(rows_a, rows_a), products_u8(rows_b, rows_b)));
        products = add_s32(products, products_u8(rows_a, rows_b));
    }
    sums[0] = sum_s32(sum_a);
    sums[1] = sum_s32(sum_b);
    sums[2] = sum_s32(squares);
    sums[3] = sum_s32(products);
}

void KERNEL(dsp_compare)(struct xc_dsp *dsp)
{
    dsp->ssd16 = KERNEL(ssd16);
    dsp->sad16 = KERNEL(sad16);
    dsp->sad8 = KERNEL(sad8);
    dsp->difference16 = KERNEL(difference16);
    dsp->difference8 = KERNEL(difference8);
    dsp->mrsad16 = KERNEL(mrsad16);
    dsp->mrsad8 = KERNEL(mrsad8);
    dsp->ssim_sums = KERNEL(ssim_sums);
}
