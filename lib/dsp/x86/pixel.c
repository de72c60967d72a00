/* Measures of difference of rows 16 wide, with AVX2. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

TARGET("avx2") INLINE uint32_t add_up(__m256i sums)
{
    return sum_s32(add_s32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
}

TARGET("avx2")
static uint32_t ssd16(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
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
static uint32_t sad16(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m256i sums = _mm256_setzero_si256();
    for (int y = 0; y < 16; y += 2) {
        sums = _mm256_add_epi32(sums, _mm256_sad_epu8(load_two_rows(a + y * a_stride, a_stride),
                                                      load_two_rows(b + y * b_stride, b_stride)));
    }
    return add_up(sums);
}

void xc_dsp_pixel_avx2(struct xc_dsp *dsp)
{
    dsp->ssd16 = ssd16;
    dsp->sad16 = sad16;
}
