/* SPDX-License-Identifier: BSD-2-Clause */
/* Reducing a picture to a smaller one or to signals of one dimension: 8 or 16 samples at a time. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

static void KERNEL(halve)(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int width,
                          int height)
{
    for (int y = 0; y < height; y++, dst += dst_stride, src += 2 * src_stride) {
        for (int x = 0; x < width; x += 8) {
            vec sums = add_s16(sum_pairs_u8(load16(src + 2 * x)), sum_pairs_u8(load16(src + src_stride + 2 * x)));
            vec means = shift_right_s16(add_s16(sums, splat_16(2)), 2);
            store8(dst + x, narrow_s16_u8(means, means));
        }
    }
}

/* Writes eight unsigned words as 32 bits each. */
INLINE void store_widened(int32_t *dst, vec words)
{
    store16(dst, zip_low_16(words, zero()));
    store16(dst + 4, zip_high_16(words, zero()));
}

/* 256 bytes add up to less than 2^16. */
static void KERNEL(project_columns)(int32_t *sums, const uint8_t *src, ptrdiff_t stride, int width, int height)
{
    int x = 0;
    for (; x + 16 <= width; x += 16) {
        vec low = zero(), high = zero();
        for (int y = 0; y < height; y++) {
            vec row = load16(src + y * stride + x);
            low = add_s16(low, zip_low_8(row, zero()));
            high = add_s16(high, zip_high_8(row, zero()));
        }
        store_widened(sums + x, low);
        store_widened(sums + x + 8, high);
    }
    if (x < width) {
        vec low = zero();
        for (int y = 0; y < height; y++) {
            low = add_s16(low, zip_low_8(load8(src + y * stride + x), zero()));
        }
        store_widened(sums + x, low);
    }
}

/* Not project_rows, whose samples lie apart, and sad_s32, which compilers vectorize as well. */
void KERNEL(dsp_reduce)(struct xc_dsp *dsp)
{
    dsp->halve = KERNEL(halve);
    dsp->project_columns = KERNEL(project_columns);
}
