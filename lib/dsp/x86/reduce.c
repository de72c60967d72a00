/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing signals with AVX2: eight numbers at a time. */
#include <stdlib.h>

#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

TARGET("avx2")
static uint32_t xc_sad_s32_avx2(const int32_t *a, const int32_t *b, int count)
{
    __m256i sums = _mm256_setzero_si256();
    int i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256i difference = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(a + i)),
                                              _mm256_loadu_si256((const __m256i *)(const void *)(b + i)));
        sums = _mm256_add_epi32(sums, _mm256_abs_epi32(difference));
    }
    uint32_t sum = sum_s32(add_s32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
    for (; i < count; i++) {
        sum += (uint32_t)abs(a[i] - b[i]);
    }
    return sum;
}

void xc_dsp_reduce_avx2(struct xc_dsp *dsp)
{
    dsp->sad_s32 = xc_sad_s32_avx2;
}
