/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing blocks of 16x16 with AVX2: two rows at a time. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

TARGET("avx2") INLINE uint32_t add_up(__m256i sums)
{
    return sum_s32(add_s32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
}

TARGET("avx2")
static uint32_t xc_ssd16_avx2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m256i sums = _mm256_setzero_si256();
    for (int y = 0; y < 16; y++) {
        __m256i difference = _mm256_sub_epi16(_mm256_cvtepu8_epi16(load16(a + y * a_stride)),
                                              _mm256_cvtepu8_epi16(load16(b + y * b_stride)));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(difference, difference));
    }
    return add_up(sums);
}

TARGET("avx2") INLINE __m256i load_two_rows(const uint8_t *src, ptrdiff_t stride)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load16(src)), load16(src + stride), 1);
}

TARGET("avx2")
static uint32_t xc_sad16_avx2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m256i sums = _mm256_setzero_si256();
    for (int y = 0; y < 16; y += 2) {
        sums = _mm256_add_epi32(sums, _mm256_sad_epu8(load_two_rows(a + y * a_stride, a_stride),
                                                      load_two_rows(b + y * b_stride, b_stride)));
    }
    return add_up(sums);
}

TARGET("avx2")
INLINE int32_t sum_of_differences(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    const __m256i zeros = _mm256_setzero_si256();
    __m256i sums = zeros;
    for (int y = 0; y < 16; y += 2) {
        sums = _mm256_add_epi32(sums, _mm256_sad_epu8(load_two_rows(a + y * a_stride, a_stride), zeros));
        sums = _mm256_sub_epi32(sums, _mm256_sad_epu8(load_two_rows(b + y * b_stride, b_stride), zeros));
    }
    return (int32_t)add_up(sums);
}

TARGET("avx2")
static int32_t xc_difference16_avx2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return sum_of_differences(a, a_stride, b, b_stride);
}

/* As in dsp/simd/compare.c. */
TARGET("avx2")
INLINE uint32_t sad_from_mean(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int mean)
{
    const __m256i zeros = _mm256_setzero_si256(), means = _mm256_set1_epi8((char)mean);
    __m256i sums = zeros;
    for (int y = 0; y < 16; y += 2) {
        __m256i rows_a = load_two_rows(a + y * a_stride, a_stride), rows_b = load_two_rows(b + y * b_stride, b_stride);
        sums = _mm256_add_epi32(sums, _mm256_sad_epu8(_mm256_subs_epu8(rows_a, rows_b), means));
        sums = _mm256_add_epi32(sums, _mm256_sad_epu8(_mm256_subs_epu8(rows_b, rows_a), zeros));
    }
    return add_up(sums);
}

TARGET("avx2")
static uint32_t xc_mrsad16_avx2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    const int mean = sum_of_differences(a, a_stride, b, b_stride) / (16 * 16);
    return mean >= 0 ? sad_from_mean(a, a_stride, b, b_stride, mean) : sad_from_mean(b, b_stride, a, a_stride, -mean);
}

void xc_dsp_compare_avx2(struct xc_dsp *dsp)
{
    dsp->ssd16 = xc_ssd16_avx2;
    dsp->sad16 = xc_sad16_avx2;
    dsp->difference16 = xc_difference16_avx2;
    dsp->mrsad16 = xc_mrsad16_avx2;
}
