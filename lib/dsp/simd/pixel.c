/* Measures of difference. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

/* Four sums of squares of four differences each. */
INLINE vec squares(vec a, vec b)
{
    vec difference = difference_u8(a, b);
    vec low = zip_low_8(difference, zero()), high = zip_high_8(difference, zero());
    return add_s32(mul_add_pairs_s16(low, low), mul_add_pairs_s16(high, high));
}

static uint32_t ssd16(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    vec sums = zero();
    for (int y = 0; y < 16; y++) {
        sums = add_s32(sums, squares(load16(a + y * a_stride), load16(b + y * b_stride)));
    }
    return sum_s32(sums);
}

INLINE vec load_two_rows(const uint8_t *src, ptrdiff_t stride)
{
    return zip_low_64(load8(src), load8(src + stride));
}

static uint32_t ssd8(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    vec sums = zero();
    for (int y = 0; y < 8; y += 2) {
        vec rows_a = load_two_rows(a + y * a_stride, a_stride), rows_b = load_two_rows(b + y * b_stride, b_stride);
        sums = add_s32(sums, squares(rows_a, rows_b));
    }
    return sum_s32(sums);
}

static uint32_t ssd4(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return sum_s32(squares(load_4x4(a, a_stride), load_4x4(b, b_stride)));
}

static uint32_t sad16(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    vec sums = zero();
    for (int y = 0; y < 16; y++) {
        sums = add_s32(sums, sum_differences_u8(load16(a + y * a_stride), load16(b + y * b_stride)));
    }
    return sum_s32(sums);
}

void xc_dsp_pixel_simd(struct xc_dsp *dsp)
{
    dsp->ssd16 = ssd16;
    dsp->ssd8 = ssd8;
    dsp->ssd4 = ssd4;
    dsp->sad16 = sad16;
}
