/* The loop filters, 16 samples of an edge in one register. The helpers need SSE2 only; compiled once more for AVX2 they profit
 * from its instructions with three operands, and the transposition of a whole macroblock from its wider registers. */
#include "dsp/kernels.h"
#include "dsp/x86/simd.h"

/* An edge with its samples: across[0] to across[3] are p3 to p0, across[4] to across[7] q0 to q3, as in RFC 6386 section 15.
 * Lane i of each belongs to the i-th sample along the edge. */
enum { P3, P2, P1, P0, Q0, Q1, Q2, Q3, ACROSS };

struct limits {
    __m128i edge, interior, hev;
};

INLINE struct limits load_limits(int edge, int interior, int hev)
{
    return (struct limits){_mm_set1_epi8((char)edge), _mm_set1_epi8((char)interior), _mm_set1_epi8((char)hev)};
}

INLINE __m128i difference(__m128i a, __m128i b)
{
    return _mm_or_si128(_mm_subs_epu8(a, b), _mm_subs_epu8(b, a));
}

/* Ones where it is so. */
INLINE __m128i at_most(__m128i value, __m128i limit)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(value, limit), value);
}

INLINE __m128i within_edge_limit(const __m128i s[ACROSS], __m128i edge)
{
    __m128i inner = difference(s[P0], s[Q0]), outer = difference(s[P1], s[Q1]);
    __m128i half = _mm_and_si128(_mm_srli_epi16(outer, 1), _mm_set1_epi8(0x7f));
    return at_most(_mm_adds_epu8(_mm_adds_epu8(inner, inner), half), edge);
}

/* What the filters ask of the samples around an edge: whether to filter it at all, and whether its variance is low. */
INLINE void classify(const __m128i s[ACROSS], const struct limits *limits, __m128i *filtered, __m128i *smooth)
{
    __m128i middle = _mm_max_epu8(difference(s[P1], s[P0]), difference(s[Q1], s[Q0]));
    __m128i p = _mm_max_epu8(difference(s[P3], s[P2]), difference(s[P2], s[P1]));
    __m128i q = _mm_max_epu8(difference(s[Q3], s[Q2]), difference(s[Q2], s[Q1]));
    __m128i interior = at_most(_mm_max_epu8(middle, _mm_max_epu8(p, q)), limits->interior);
    *filtered = _mm_and_si128(interior, within_edge_limit(s, limits->edge));
    *smooth = at_most(middle, limits->hev);
}

/* Between samples and numbers around zero; for those within reach of the filter. */
INLINE void flip_signs(__m128i s[ACROSS], int reach)
{
    for (int i = Q0 - reach; i < Q0 + reach; i++) {
        s[i] = _mm_xor_si128(s[i], _mm_set1_epi8(-128));
    }
}

/* outer: p1 - q1 or 0. */
INLINE __m128i edge_step(const __m128i s[ACROSS], __m128i outer)
{
    __m128i inner = _mm_subs_epi8(s[Q0], s[P0]);
    return _mm_adds_epi8(_mm_adds_epi8(_mm_adds_epi8(outer, inner), inner), inner);
}

/* Signed bytes / 8, rounded down: there is no shift of bytes, so that of words gets unsigned ones. */
INLINE __m128i eighth(__m128i value)
{
    __m128i bits = _mm_srli_epi16(_mm_xor_si128(value, _mm_set1_epi8(-128)), 3);
    return _mm_sub_epi8(_mm_and_si128(bits, _mm_set1_epi8(0x1f)), _mm_set1_epi8(128 >> 3));
}

INLINE __m128i adjust_middle(__m128i s[ACROSS], __m128i step)
{
    __m128i q_step = eighth(_mm_adds_epi8(step, _mm_set1_epi8(4)));
    __m128i p_step = eighth(_mm_adds_epi8(step, _mm_set1_epi8(3)));
    s[Q0] = _mm_subs_epi8(s[Q0], q_step);
    s[P0] = _mm_adds_epi8(s[P0], p_step);
    return q_step;
}

INLINE void filter_simple(__m128i s[ACROSS], const struct limits *limits)
{
    __m128i filtered = within_edge_limit(s, limits->edge);
    flip_signs(s, 2);
    adjust_middle(s, _mm_and_si128(edge_step(s, _mm_subs_epi8(s[P1], s[Q1])), filtered));
    flip_signs(s, 2);
}

INLINE void filter_inner(__m128i s[ACROSS], const struct limits *limits)
{
    __m128i filtered, smooth;
    classify(s, limits, &filtered, &smooth);
    flip_signs(s, 2);
    __m128i outer = _mm_andnot_si128(smooth, _mm_subs_epi8(s[P1], s[Q1]));
    __m128i step = adjust_middle(s, _mm_and_si128(edge_step(s, outer), filtered));
    __m128i bias = _mm_set1_epi8(16); /* -16 to 15 becomes unsigned, as the mean is */
    __m128i half = _mm_sub_epi8(_mm_avg_epu8(_mm_add_epi8(step, bias), bias), bias);
    half = _mm_and_si128(half, smooth);
    s[Q1] = _mm_subs_epi8(s[Q1], half);
    s[P1] = _mm_adds_epi8(s[P1], half);
    flip_signs(s, 2);
}

INLINE void filter_mb(__m128i s[ACROSS], const struct limits *limits)
{
    __m128i filtered, smooth;
    classify(s, limits, &filtered, &smooth);
    flip_signs(s, 3);
    __m128i step = _mm_and_si128(edge_step(s, _mm_subs_epi8(s[P1], s[Q1])), filtered);
    adjust_middle(s, _mm_andnot_si128(smooth, step));
    step = _mm_and_si128(step, smooth);
    /* As the high bytes of words, times 9 / 256. */
    __m128i ninth_low = _mm_mulhi_epi16(_mm_unpacklo_epi8(_mm_setzero_si128(), step), _mm_set1_epi16(9 << 8));
    __m128i ninth_high = _mm_mulhi_epi16(_mm_unpackhi_epi8(_mm_setzero_si128(), step), _mm_set1_epi16(9 << 8));
    __m128i low = _mm_set1_epi16(63), high = low;
    for (int i = 2; i >= 0; i--) {
        low = _mm_add_epi16(low, ninth_low);
        high = _mm_add_epi16(high, ninth_high);
        __m128i part = _mm_packs_epi16(_mm_srai_epi16(low, 7), _mm_srai_epi16(high, 7));
        s[Q0 + i] = _mm_subs_epi8(s[Q0 + i], part);
        s[P0 - i] = _mm_adds_epi8(s[P0 - i], part);
    }
    flip_signs(s, 3);
}

/* 16 samples, half of them at a, half at b. */
INLINE __m128i load_halves(const uint8_t *a, const uint8_t *b)
{
    return _mm_unpacklo_epi64(load8(a), load8(b));
}

INLINE void store_halves(uint8_t *a, uint8_t *b, __m128i value)
{
    store(a, value, 8);
    store(b, _mm_unpackhi_epi64(value, value), 8);
}

/* Eight rows of eight, at src, become columns: column[i] holds columns 2 i and 2 i + 1. */
INLINE void transpose_8x8(__m128i column[4], const uint8_t *src, ptrdiff_t stride)
{
    __m128i pair[4];
    for (int i = 0; i < 4; i++) {
        pair[i] = _mm_unpacklo_epi8(load8(src + 2 * i * stride), load8(src + (2 * i + 1) * stride));
    }
    __m128i left_up = _mm_unpacklo_epi16(pair[0], pair[1]), right_up = _mm_unpackhi_epi16(pair[0], pair[1]);
    __m128i left_down = _mm_unpacklo_epi16(pair[2], pair[3]), right_down = _mm_unpackhi_epi16(pair[2], pair[3]);
    column[0] = _mm_unpacklo_epi32(left_up, left_down);
    column[1] = _mm_unpackhi_epi32(left_up, left_down);
    column[2] = _mm_unpacklo_epi32(right_up, right_down);
    column[3] = _mm_unpackhi_epi32(right_up, right_down);
}

/* Eight columns of 16 samples: those of the eight rows at a, then those of the eight at b. */
INLINE void load_columns(__m128i s[8], const uint8_t *a, const uint8_t *b, ptrdiff_t stride)
{
    __m128i above[4], below[4];
    transpose_8x8(above, a, stride);
    transpose_8x8(below, b, stride);
    for (int i = 0; i < 4; i++) {
        s[2 * i] = _mm_unpacklo_epi64(above[i], below[i]);
        s[2 * i + 1] = _mm_unpackhi_epi64(above[i], below[i]);
    }
}

/* Rows of eight: left holds columns 0 to 3 of four rows, right columns 4 to 7. */
INLINE void store_four_rows(uint8_t *dst, ptrdiff_t stride, __m128i left, __m128i right)
{
    store_halves(dst, dst + stride, _mm_unpacklo_epi32(left, right));
    store_halves(dst + 2 * stride, dst + 3 * stride, _mm_unpackhi_epi32(left, right));
}

INLINE void store_columns(uint8_t *a, uint8_t *b, ptrdiff_t stride, const __m128i s[8])
{
    __m128i above[4], below[4]; /* pairs of columns, next to each other */
    for (int i = 0; i < 4; i++) {
        above[i] = _mm_unpacklo_epi8(s[2 * i], s[2 * i + 1]);
        below[i] = _mm_unpackhi_epi8(s[2 * i], s[2 * i + 1]);
    }
    store_four_rows(a, stride, _mm_unpacklo_epi16(above[0], above[1]), _mm_unpacklo_epi16(above[2], above[3]));
    store_four_rows(a + 4 * stride, stride, _mm_unpackhi_epi16(above[0], above[1]),
                    _mm_unpackhi_epi16(above[2], above[3]));
    store_four_rows(b, stride, _mm_unpacklo_epi16(below[0], below[1]), _mm_unpacklo_epi16(below[2], below[3]));
    store_four_rows(b + 4 * stride, stride, _mm_unpackhi_epi16(below[0], below[1]),
                    _mm_unpackhi_epi16(below[2], below[3]));
}

typedef void filter_fn(__m128i s[ACROSS], const struct limits *limits);

/* An edge between rows, 16 samples long. */
INLINE void filter_rows(uint8_t *dst, ptrdiff_t stride, const struct limits *limits, filter_fn *filter, int reach)
{
    __m128i s[ACROSS];
    for (int i = P3; i < ACROSS; i++) {
        s[i] = load16(dst + (i - Q0) * stride);
    }
    filter(s, limits);
    for (int i = Q0 - reach; i < Q0 + reach; i++) {
        store(dst + (i - Q0) * stride, s[i], 16);
    }
}

/* Two edges between rows, 8 samples each. */
INLINE void filter_rows_uv(uint8_t *u, uint8_t *v, ptrdiff_t stride, const struct limits *limits, filter_fn *filter,
                           int reach)
{
    __m128i s[ACROSS];
    for (int i = P3; i < ACROSS; i++) {
        s[i] = load_halves(u + (i - Q0) * stride, v + (i - Q0) * stride);
    }
    filter(s, limits);
    for (int i = Q0 - reach; i < Q0 + reach; i++) {
        store_halves(u + (i - Q0) * stride, v + (i - Q0) * stride, s[i]);
    }
}

/* Two edges between columns, 8 samples each: the halves of a luma edge, or those of u and v. */
INLINE void filter_columns(uint8_t *a, uint8_t *b, ptrdiff_t stride, const struct limits *limits, filter_fn *filter)
{
    __m128i s[ACROSS];
    load_columns(s, a - 4, b - 4, stride);
    filter(s, limits);
    store_columns(a - 4, b - 4, stride, s);
}

/* The three edges between columns inside a macroblock, whose columns are s. */
INLINE void filter_inner_edges(__m128i s[16], const struct limits *limits, filter_fn *filter)
{
    for (int i = 4; i < 16; i += 4) {
        filter(s + i - Q0, limits);
    }
}

INLINE void filter_inner_columns(uint8_t *dst, ptrdiff_t stride, const struct limits *limits, filter_fn *filter)
{
    __m128i s[16];
    uint8_t *below = dst + 8 * stride;
    load_columns(s, dst, below, stride);
    load_columns(s + 8, dst + 8, below + 8, stride);
    filter_inner_edges(s, limits, filter);
    store_columns(dst, below, stride, s);
    store_columns(dst + 8, below + 8, stride, s + 8);
}

#define DEFINE_FILTERS(isa)                                                                                              \
    TARGET(#isa) static void mb_v_##isa(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)                 \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        filter_columns(dst, dst + 8 * stride, stride, &limits, filter_mb);                                               \
    }                                                                                                                    \
    TARGET(#isa) static void mb_h_##isa(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)                 \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        filter_rows(dst, stride, &limits, filter_mb, 3);                                                                 \
    }                                                                                                                    \
    TARGET(#isa) static void inner_v_##isa(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)              \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        filter_inner_columns(dst, stride, &limits, filter_inner);                                                        \
    }                                                                                                                    \
    TARGET(#isa) static void inner_h_##isa(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)              \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        for (int y = 4; y < 16; y += 4) {                                                                                \
            filter_rows(dst + y * stride, stride, &limits, filter_inner, 2);                                             \
        }                                                                                                                \
    }                                                                                                                    \
    TARGET(#isa) static void mb_v_uv_##isa(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev)    \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        filter_columns(u, v, stride, &limits, filter_mb);                                                                \
    }                                                                                                                    \
    TARGET(#isa) static void mb_h_uv_##isa(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev)    \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        filter_rows_uv(u, v, stride, &limits, filter_mb, 3);                                                             \
    }                                                                                                                    \
    TARGET(#isa) static void inner_v_uv_##isa(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev) \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        filter_columns(u + 4, v + 4, stride, &limits, filter_inner);                                                     \
    }                                                                                                                    \
    TARGET(#isa) static void inner_h_uv_##isa(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev) \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, interior, hev);                                                         \
        filter_rows_uv(u + 4 * stride, v + 4 * stride, stride, &limits, filter_inner, 2);                                \
    }                                                                                                                    \
    TARGET(#isa) static void simple_mb_v_##isa(uint8_t *dst, ptrdiff_t stride, int edge)                                 \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, 0, 0);                                                                  \
        filter_columns(dst, dst + 8 * stride, stride, &limits, filter_simple);                                           \
    }                                                                                                                    \
    TARGET(#isa) static void simple_mb_h_##isa(uint8_t *dst, ptrdiff_t stride, int edge)                                 \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, 0, 0);                                                                  \
        filter_rows(dst, stride, &limits, filter_simple, 1);                                                             \
    }                                                                                                                    \
    TARGET(#isa) static void simple_inner_v_##isa(uint8_t *dst, ptrdiff_t stride, int edge)                              \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, 0, 0);                                                                  \
        filter_inner_columns(dst, stride, &limits, filter_simple);                                                       \
    }                                                                                                                    \
    TARGET(#isa) static void simple_inner_h_##isa(uint8_t *dst, ptrdiff_t stride, int edge)                              \
    {                                                                                                                    \
        struct limits limits = load_limits(edge, 0, 0);                                                                  \
        for (int y = 4; y < 16; y += 4) {                                                                                \
            filter_rows(dst + y * stride, stride, &limits, filter_simple, 1);                                            \
        }                                                                                                                \
    }                                                                                                                    \
    void xc_dsp_loopfilter_##isa(struct xc_dsp *dsp)                                                                     \
    {                                                                                                                    \
        dsp->filter.mb_v = mb_v_##isa;                                                                                   \
        dsp->filter.mb_h = mb_h_##isa;                                                                                   \
        dsp->filter.inner_v = inner_v_##isa;                                                                             \
        dsp->filter.inner_h = inner_h_##isa;                                                                             \
        dsp->filter.mb_v_uv = mb_v_uv_##isa;                                                                             \
        dsp->filter.mb_h_uv = mb_h_uv_##isa;                                                                             \
        dsp->filter.inner_v_uv = inner_v_uv_##isa;                                                                       \
        dsp->filter.inner_h_uv = inner_h_uv_##isa;                                                                       \
        dsp->filter.simple_mb_v = simple_mb_v_##isa;                                                                     \
        dsp->filter.simple_mb_h = simple_mb_h_##isa;                                                                     \
        dsp->filter.simple_inner_v = simple_inner_v_##isa;                                                               \
        dsp->filter.simple_inner_h = simple_inner_h_##isa;                                                               \
    }

DEFINE_FILTERS(sse2)
DEFINE_FILTERS(avx2)
