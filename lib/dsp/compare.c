/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing square blocks, in C. */
#include <stdlib.h>

#include "dsp/kernels.h"

static inline uint32_t ssd(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size)
{
    uint32_t sum = 0;
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            int difference = a[y * a_stride + x] - b[y * b_stride + x];
            sum += (uint32_t)(difference * difference);
        }
    }
    return sum;
}

static inline int32_t sum_of_differences(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride,
                                         int size)
{
    int32_t sum = 0;
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            sum += a[y * a_stride + x] - b[y * b_stride + x];
        }
    }
    return sum;
}

static inline uint32_t sad(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size,
                           int mean)
{
    uint32_t sum = 0;
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            sum += (uint32_t)abs(a[y * a_stride + x] - b[y * b_stride + x] - mean);
        }
    }
    return sum;
}

static uint32_t xc_ssd16_c(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return ssd(a, a_stride, b, b_stride, 16);
}

#define DEFINE_SIZE(size)                                                                                              \
    static uint32_t xc_sad##size##_c(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)       \
    {                                                                                                                  \
        return sad(a, a_stride, b, b_stride, size, 0);                                                                 \
    }                                                                                                                  \
    static int32_t xc_difference##size##_c(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride) \
    {                                                                                                                  \
        return sum_of_differences(a, a_stride, b, b_stride, size);                                                     \
    }                                                                                                                  \
    static uint32_t xc_mrsad##size##_c(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)     \
    {                                                                                                                  \
        const int mean = sum_of_differences(a, a_stride, b, b_stride, size) / ((size) * (size));                       \
        return sad(a, a_stride, b, b_stride, size, mean);                                                              \
    }

DEFINE_SIZE(16)
DEFINE_SIZE(8)

static void xc_ssim_sums_c(uint32_t sums[4], const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    uint32_t sum_a = 0, sum_b = 0, squares = 0, products = 0;
    for (int y = 0; y < 8; y++, a += a_stride, b += b_stride) {
        for (int x = 0; x < 4; x++) {
            sum_a += a[x];
            sum_b += b[x];
            squares += (uint32_t)(a[x] * a[x] + b[x] * b[x]);
            products += (uint32_t)(a[x] * b[x]);
        }
    }
    sums[0] = sum_a;
    sums[1] = sum_b;
    sums[2] = squares;
    sums[3] = products;
}

void xc_dsp_compare_c(struct xc_dsp *dsp)
{
    dsp->ssd16 = xc_ssd16_c;
    dsp->sad16 = xc_sad16_c;
    dsp->sad8 = xc_sad8_c;
    dsp->difference16 = xc_difference16_c;
    dsp->difference8 = xc_difference8_c;
    dsp->mrsad16 = xc_mrsad16_c;
    dsp->mrsad8 = xc_mrsad8_c;
    dsp->ssim_sums = xc_ssim_sums_c;
}
