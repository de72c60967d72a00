/* Intra prediction with SSSE3, whose byte shuffle spreads a sample over a row and lays out the 4x4 modes. */
#include "dsp/intra4.h"
#include "dsp/kernels.h"
#include "dsp/x86/simd.h"

/* 8 or 16 samples of an edge, zeros behind. */
INLINE __m128i load_edge(const uint8_t *edge, int size)
{
    return size == 16 ? load16(edge) : load8(edge);
}

INLINE int sum(__m128i samples)
{
    __m128i halves = _mm_sad_epu8(samples, _mm_setzero_si128());
    return _mm_cvtsi128_si32(halves) + _mm_extract_epi16(halves, 4);
}

INLINE void fill(uint8_t *dst, ptrdiff_t stride, int size, int value)
{
    __m128i row = _mm_set1_epi8((char)value);
    for (int y = 0; y < size; y++) {
        store(dst + y * stride, row, size);
    }
}

INLINE void predict_dc(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *above, const uint8_t *left)
{
    fill(dst, stride, size, (sum(load_edge(above, size)) + sum(load_edge(left, size)) + size) / (2 * size));
}

INLINE void predict_dc_of_one(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *edge)
{
    fill(dst, stride, size, (sum(load_edge(edge, size)) + size / 2) / size);
}

TARGET("ssse3") INLINE __m128i spread(__m128i samples, int index)
{
    return _mm_shuffle_epi8(samples, _mm_set1_epi8((char)index));
}

TARGET("ssse3") INLINE void predict_h(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *left)
{
    __m128i samples = load_edge(left, size);
    for (int y = 0; y < size; y++) {
        store(dst + y * stride, spread(samples, y), size);
    }
}

/* Rows differ from the one above by left - corner. Either what is to add or what is to subtract is 0, so bytes that saturate
 * clamp just as they should. */
TARGET("ssse3")
INLINE void predict_tm(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *above, const uint8_t *left)
{
    __m128i row = load_edge(above, size), samples = load_edge(left, size), corner = _mm_set1_epi8((char)above[-1]);
    __m128i more = _mm_subs_epu8(samples, corner), less = _mm_subs_epu8(corner, samples);
    for (int y = 0; y < size; y++) {
        store(dst + y * stride, _mm_subs_epu8(_mm_adds_epu8(row, spread(more, y)), spread(less, y)), size);
    }
}

#define DEFINE_SIZE(size)                                                                                               \
    static void dc_##size(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)                    \
    {                                                                                                                   \
        predict_dc(dst, stride, size, above, left);                                                                     \
    }                                                                                                                   \
    static void dc_left_##size(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)               \
    {                                                                                                                   \
        (void)above;                                                                                                    \
        predict_dc_of_one(dst, stride, size, left);                                                                     \
    }                                                                                                                   \
    static void dc_above_##size(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)              \
    {                                                                                                                   \
        (void)left;                                                                                                     \
        predict_dc_of_one(dst, stride, size, above);                                                                    \
    }                                                                                                                   \
    TARGET("ssse3") static void h_##size(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)     \
    {                                                                                                                   \
        (void)above;                                                                                                    \
        predict_h(dst, stride, size, left);                                                                             \
    }                                                                                                                   \
    TARGET("ssse3") static void tm_##size(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)    \
    {                                                                                                                   \
        predict_tm(dst, stride, size, above, left);                                                                     \
    }

DEFINE_SIZE(16)
DEFINE_SIZE(8)

INLINE void store_4x4(uint8_t *dst, ptrdiff_t stride, __m128i block)
{
    store(dst, block, 4);
    store(dst + stride, _mm_srli_si128(block, 4), 4);
    store(dst + 2 * stride, _mm_unpackhi_epi64(block, block), 4);
    store(dst + 3 * stride, _mm_srli_si128(block, 12), 4);
}

static void b_dc(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    int mean = (sum(_mm_unpacklo_epi32(load4(above), load4(left))) + 4) / 8;
    store_4x4(dst, stride, _mm_set1_epi8((char)mean));
}

TARGET("ssse3") static void b_tm(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    __m128i rows = _mm_shuffle_epi32(load4(above), 0), corner = _mm_set1_epi8((char)above[-1]);
    __m128i columns = _mm_unpacklo_epi8(load4(left), load4(left)); /* each twice, then four times */
    columns = _mm_unpacklo_epi16(columns, columns);
    __m128i more = _mm_subs_epu8(columns, corner), less = _mm_subs_epu8(corner, columns);
    store_4x4(dst, stride, _mm_subs_epu8(_mm_adds_epu8(rows, more), less));
}

/* See EDGE_L and those behind it. */
TARGET("ssse3") INLINE __m128i load_edge_4x4(const uint8_t *above, const uint8_t *left)
{
    const __m128i from_left = _mm_setr_epi8(3, 3, 2, 1, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i from_above = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7);
    __m128i edge = _mm_or_si128(_mm_shuffle_epi8(load4(left), from_left), _mm_shuffle_epi8(load8(above), from_above));
    return _mm_insert_epi16(edge, left[0] | above[-1] << 8, EDGE_I / 2);
}

TARGET("ssse3")
INLINE void predict_directional(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left,
                                const uint8_t layout[16])
{
    __m128i edge = load_edge_4x4(above, left), place = load16(layout);
    __m128i before = _mm_slli_si128(edge, 1), behind = _mm_srli_si128(edge, 1);
    __m128i two = _mm_avg_epu8(edge, behind);
    /* The mean of two is rounded up; where that was by a half, the mean of three must not be rounded up again. */
    __m128i odd = _mm_and_si128(_mm_xor_si128(before, behind), _mm_set1_epi8(1));
    __m128i three = _mm_avg_epu8(_mm_sub_epi8(_mm_avg_epu8(before, behind), odd), edge);
    /* An index from 0x80 on gives 0. */
    __m128i from_three = _mm_shuffle_epi8(three, _mm_add_epi8(place, _mm_set1_epi8(0x80 - TWO)));
    __m128i from_two = _mm_shuffle_epi8(two, _mm_sub_epi8(place, _mm_set1_epi8(TWO)));
    store_4x4(dst, stride, _mm_or_si128(from_three, from_two));
}

#define DEFINE_DIRECTION(name, mode)                                                                                    \
    TARGET("ssse3") static void name(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)         \
    {                                                                                                                   \
        predict_directional(dst, stride, above, left, intra4_layout[mode]);                                             \
    }

DEFINE_DIRECTION(b_ve, XC_B_VE_PRED)
DEFINE_DIRECTION(b_he, XC_B_HE_PRED)
DEFINE_DIRECTION(b_ld, XC_B_LD_PRED)
DEFINE_DIRECTION(b_rd, XC_B_RD_PRED)
DEFINE_DIRECTION(b_vr, XC_B_VR_PRED)
DEFINE_DIRECTION(b_vl, XC_B_VL_PRED)
DEFINE_DIRECTION(b_hd, XC_B_HD_PRED)
DEFINE_DIRECTION(b_hu, XC_B_HU_PRED)

#define SET_SIZE(size)                                          \
    do {                                                        \
        dsp->intra##size[XC_INTRA_DC] = dc_##size;              \
        dsp->intra##size[XC_INTRA_H] = h_##size;                \
        dsp->intra##size[XC_INTRA_TM] = tm_##size;              \
        dsp->intra##size[XC_INTRA_DC_LEFT] = dc_left_##size;    \
        dsp->intra##size[XC_INTRA_DC_ABOVE] = dc_above_##size;  \
    } while (0)

void xc_dsp_intra_ssse3(struct xc_dsp *dsp)
{
    SET_SIZE(16);
    SET_SIZE(8);
    dsp->intra4[XC_B_DC_PRED] = b_dc;
    dsp->intra4[XC_B_TM_PRED] = b_tm;
    dsp->intra4[XC_B_VE_PRED] = b_ve;
    dsp->intra4[XC_B_HE_PRED] = b_he;
    dsp->intra4[XC_B_LD_PRED] = b_ld;
    dsp->intra4[XC_B_RD_PRED] = b_rd;
    dsp->intra4[XC_B_VR_PRED] = b_vr;
    dsp->intra4[XC_B_VL_PRED] = b_vl;
    dsp->intra4[XC_B_HD_PRED] = b_hd;
    dsp->intra4[XC_B_HU_PRED] = b_hu;
}
