/* The transforms with SSE2. A 4x4 block of 16-bit values is two registers, two lines in each; "swapped" is a register whose lines
 * have changed places. */
#include "dsp/kernels.h"
#include "dsp/x86/simd.h"

struct block {
    __m128i line[2]; /* lines 0 and 1, lines 2 and 3 */
};

INLINE __m128i swapped(__m128i lines)
{
    return _mm_shuffle_epi32(lines, 0x4e);
}

INLINE struct block load_block(const int16_t in[16])
{
    return (struct block){{_mm_loadu_si128((const __m128i *)in), _mm_loadu_si128((const __m128i *)(in + 8))}};
}

INLINE void store_block(int16_t out[16], struct block block)
{
    _mm_storeu_si128((__m128i *)out, block.line[0]);
    _mm_storeu_si128((__m128i *)(out + 8), block.line[1]);
}

INLINE struct block transposed(struct block b)
{
    __m128i even = _mm_unpacklo_epi16(b.line[0], b.line[1]); /* lines 0 and 2, column by column */
    __m128i odd = _mm_unpackhi_epi16(b.line[0], b.line[1]);
    return (struct block){{_mm_unpacklo_epi16(even, odd), _mm_unpackhi_epi16(even, odd)}};
}

/* first holds a and b, second c and d: a + c, b + d become lines 0 and 1; b - d, a - c lines 2 and 3. */
INLINE struct block butterfly(__m128i first, __m128i second)
{
    return (struct block){{_mm_add_epi16(first, second), swapped(_mm_sub_epi16(first, second))}};
}

INLINE struct block shifted(struct block b, int shift)
{
    return (struct block){{_mm_srai_epi16(b.line[0], shift), _mm_srai_epi16(b.line[1], shift)}};
}

/* Between lines, each lane on its own; round is added to all. */
INLINE struct block idct_lines(struct block b, __m128i round)
{
    __m128i even = _mm_unpacklo_epi64(_mm_add_epi16(b.line[0], b.line[1]), _mm_sub_epi16(b.line[0], b.line[1]));
    __m128i odd = _mm_unpackhi_epi64(b.line[0], b.line[1]);
    /* 35468 / 65536 does not fit a signed word; less 1 it does. */
    __m128i by_sin = _mm_add_epi16(odd, _mm_mulhi_epi16(odd, _mm_set1_epi16(35468 - 65536)));
    __m128i by_cos = _mm_add_epi16(odd, _mm_mulhi_epi16(odd, _mm_set1_epi16(20091)));
    /* cos 1 + sin 3 and sin 1 - cos 3. */
    __m128i sums = _mm_add_epi16(by_cos, swapped(by_sin)), differences = _mm_sub_epi16(swapped(by_sin), by_cos);
    __m128i rotated = _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(differences), _mm_castsi128_pd(sums)));
    return butterfly(_mm_add_epi16(even, round), rotated);
}

INLINE __m128i load_two_rows(const uint8_t *src, ptrdiff_t stride)
{
    __m128i bytes = _mm_unpacklo_epi32(load4(src), load4(src + stride));
    return _mm_unpacklo_epi8(bytes, _mm_setzero_si128());
}

INLINE void add_to_picture(uint8_t *dst, ptrdiff_t stride, struct block residue)
{
    __m128i above = _mm_add_epi16(load_two_rows(dst, stride), residue.line[0]);
    __m128i below = _mm_add_epi16(load_two_rows(dst + 2 * stride, stride), residue.line[1]);
    __m128i rows = _mm_packus_epi16(above, below);
    for (int y = 0; y < 4; y++) {
        store(dst + y * stride, rows, 4);
        rows = _mm_srli_si128(rows, 4);
    }
}

INLINE struct block dequantized(const int16_t levels[16], int ac)
{
    struct block b = load_block(levels);
    __m128i factor = _mm_set1_epi16((int16_t)ac);
    return (struct block){{_mm_mullo_epi16(b.line[0], factor), _mm_mullo_epi16(b.line[1], factor)}};
}

static void idct_add(uint8_t *dst, ptrdiff_t stride, const int16_t levels[16], int dc, int ac)
{
    struct block b = dequantized(levels, ac);
    b.line[0] = _mm_insert_epi16(b.line[0], dc, 0);
    b = idct_lines(b, _mm_setzero_si128());
    b = idct_lines(transposed(b), _mm_set1_epi16(4));
    add_to_picture(dst, stride, transposed(shifted(b, 3)));
}

static void idct_dc_add(uint8_t *dst, ptrdiff_t stride, int dc)
{
    __m128i value = _mm_srai_epi16(_mm_add_epi16(_mm_set1_epi16((int16_t)dc), _mm_set1_epi16(4)), 3);
    add_to_picture(dst, stride, (struct block){{value, value}});
}

INLINE struct block iwht_lines(struct block b, __m128i round)
{
    __m128i sums = _mm_add_epi16(b.line[0], swapped(b.line[1]));        /* 0 + 3, 1 + 2 */
    __m128i differences = _mm_sub_epi16(b.line[0], swapped(b.line[1])); /* 0 - 3, 1 - 2 */
    __m128i outer = _mm_unpacklo_epi64(sums, differences), inner = _mm_unpackhi_epi64(sums, differences);
    outer = _mm_add_epi16(outer, round);
    return (struct block){{_mm_add_epi16(outer, inner), _mm_sub_epi16(outer, inner)}};
}

static void iwht(int16_t out[16], const int16_t levels[16], int dc, int ac)
{
    struct block b = dequantized(levels, ac);
    b.line[0] = _mm_insert_epi16(b.line[0], levels[0] * dc, 0);
    b = iwht_lines(b, _mm_setzero_si128());
    b = iwht_lines(transposed(b), _mm_set1_epi16(3));
    store_block(out, transposed(shifted(b, 3)));
}

/* Lines that are sums and differences of 0 and 3, and of 1 and 2: what both passes of the forward DCT start from. */
struct folded {
    __m128i even;  /* lines 0 and 2 of the result */
    __m128i pairs; /* inner and outer difference, next to each other, of each column */
    __m128i outer; /* the outer difference */
};

INLINE struct folded fold(struct block b)
{
    __m128i mirrored = swapped(b.line[1]);
    __m128i sums = _mm_add_epi16(b.line[0], mirrored), differences = _mm_sub_epi16(b.line[0], mirrored);
    return (struct folded){
        _mm_unpacklo_epi64(_mm_add_epi16(sums, swapped(sums)), _mm_sub_epi16(sums, swapped(sums))),
        _mm_unpacklo_epi16(swapped(differences), differences),
        differences,
    };
}

/* Two words, over and over. */
INLINE __m128i words(int16_t first, int16_t second)
{
    return _mm_unpacklo_epi16(_mm_set1_epi16(first), _mm_set1_epi16(second));
}

/* Lines 1 and 3, in 32 bits on the way. */
INLINE __m128i rotate(__m128i pairs, int round_1, int round_3, int shift)
{
    __m128i line_1 = _mm_madd_epi16(pairs, words(2217, 5352));
    __m128i line_3 = _mm_madd_epi16(pairs, words(-5352, 2217));
    line_1 = _mm_srai_epi32(_mm_add_epi32(line_1, _mm_set1_epi32(round_1)), shift);
    line_3 = _mm_srai_epi32(_mm_add_epi32(line_3, _mm_set1_epi32(round_3)), shift);
    return _mm_packs_epi32(line_1, line_3);
}

static void fdct(int16_t out[16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred, ptrdiff_t pred_stride)
{
    struct block b;
    for (int i = 0; i < 2; i++) {
        __m128i difference = _mm_sub_epi16(load_two_rows(src + 2 * i * src_stride, src_stride),
                                           load_two_rows(pred + 2 * i * pred_stride, pred_stride));
        b.line[i] = _mm_slli_epi16(difference, 3);
    }
    struct folded columns = fold(transposed(b));
    __m128i odd = rotate(columns.pairs, 14500, 7500, 12);
    b.line[0] = _mm_unpacklo_epi64(columns.even, odd);
    b.line[1] = _mm_unpackhi_epi64(columns.even, odd);

    struct folded rows = fold(transposed(b));
    __m128i even = _mm_srai_epi16(_mm_add_epi16(rows.even, _mm_set1_epi16(7)), 4);
    odd = rotate(rows.pairs, 12000, 51000, 16);
    __m128i is_zero = _mm_cmpeq_epi16(rows.outer, _mm_setzero_si128()); /* -1; line 1 gets 1 where it is not */
    odd = _mm_add_epi16(odd, _mm_move_epi64(_mm_add_epi16(is_zero, _mm_set1_epi16(1))));
    store_block(out, (struct block){{_mm_unpacklo_epi64(even, odd), _mm_unpackhi_epi64(even, odd)}});
}

/* The first pass keeps 16 bits. */
INLINE struct block fwht_columns(struct block b)
{
    __m128i sums = _mm_add_epi16(b.line[0], b.line[1]);        /* 0 + 2, 1 + 3 */
    __m128i differences = _mm_sub_epi16(b.line[0], b.line[1]); /* 0 - 2, 1 - 3 */
    __m128i even = _mm_slli_epi16(_mm_unpacklo_epi64(sums, differences), 2);
    __m128i odd = _mm_slli_epi16(_mm_unpackhi_epi64(sums, differences), 2);
    /* Line 0 gets 1 where 0 + 2 is not 0; the sum must not wrap to 0 for that. */
    __m128i is_zero = _mm_cmpeq_epi16(_mm_adds_epi16(b.line[0], b.line[1]), _mm_setzero_si128());
    __m128i bias = _mm_move_epi64(_mm_add_epi16(is_zero, _mm_set1_epi16(1)));
    return (struct block){{_mm_add_epi16(_mm_add_epi16(even, odd), bias), swapped(_mm_sub_epi16(even, odd))}};
}

/* (value + (value < 0) + 3) / 8, rounded down. */
INLINE __m128i round_eighths(__m128i value)
{
    __m128i biased = _mm_sub_epi32(_mm_add_epi32(value, _mm_set1_epi32(3)), _mm_srai_epi32(value, 31));
    return _mm_srai_epi32(biased, 3);
}

/* The second takes 32. */
static void fwht(int16_t out[16], const int16_t in[16])
{
    struct block b = transposed(fwht_columns(transposed(load_block(in))));
    __m128i plus = words(1, 1), minus = words(1, -1);
    __m128i even = _mm_unpacklo_epi16(b.line[0], b.line[1]), odd = _mm_unpackhi_epi16(b.line[0], b.line[1]);
    __m128i even_sum = _mm_madd_epi16(even, plus), even_difference = _mm_madd_epi16(even, minus);
    __m128i odd_sum = _mm_madd_epi16(odd, plus), odd_difference = _mm_madd_epi16(odd, minus);
    __m128i line_0 = round_eighths(_mm_add_epi32(even_sum, odd_sum));
    __m128i line_1 = round_eighths(_mm_add_epi32(even_difference, odd_difference));
    __m128i line_2 = round_eighths(_mm_sub_epi32(even_difference, odd_difference));
    __m128i line_3 = round_eighths(_mm_sub_epi32(even_sum, odd_sum));
    store_block(out, (struct block){{_mm_packs_epi32(line_0, line_1), _mm_packs_epi32(line_2, line_3)}});
}

void xc_dsp_transform_sse2(struct xc_dsp *dsp)
{
    dsp->idct_add = idct_add;
    dsp->idct_dc_add = idct_dc_add;
    dsp->iwht = iwht;
    dsp->fdct = fdct;
    dsp->fwht = fwht;
}
