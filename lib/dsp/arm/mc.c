/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion compensation with NEON: a row of 16, or of 8 or 4, at a time. */
#include "dsp/kernels.h"
#include "dsp/simd/mc.h"
#include "dsp/simd/simd.h"

enum { MAX_TAPS = 6 };

/* Without signs: taps 1 and 4 are to be subtracted. RFC 6386 section 18.3. */
static const uint8_t sixtap_weights[8][MAX_TAPS] = {
    { 0, 0, 128, 0, 0, 0 },   { 0, 6, 123, 12, 1, 0 }, { 2, 11, 108, 36, 8, 1 }, { 0, 9, 93, 50, 6, 0 },
    { 3, 16, 77, 77, 16, 3 }, { 0, 6, 50, 93, 9, 0 },  { 1, 8, 36, 108, 11, 2 }, { 0, 1, 12, 123, 6, 0 },
};
static const uint8_t bilinear_weights[8][MAX_TAPS] = {
    { 0, 0, 128, 0 }, { 0, 0, 112, 16 }, { 0, 0, 96, 32 }, { 0, 0, 80, 48 },
    { 0, 0, 64, 64 }, { 0, 0, 48, 80 },  { 0, 0, 32, 96 }, { 0, 0, 16, 112 },
};

/* Eight samples. All products but that of tap 3 add up to what fits 16 bits; with it they may exceed 32767, but
 * then by far the 255 that is the limit in the end. */
INLINE uint8x8_t weigh(const uint8x8_t at[MAX_TAPS], const uint8_t weights[MAX_TAPS], int taps)
{
    uint16x8_t sum = vmull_u8(at[2], vdup_n_u8(weights[2]));
    if (taps >= FOUR_TAPS) {
        sum = vmlsl_u8(sum, at[1], vdup_n_u8(weights[1]));
        sum = vmlsl_u8(sum, at[4], vdup_n_u8(weights[4]));
    }
    if (taps == SIX_TAPS) {
        sum = vmlal_u8(sum, at[0], vdup_n_u8(weights[0]));
        sum = vmlal_u8(sum, at[5], vdup_n_u8(weights[5]));
    }
    int16x8_t tap_3 = vreinterpretq_s16_u16(vmull_u8(at[3], vdup_n_u8(weights[3])));
    return vqrshrun_n_s16(vqaddq_s16(vreinterpretq_s16_u16(sum), tap_3), 7);
}

/* Eight samples at src, filtered across. */
INLINE uint8x8_t filter_across(const uint8_t *src, const uint8_t weights[MAX_TAPS], int taps)
{
    vec bytes = load16(src - 2);
    uint8x8_t low = vget_low_u8(bytes), high = vget_high_u8(bytes);
    uint8x8_t at[MAX_TAPS] = {
        low,
        vext_u8(low, high, 1),
        vext_u8(low, high, 2),
        vext_u8(low, high, 3),
        vext_u8(low, high, 4),
        vext_u8(low, high, 5),
    };
    return weigh(at, weights, taps);
}

/* A row of w samples, filtered across. */
INLINE vec fetch(const uint8_t *src, int w, const uint8_t weights[MAX_TAPS], int taps)
{
    if (taps == NO_TAPS) {
        return w == 16 ? load16(src) : load8(src);
    }
    uint8x8_t low = filter_across(src, weights, taps);
    return vcombine_u8(low, w == 16 ? filter_across(src + 8, weights, taps) : low);
}

/* The rows that the taps of a filter down lie on: the last of row[], oldest first. */
struct window {
    vec row[MAX_TAPS];
};

INLINE void push(struct window *window, vec row)
{
    *window =
        (struct window){ { window->row[1], window->row[2], window->row[3], window->row[4], window->row[5], row } };
}

INLINE vec filter_down(const struct window *window, int w, const uint8_t weights[MAX_TAPS], int taps)
{
    const int unused = 3 - taps / 2; /* taps before the first */
    uint8x8_t low[MAX_TAPS] = { vdup_n_u8(0) }, high[MAX_TAPS] = { vdup_n_u8(0) };
    for (int tap = unused; tap < unused + taps; tap++) {
        vec row = window->row[tap + unused];
        low[tap] = vget_low_u8(row);
        high[tap] = vget_high_u8(row);
    }
    uint8x8_t result = weigh(low, weights, taps);
    return vcombine_u8(result, w == 16 ? weigh(high, weights, taps) : result);
}

INLINE void predict(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int w, int h,
                    const uint8_t across[MAX_TAPS], int taps_across, const uint8_t down[MAX_TAPS], int taps_down)
{
    struct window window = { { zero() } };
    if (taps_down != NO_TAPS) {
        src -= (taps_down / 2 - 1) * src_stride;
    }
    for (int i = 0; i < taps_down - 1; i++, src += src_stride) {
        push(&window, fetch(src, w, across, taps_across));
    }
    for (; h > 0; h--, src += src_stride, dst += dst_stride) {
        push(&window, fetch(src, w, across, taps_across));
        store_row(dst, taps_down == NO_TAPS ? window.row[5] : filter_down(&window, w, down, taps_down), w);
    }
}

DEFINE_WIDTH(, neon, 16)
DEFINE_WIDTH(, neon, 8)
DEFINE_WIDTH(, neon, 4)

void xc_dsp_mc_neon(struct xc_dsp *dsp)
{
    SET_WIDTH(dsp, neon, 16);
    SET_WIDTH(dsp, neon, 8);
    SET_WIDTH(dsp, neon, 4);
}
