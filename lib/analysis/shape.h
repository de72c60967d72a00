/* Comparing square blocks as if they were equally bright: flashes, fades and flickering change that, which an
 * interframe mends at hardly any cost, and leave the shapes as they are. */
#ifndef XC_ANALYSIS_SHAPE_H
#define XC_ANALYSIS_SHAPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* By how much the samples of a exceed those of b, summed up. */
static inline int xc_brightness(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int size)
{
    int sum = 0;
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            sum += a[y * a_stride + x] - b[y * b_stride + x];
        }
    }
    return sum;
}

/* Sum of absolute differences. */
static inline uint32_t xc_mean_removed_sad(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride,
                                           int size)
{
    const int average = xc_brightness(a, a_stride, b, b_stride, size) / (size * size);
    uint32_t sum = 0;
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            sum += (uint32_t)abs(a[y * a_stride + x] - b[y * b_stride + x] - average);
        }
    }
    return sum;
}

#endif
