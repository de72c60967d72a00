/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion compensation with SSSE3: a row of 16, or of 8 or 4, at a time. */
#include "dsp/kernels.h"
#include "dsp/simd/mc.h"
#include "dsp/simd/simd.h"
#include "dsp/x86/mc.h"

/* A filter's pairs of taps, each all over a register. */
struct weights {
    vec pair[3];
};

TARGET("ssse3") INLINE struct weights load_weights(const int8_t pairs[3][2])
{
    struct weights weights;
    for (int i = 0; i < 3; i++) {
        int16_t pair;
        memcpy(&pair, pairs[i], 2);
        weights.pair[i] = _mm_set1_epi16(pair);
    }
    return weights;
}

/* 8 sums of products, rounded and divided by 128, of pairs that lie in a, b and c. */
TARGET("ssse3") INLINE vec weigh(vec a, vec b, vec c, const struct weights *weights, int taps)
{
    vec sum = _mm_maddubs_epi16(a, weights->pair[0]);
    if (taps >= FOUR_TAPS) {
        sum = _mm_adds_epi16(sum, _mm_maddubs_epi16(b, weights->pair[1]));
    }
    if (taps == SIX_TAPS) {
        sum = _mm_adds_epi16(sum, _mm_maddubs_epi16(c, weights->pair[2]));
    }
    return _mm_mulhrs_epi16(sum, _mm_set1_epi16(1 << (15 - 7)));
}

TARGET("ssse3") INLINE vec filter_across(const uint8_t *src, const struct weights *weights, int taps)
{
    vec bytes = load16(src - 2);
    vec a = _mm_shuffle_epi8(bytes, load16(taps == TWO_TAPS ? taps_2_3 : taps_2_4));
    vec b = _mm_shuffle_epi8(bytes, load16(taps_1_3));
    vec c = _mm_shuffle_epi8(bytes, load16(taps_0_5));
    return weigh(a, b, c, weights, taps);
}

/* A row of w samples, filtered across. */
TARGET("ssse3") INLINE vec fetch(const uint8_t *src, int w, const struct weights *across, int taps)
{
    if (taps == NO_TAPS) {
        return w == 16 ? load16(src) : load8(src);
    }
    vec low = filter_across(src, across, taps);
    return _mm_packus_epi16(low, w == 16 ? filter_across(src + 8, across, taps) : low);
}

/* The rows that the taps of a filter down lie on: the last of row[], oldest first. */
struct window {
    vec row[6];
};

TARGET("ssse3") INLINE void push(struct window *window, vec row)
{
    *window =
        (struct window){ { window->row[1], window->row[2], window->row[3], window->row[4], window->row[5], row } };
}

TARGET("ssse3") INLINE vec filter_down(const struct window *window, int w, const struct weights *weights, int taps)
{
    const vec *tap_2 = window->row + 5 - taps / 2, *partner = tap_2 + (taps == TWO_TAPS ? 1 : 2);
    const vec *tap_1 = tap_2 - 1, *tap_3 = tap_2 + 1, *tap_0 = window->row, *tap_5 = window->row + 5;
    vec low = weigh(_mm_unpacklo_epi8(*tap_2, *partner), _mm_unpacklo_epi8(*tap_1, *tap_3),
                    _mm_unpacklo_epi8(*tap_0, *tap_5), weights, taps);
    if (w < 16) {
        return _mm_packus_epi16(low, low);
    }
    vec high = weigh(_mm_unpackhi_epi8(*tap_2, *partner), _mm_unpackhi_epi8(*tap_1, *tap_3),
                     _mm_unpackhi_epi8(*tap_0, *tap_5), weights, taps);
    return _mm_packus_epi16(low, high);
}

TARGET("ssse3")
INLINE void predict_down(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int w, int h,
                         const struct weights *across, int taps_across, const struct weights *down, int taps_down)
{
    struct window window = { 0 };
    src -= (taps_down / 2 - 1) * src_stride;
    for (int i = 0; i < taps_down - 1; i++, src += src_stride) {
        push(&window, fetch(src, w, across, taps_across));
    }
    for (; h > 0; h--, src += src_stride, dst += dst_stride) {
        push(&window, fetch(src, w, across, taps_across));
        store_row(dst, filter_down(&window, w, down, taps_down), w);
    }
}

TARGET("ssse3")
INLINE void predict(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int w, int h,
                    const int8_t pairs_across[3][2], int taps_across, const int8_t pairs_down[3][2], int taps_down)
{
    struct weights across = load_weights(pairs_across), down = load_weights(pairs_down);
    if (taps_down != NO_TAPS) {
        predict_down(dst, dst_stride, src, src_stride, w, h, &across, taps_across, &down, taps_down);
        return;
    }
    for (; h > 0; h--, src += src_stride, dst += dst_stride) {
        store_row(dst, fetch(src, w, &across, taps_across), w);
    }
}

DEFINE_WIDTH(TARGET("ssse3"), ssse3, 16)
DEFINE_WIDTH(TARGET("ssse3"), ssse3, 8)
DEFINE_WIDTH(TARGET("ssse3"), ssse3, 4)

void xc_dsp_mc_ssse3(struct xc_dsp *dsp)
{
    SET_WIDTH(dsp, ssse3, 16);
    SET_WIDTH(dsp, ssse3, 8);
    SET_WIDTH(dsp, ssse3, 4);
}
