/* SPDX-License-Identifier: BSD-2-Clause */
/* Intra prediction in C: RFC 6386 section 12. */
#include <string.h>

#include "dsp/kernels.h"
#include "dsp/sample.h"
#include "excamera/modes.h"

static inline void fill(uint8_t *dst, ptrdiff_t stride, int size, int value)
{
    for (int y = 0; y < size; y++) {
        memset(dst + y * stride, value, (size_t)size);
    }
}

static inline int sum(const uint8_t *samples, int count)
{
    int total = 0;
    for (int i = 0; i < count; i++) {
        total += samples[i];
    }
    return total;
}

static inline void predict_dc(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *above, const uint8_t *left)
{
    fill(dst, stride, size, (sum(above, size) + sum(left, size) + size) / (2 * size));
}

static inline void predict_dc_of_one(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *edge)
{
    fill(dst, stride, size, (sum(edge, size) + size / 2) / size);
}

static inline void predict_v(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *above)
{
    for (int y = 0; y < size; y++) {
        memcpy(dst + y * stride, above, (size_t)size);
    }
}

static inline void predict_h(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *left)
{
    for (int y = 0; y < size; y++) {
        memset(dst + y * stride, left[y], (size_t)size);
    }
}

static inline void predict_tm(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *above, const uint8_t *left)
{
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            dst[y * stride + x] = clamp_sample(left[y] + above[x] - above[-1]);
        }
    }
}

#define DEFINE_SIZE(size)                                                                                              \
    static void xc_intra##size##_dc_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)       \
    {                                                                                                                  \
        predict_dc(dst, stride, size, above, left);                                                                    \
    }                                                                                                                  \
    static void xc_intra##size##_v_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)        \
    {                                                                                                                  \
        (void)left;                                                                                                    \
        predict_v(dst, stride, size, above);                                                                           \
    }                                                                                                                  \
    static void xc_intra##size##_h_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)        \
    {                                                                                                                  \
        (void)above;                                                                                                   \
        predict_h(dst, stride, size, left);                                                                            \
    }                                                                                                                  \
    static void xc_intra##size##_tm_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)       \
    {                                                                                                                  \
        predict_tm(dst, stride, size, above, left);                                                                    \
    }                                                                                                                  \
    static void xc_intra##size##_dc_left_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)  \
    {                                                                                                                  \
        (void)above;                                                                                                   \
        predict_dc_of_one(dst, stride, size, left);                                                                    \
    }                                                                                                                  \
    static void xc_intra##size##_dc_above_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left) \
    {                                                                                                                  \
        (void)left;                                                                                                    \
        predict_dc_of_one(dst, stride, size, above);                                                                   \
    }                                                                                                                  \
    static void xc_intra##size##_dc_128_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)   \
    {                                                                                                                  \
        (void)above, (void)left;                                                                                       \
        fill(dst, stride, size, 128);                                                                                  \
    }

DEFINE_SIZE(16)
DEFINE_SIZE(8)

static void xc_intra4_dc_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    predict_dc(dst, stride, 4, above, left);
}

static void xc_intra4_tm_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    predict_tm(dst, stride, 4, above, left);
}

/* The section numbers the samples around the block from bottom left, round the corner, to far right: L K J I, P, A
 * to H. The diagonal modes then smooth this row and lay it out askew. */
enum { CORNER = 4, EDGE = 13 };

static void load_edge(uint8_t edge[EDGE], const uint8_t *above, const uint8_t *left)
{
    for (int i = 0; i < 4; i++) {
        edge[CORNER - 1 - i] = left[i];
    }
    memcpy(edge + CORNER, above - 1, EDGE - CORNER);
}

/* Rounded means of two and of three neighbours (weights 1 2 1), the first of which is e[0]. */
static uint8_t mean2(const uint8_t *e)
{
    return (uint8_t)((e[0] + e[1] + 1) >> 1);
}

static uint8_t mean3(const uint8_t *e)
{
    return (uint8_t)((e[0] + 2 * e[1] + e[2] + 2) >> 2);
}

static void xc_intra4_ve_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    (void)left;
    for (int x = 0; x < 4; x++) {
        uint8_t smooth = mean3(above + x - 1);
        for (int y = 0; y < 4; y++) {
            dst[y * stride + x] = smooth;
        }
    }
}

static void xc_intra4_he_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    uint8_t edge[] = { above[-1], left[0], left[1], left[2], left[3], left[3] };
    for (int y = 0; y < 4; y++) {
        memset(dst + y * stride, mean3(edge + y), 4);
    }
}

static void xc_intra4_ld_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    (void)left;
    uint8_t edge[9]; /* the last sample stands in for the one after it */
    memcpy(edge, above, 8);
    edge[8] = above[7];
    for (int y = 0; y < 4; y++) {
        for (int x = 0; x < 4; x++) {
            dst[y * stride + x] = mean3(edge + x + y);
        }
    }
}

static void xc_intra4_rd_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    uint8_t edge[EDGE];
    load_edge(edge, above, left);
    for (int y = 0; y < 4; y++) {
        for (int x = 0; x < 4; x++) {
            dst[y * stride + x] = mean3(edge + CORNER - 1 + x - y);
        }
    }
}

/* Two rows down is one sample to the right; what comes in from the left is taken from the left edge. */
static void xc_intra4_vr_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    uint8_t edge[EDGE];
    load_edge(edge, above, left);
    for (int x = 0; x < 4; x++) {
        dst[x] = mean2(edge + CORNER + x);
        dst[stride + x] = mean3(edge + CORNER - 1 + x);
    }
    dst[2 * stride] = mean3(edge + CORNER - 2);
    dst[3 * stride] = mean3(edge + CORNER - 3);
    memcpy(dst + 2 * stride + 1, dst, 3);
    memcpy(dst + 3 * stride + 1, dst + stride, 3);
}

/* Two rows down is one sample to the left, except for the last two samples of column 3, which break the pattern. */
static void xc_intra4_vl_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    (void)left;
    for (int x = 0; x < 4; x++) {
        dst[x] = mean2(above + x);
        dst[stride + x] = mean3(above + x);
    }
    memcpy(dst + 2 * stride, dst + 1, 3);
    memcpy(dst + 3 * stride, dst + stride + 1, 3);
    dst[2 * stride + 3] = mean3(above + 4);
    dst[3 * stride + 3] = mean3(above + 5);
}

/* A row is the row below it, moved left by two samples; the pairs, from the bottom up, run along the edge. */
static void xc_intra4_hd_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    uint8_t edge[EDGE], pairs[10];
    load_edge(edge, above, left);
    for (int i = 0; i < 4; i++) {
        pairs[2 * i] = mean2(edge + i);
        pairs[2 * i + 1] = mean3(edge + i);
    }
    pairs[8] = mean3(edge + 4);
    pairs[9] = mean3(edge + 5);
    for (int y = 0; y < 4; y++) {
        memcpy(dst + y * stride, pairs + 6 - 2 * y, 4);
    }
}

/* A row is the row above it, moved left by two samples; below the last sample on the left all are equal to it. */
static void xc_intra4_hu_c(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    (void)above;
    uint8_t edge[] = { left[0], left[1], left[2], left[3], left[3], left[3] };
    uint8_t pairs[10];
    for (int i = 0; i < 4; i++) {
        pairs[2 * i] = mean2(edge + i);
        pairs[2 * i + 1] = mean3(edge + i);
    }
    pairs[8] = pairs[9] = left[3];
    for (int y = 0; y < 4; y++) {
        memcpy(dst + y * stride, pairs + 2 * y, 4);
    }
}

#define SET_SIZE(size)                                                                                                 \
    do {                                                                                                               \
        dsp->intra##size[XC_INTRA_DC] = xc_intra##size##_dc_c;                                                         \
        dsp->intra##size[XC_INTRA_V] = xc_intra##size##_v_c;                                                           \
        dsp->intra##size[XC_INTRA_H] = xc_intra##size##_h_c;                                                           \
        dsp->intra##size[XC_INTRA_TM] = xc_intra##size##_tm_c;                                                         \
        dsp->intra##size[XC_INTRA_DC_LEFT] = xc_intra##size##_dc_left_c;                                               \
        dsp->intra##size[XC_INTRA_DC_ABOVE] = xc_intra##size##_dc_above_c;                                             \
        dsp->intra##size[XC_INTRA_DC_128] = xc_intra##size##_dc_128_c;                                                 \
    } while (0)

void xc_dsp_intra_c(struct xc_dsp *dsp)
{
    SET_SIZE(16);
    SET_SIZE(8);
    dsp->intra4[XC_B_DC_PRED] = xc_intra4_dc_c;
    dsp->intra4[XC_B_TM_PRED] = xc_intra4_tm_c;
    dsp->intra4[XC_B_VE_PRED] = xc_intra4_ve_c;
    dsp->intra4[XC_B_HE_PRED] = xc_intra4_he_c;
    dsp->intra4[XC_B_LD_PRED] = xc_intra4_ld_c;
    dsp->intra4[XC_B_RD_PRED] = xc_intra4_rd_c;
    dsp->intra4[XC_B_VR_PRED] = xc_intra4_vr_c;
    dsp->intra4[XC_B_VL_PRED] = xc_intra4_vl_c;
    dsp->intra4[XC_B_HD_PRED] = xc_intra4_hd_c;
    dsp->intra4[XC_B_HU_PRED] = xc_intra4_hu_c;
}
