/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion compensation with AVX2: two rows at a time, one per half of a register. */
#include "dsp/kernels.h"
#include "dsp/simd/mc.h"
#include "dsp/simd/simd.h"
#include "dsp/x86/mc.h"

/* A filter's pairs of taps, each all over a register. */
struct weights {
    __m256i pair[3];
};

TARGET("avx2") INLINE struct weights load_weights(const int8_t pairs[3][2])
{
    struct weights weights;
    for (int i = 0; i < 3; i++) {
        int16_t pair;
        memcpy(&pair, pairs[i], 2);
        weights.pair[i] = _mm256_set1_epi16(pair);
    }
    return weights;
}

/* 16 sums of products, rounded and divided by 128, of pairs that lie in a, b and c. */
TARGET("avx2") INLINE __m256i weigh(__m256i a, __m256i b, __m256i c, const struct weights *weights, int taps)
{
    __m256i sum = _mm256_maddubs_epi16(a, weights->pair[0]);
    if (taps >= FOUR_TAPS) {
        sum = _mm256_adds_epi16(sum, _mm256_maddubs_epi16(b, weights->pair[1]));
    }
    if (taps == SIX_TAPS) {
        sum = _mm256_adds_epi16(sum, _mm256_maddubs_epi16(c, weights->pair[2]));
    }
    return _mm256_mulhrs_epi16(sum, _mm256_set1_epi16(1 << (15 - 7)));
}

TARGET("avx2") INLINE __m256i combine(__m128i low, __m128i high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

TARGET("avx2") INLINE __m256i filter_across(__m256i bytes, const struct weights *weights, int taps)
{
    __m256i a = _mm256_broadcastsi128_si256(load16(taps == TWO_TAPS ? taps_2_3 : taps_2_4));
    __m256i b = _mm256_broadcastsi128_si256(load16(taps_1_3));
    __m256i c = _mm256_broadcastsi128_si256(load16(taps_0_5));
    return weigh(_mm256_shuffle_epi8(bytes, a), _mm256_shuffle_epi8(bytes, b), _mm256_shuffle_epi8(bytes, c), weights,
                 taps);
}

/* Two rows of w samples, at src and next, filtered across: one in the low bytes of each half. */
TARGET("avx2")
INLINE __m256i fetch(const uint8_t *src, const uint8_t *next, int w, const struct weights *across, int taps)
{
    if (taps == NO_TAPS) {
        return w == 16 ? combine(load16(src), load16(next)) : combine(load8(src), load8(next));
    }
    if (w == 16) {
        __m256i first = filter_across(combine(load16(src - 2), load16(src + 6)), across, taps);
        __m256i second = filter_across(combine(load16(next - 2), load16(next + 6)), across, taps);
        return _mm256_permute4x64_epi64(_mm256_packus_epi16(first, second), 0xd8);
    }
    __m256i both = filter_across(combine(load16(src - 2), load16(next - 2)), across, taps);
    return _mm256_packus_epi16(both, both);
}

/* The rows that the taps of a filter down lie on: the last of row[], oldest first. Each register holds a row and
 * the one below it; every second one is fetched, the others are made of their neighbours. */
struct window {
    __m256i row[6], next;
};

TARGET("avx2") INLINE void push(struct window *window, __m256i two_rows)
{
    __m256i between = _mm256_permute2x128_si256(window->next, two_rows, 0x21);
    *window =
        (struct window){ { window->row[2], window->row[3], window->row[4], window->row[5], window->next, between },
                         two_rows };
}

TARGET("avx2") INLINE __m256i filter_down(const struct window *window, int w, const struct weights *weights, int taps)
{
    const __m256i *tap_2 = window->row + 5 - taps / 2, *partner = tap_2 + (taps == TWO_TAPS ? 1 : 2);
    const __m256i *tap_1 = tap_2 - 1, *tap_3 = tap_2 + 1, *tap_0 = window->row, *tap_5 = window->row + 5;
    __m256i low = weigh(_mm256_unpacklo_epi8(*tap_2, *partner), _mm256_unpacklo_epi8(*tap_1, *tap_3),
                        _mm256_unpacklo_epi8(*tap_0, *tap_5), weights, taps);
    if (w < 16) {
        return _mm256_packus_epi16(low, low);
    }
    __m256i high = weigh(_mm256_unpackhi_epi8(*tap_2, *partner), _mm256_unpackhi_epi8(*tap_1, *tap_3),
                         _mm256_unpackhi_epi8(*tap_0, *tap_5), weights, taps);
    return _mm256_packus_epi16(low, high);
}

TARGET("avx2") INLINE void store_rows(uint8_t *dst, ptrdiff_t stride, __m256i rows, int w)
{
    store_row(dst, _mm256_castsi256_si128(rows), w);
    store_row(dst + stride, _mm256_extracti128_si256(rows, 1), w);
}

TARGET("avx2")
INLINE void predict_down(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int w, int h,
                         const struct weights *across, int taps_across, const struct weights *down, int taps_down)
{
    struct window window = { 0 };
    src -= (taps_down / 2 - 1) * src_stride;
    for (int i = 0; i < taps_down / 2; i++, src += 2 * src_stride) {
        push(&window, fetch(src, src + src_stride, w, across, taps_across));
    }
    for (; h > 0; h -= 2, src += 2 * src_stride, dst += 2 * dst_stride) {
        const uint8_t *second = h > 2 ? src + src_stride : src; /* a row that nothing needs must not be read */
        push(&window, fetch(src, second, w, across, taps_across));
        store_rows(dst, dst_stride, filter_down(&window, w, down, taps_down), w);
    }
}

TARGET("avx2")
INLINE void predict(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int w, int h,
                    const int8_t pairs_across[3][2], int taps_across, const int8_t pairs_down[3][2], int taps_down)
{
    struct weights across = load_weights(pairs_across), down = load_weights(pairs_down);
    if (taps_down != NO_TAPS) {
        predict_down(dst, dst_stride, src, src_stride, w, h, &across, taps_across, &down, taps_down);
        return;
    }
    for (; h > 0; h -= 2, src += 2 * src_stride, dst += 2 * dst_stride) {
        store_rows(dst, dst_stride, fetch(src, src + src_stride, w, &across, taps_across), w);
    }
}

DEFINE_WIDTH(TARGET("avx2"), avx2, 16)
DEFINE_WIDTH(TARGET("avx2"), avx2, 8)
DEFINE_WIDTH(TARGET("avx2"), avx2, 4)

void xc_dsp_mc_avx2(struct xc_dsp *dsp)
{
    SET_WIDTH(dsp, avx2, 16);
    SET_WIDTH(dsp, avx2, 8);
    SET_WIDTH(dsp, avx2, 4);
}
