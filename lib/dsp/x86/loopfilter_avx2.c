/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop filters with AVX2: luma in the lower half of each register, u and v in the upper one. */
#include <string.h>

#include "dsp/kernels.h"
#include "dsp/x86/avx2.h"

struct rows {
    uint8_t *luma, *chroma;
    ptrdiff_t stride, chroma_stride;
};

INLINE __m128i load8(const uint8_t *src)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)src);
}

INLINE vec load_row(const struct rows *rows, int y)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load8(rows->luma + y * rows->stride)),
                                   load8(rows->chroma + y * rows->chroma_stride), 1);
}

INLINE void store_low8(uint8_t *dst, __m128i a)
{
    _mm_storel_epi64((__m128i *)(void *)dst, a);
}

INLINE void store_high8(uint8_t *dst, __m128i a)
{
    const int64_t half = _mm_extract_epi64(a, 1);
    memcpy(dst, &half, sizeof half);
}

INLINE void store_row_low(const struct rows *rows, int y, vec a)
{
    store_low8(rows->luma + y * rows->stride, _mm256_castsi256_si128(a));
    store_low8(rows->chroma + y * rows->chroma_stride, _mm256_extracti128_si256(a, 1));
}

INLINE void store_row_high(const struct rows *rows, int y, vec a)
{
    store_high8(rows->luma + y * rows->stride, _mm256_castsi256_si128(a));
    store_high8(rows->chroma + y * rows->chroma_stride, _mm256_extracti128_si256(a, 1));
}

#include "dsp/simd/loopfilter.h"

/* y, u, v: the first sample after the edge. reach: how many samples the filter changes on either side. */
INLINE void filter_rows(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                        const struct limits *limits, filter_fn *filter, int reach)
{
    vec s[ACROSS];
    for (int i = 0; i < ACROSS; i++) {
        const __m128i luma = _mm_loadu_si128((const __m128i *)(const void *)(y + (i - Q0) * stride));
        const __m128i chroma =
            _mm_unpacklo_epi64(load8(u + (i - Q0) * chroma_stride), load8(v + (i - Q0) * chroma_stride));
        s[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(luma), chroma, 1);
    }
    filter(s, limits);
    for (int i = Q0 - reach; i < Q0 + reach; i++) {
        const __m128i chroma = _mm256_extracti128_si256(s[i], 1);
        _mm_storeu_si128((__m128i *)(void *)(y + (i - Q0) * stride), _mm256_castsi256_si128(s[i]));
        store_low8(u + (i - Q0) * chroma_stride, chroma);
        store_high8(v + (i - Q0) * chroma_stride, chroma);
    }
}

TARGET static void xc_filter_mb_v_avx2(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                                       const struct xc_filter_limits *limits)
{
    const struct limits all = splat_limits(limits);
    const struct rows above = { y - Q0, u - Q0, stride, chroma_stride };
    const struct rows below = { y - Q0 + 8 * stride, v - Q0, stride, chroma_stride };
    filter_columns(above, below, &all, filter_mb);
}

TARGET static void xc_filter_mb_h_avx2(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                                       const struct xc_filter_limits *limits)
{
    const struct limits all = splat_limits(limits);
    filter_rows(y, u, v, stride, chroma_stride, &all, filter_mb, 3);
}

void xc_dsp_loopfilter_avx2(struct xc_dsp *dsp)
{
    dsp->filter.mb_v = xc_filter_mb_v_avx2;
    dsp->filter.mb_h = xc_filter_mb_h_avx2;
}
