/* Measures of difference: SSE2, and AVX2 where rows are 16 wide. */
#include "dsp/kernels.h"
#include "dsp/x86/simd.h"

INLINE uint32_t add_up(__m128i sums)
{
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4e));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(sums);
}

/* Four sums of squares of four differences each. */
INLINE __m128i squares(__m128i a, __m128i b)
{
    __m128i difference = _mm_or_si128(_mm_subs_epu8(a, b), _mm_subs_epu8(b, a));
    __m128i low = _mm_unpacklo_epi8(difference, _mm_setzero_si128());
    __m128i high = _mm_unpackhi_epi8(difference, _mm_setzero_si128());
    return _mm_add_epi32(_mm_madd_epi16(low, low), _mm_madd_epi16(high, high));
}

static uint32_t ssd16_sse2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m128i sums = _mm_setzero_si128();
    for (int y = 0; y < 16; y++) {
        sums = _mm_add_epi32(sums, squares(load16(a + y * a_stride), load16(b + y * b_stride)));
    }
    return add_up(sums);
}

INLINE __m128i load_two_rows(const uint8_t *src, ptrdiff_t stride)
{
    return _mm_unpacklo_epi64(load8(src), load8(src + stride));
}

static uint32_t ssd8(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m128i sums = _mm_setzero_si128();
    for (int y = 0; y < 8; y += 2) {
        __m128i rows_a = load_two_rows(a + y * a_stride, a_stride), rows_b = load_two_rows(b + y * b_stride, b_stride);
        sums = _mm_add_epi32(sums, squares(rows_a, rows_b));
    }
    return add_up(sums);
}

INLINE __m128i load_4x4(const uint8_t *src, ptrdiff_t stride)
{
    return _mm_unpacklo_epi64(_mm_unpacklo_epi32(load4(src), load4(src + stride)),
                              _mm_unpacklo_epi32(load4(src + 2 * stride), load4(src + 3 * stride)));
}

static uint32_t ssd4(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return add_up(squares(load_4x4(a, a_stride), load_4x4(b, b_stride)));
}

static uint32_t sad16_sse2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m128i sums = _mm_setzero_si128();
    for (int y = 0; y < 16; y++) {
        sums = _mm_add_epi32(sums, _mm_sad_epu8(load16(a + y * a_stride), load16(b + y * b_stride)));
    }
    return add_up(sums);
}

TARGET("avx2") INLINE uint32_t add_up_wide(__m256i sums)
{
    return add_up(_mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
}

TARGET("avx2")
static uint32_t ssd16_avx2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m256i sums = _mm256_setzero_si256();
    for (int y = 0; y < 16; y++) {
        __m256i difference = _mm256_sub_epi16(_mm256_cvtepu8_epi16(load16(a + y * a_stride)),
                                              _mm256_cvtepu8_epi16(load16(b + y * b_stride)));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(difference, difference));
    }
    return add_up_wide(sums);
}

TARGET("avx2") INLINE __m256i load_two_rows_wide(const uint8_t *src, ptrdiff_t stride)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load16(src)), load16(src + stride), 1);
}

TARGET("avx2")
static uint32_t sad16_avx2(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    __m256i sums = _mm256_setzero_si256();
    for (int y = 0; y < 16; y += 2) {
        sums = _mm256_add_epi32(sums, _mm256_sad_epu8(load_two_rows_wide(a + y * a_stride, a_stride),
                                                      load_two_rows_wide(b + y * b_stride, b_stride)));
    }
    return add_up_wide(sums);
}

void xc_dsp_pixel_sse2(struct xc_dsp *dsp)
{
    dsp->ssd16 = ssd16_sse2;
    dsp->ssd8 = ssd8;
    dsp->ssd4 = ssd4;
    dsp->sad16 = sad16_sse2;
}

void xc_dsp_pixel_avx2(struct xc_dsp *dsp)
{
    dsp->ssd16 = ssd16_avx2;
    dsp->sad16 = sad16_avx2;
}
