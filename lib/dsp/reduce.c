/* SPDX-License-Identifier: BSD-2-Clause */
/* Reducing a picture to a smaller one or to signals of one dimension, in C. */
#include <stdlib.h>
#include <string.h>

#include "dsp/kernels.h"

static void xc_halve_c(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int width,
                       int height)
{
    for (int y = 0; y < height; y++, dst += dst_stride, src += 2 * src_stride) {
        const uint8_t *below = src + src_stride;
        for (int x = 0; x < width; x++) {
            dst[x] = (uint8_t)((src[2 * x] + src[2 * x + 1] + below[2 * x] + below[2 * x + 1] + 2) >> 2);
        }
    }
}

static void xc_project_columns_c(int32_t *sums, const uint8_t *src, ptrdiff_t stride, int width, int height)
{
    memset(sums, 0, (size_t)width * sizeof *sums);
    for (int y = 0; y < height; y++, src += stride) {
        for (int x = 0; x < width; x++) {
            sums[x] += src[x];
        }
    }
}

static void xc_project_rows_c(int32_t *sums, const uint8_t *src, ptrdiff_t stride, int width, int height, int step)
{
    for (int y = 0; y < height; y++, src += stride) {
        int32_t sum = 0;
        for (int x = 0; x < width; x += step) {
            sum += src[x];
        }
        sums[y] = sum;
    }
}

static uint32_t xc_sad_s32_c(const int32_t *a, const int32_t *b, int count)
{
    uint32_t sum = 0;
    for (int i = 0; i < count; i++) {
        sum += (uint32_t)abs(a[i] - b[i]);
    }
    return sum;
}

void xc_dsp_reduce_c(struct xc_dsp *dsp)
{
    dsp->halve = xc_halve_c;
    dsp->project_columns = xc_project_columns_c;
    dsp->project_rows = xc_project_rows_c;
    dsp->sad_s32 = xc_sad_s32_c;
}
