/* Measures of difference in C. */
#include <stdlib.h>

#include "dsp/kernels.h"

static inline uint32_t ssd(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size)
{
    uint32_t sum = 0;
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            int difference = a[y * a_stride + x] - b[y * b_stride + x];
            sum += (uint32_t)(difference * difference);
        }
    }
    return sum;
}

static uint32_t ssd16(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return ssd(a, a_stride, b, b_stride, 16);
}

static uint32_t ssd8(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return ssd(a, a_stride, b, b_stride, 8);
}

static uint32_t ssd4(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return ssd(a, a_stride, b, b_stride, 4);
}

static uint32_t sad16(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    uint32_t sum = 0;
    for (int y = 0; y < 16; y++) {
        for (int x = 0; x < 16; x++) {
            sum += (uint32_t)abs(a[y * a_stride + x] - b[y * b_stride + x]);
        }
    }
    return sum;
}

void xc_dsp_pixel_c(struct xc_dsp *dsp)
{
    dsp->ssd16 = ssd16;
    dsp->ssd8 = ssd8;
    dsp->ssd4 = ssd4;
    dsp->sad16 = sad16;
}
