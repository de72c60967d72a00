/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion compensation in C: RFC 6386 section 18.3. */
#include <string.h>

#include "dsp/kernels.h"
#include "dsp/sample.h"

enum { MAX_WIDTH = 16, MAX_HEIGHT = 16, TAPS = 6, ORIGIN = 2 /* the tap that falls on the sample itself */ };

/* By the position in 1/8 sample; the taps of a filter add up to 128. The odd ones, of which only chroma makes use,
 * have four. */
static const int16_t sixtap_filters[8][TAPS] = {
    { 0, 0, 128, 0, 0, 0 },     { 0, -6, 123, 12, -1, 0 }, { 2, -11, 108, 36, -8, 1 }, { 0, -9, 93, 50, -6, 0 },
    { 3, -16, 77, 77, -16, 3 }, { 0, -6, 50, 93, -9, 0 },  { 1, -8, 36, 108, -11, 2 }, { 0, -1, 12, 123, -6, 0 },
};
static const int16_t bilinear_filters[8][TAPS] = {
    { 0, 0, 128, 0, 0, 0 }, { 0, 0, 112, 16, 0, 0 }, { 0, 0, 96, 32, 0, 0 }, { 0, 0, 80, 48, 0, 0 },
    { 0, 0, 64, 64, 0, 0 }, { 0, 0, 48, 80, 0, 0 },  { 0, 0, 32, 96, 0, 0 }, { 0, 0, 16, 112, 0, 0 },
};

/* How far from the sample a kind of filter reaches. Taps outside are 0 and their samples must not be read. */
struct reach {
    int before, after;
};

/* step: the distance between the samples that are weighed, 1 across or src_stride down. */
static inline void filter_pass(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride,
                               ptrdiff_t step, int w, int h, const int16_t *filter, struct reach reach)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            int sum = 64;
            for (int tap = -reach.before; tap <= reach.after; tap++) {
                sum += filter[ORIGIN + tap] * src[x + tap * step];
            }
            dst[x] = clamp_sample(sum >> 7);
        }
        dst += dst_stride;
        src += src_stride;
    }
}

/* A filter that is NULL stands for a fraction of 0. */
static inline void predict(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int w, int h,
                           const int16_t *across, const int16_t *down, struct reach reach)
{
    if (across && down) {
        uint8_t middle[(MAX_HEIGHT + TAPS - 1) * MAX_WIDTH];
        filter_pass(middle, MAX_WIDTH, src - reach.before * src_stride, src_stride, 1, w,
                    reach.before + h + reach.after, across, reach);
        filter_pass(dst, dst_stride, middle + reach.before * MAX_WIDTH, MAX_WIDTH, MAX_WIDTH, w, h, down, reach);
    } else if (across) {
        filter_pass(dst, dst_stride, src, src_stride, 1, w, h, across, reach);
    } else if (down) {
        filter_pass(dst, dst_stride, src, src_stride, src_stride, w, h, down, reach);
    } else {
        for (int y = 0; y < h; y++) {
            memcpy(dst + y * dst_stride, src + y * src_stride, (size_t)w);
        }
    }
}

#define DEFINE_WIDTH(w)                                                                                                \
    static void xc_sixtap_##w##_c(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int h, \
                                  int mx, int my)                                                                      \
    {                                                                                                                  \
        predict(dst, dst_stride, src, src_stride, w, h, mx ? sixtap_filters[mx] : NULL,                                \
                my ? sixtap_filters[my] : NULL, (struct reach){ 2, 3 });                                               \
    }                                                                                                                  \
    static void xc_bilinear_##w##_c(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride,      \
                                    int h, int mx, int my)                                                             \
    {                                                                                                                  \
        predict(dst, dst_stride, src, src_stride, w, h, mx ? bilinear_filters[mx] : NULL,                              \
                my ? bilinear_filters[my] : NULL, (struct reach){ 0, 1 });                                             \
    }

DEFINE_WIDTH(16)
DEFINE_WIDTH(8)
DEFINE_WIDTH(4)

void xc_dsp_mc_c(struct xc_dsp *dsp)
{
    dsp->sixtap[XC_MC_16] = xc_sixtap_16_c;
    dsp->sixtap[XC_MC_8] = xc_sixtap_8_c;
    dsp->sixtap[XC_MC_4] = xc_sixtap_4_c;
    dsp->bilinear[XC_MC_16] = xc_bilinear_16_c;
    dsp->bilinear[XC_MC_8] = xc_bilinear_8_c;
    dsp->bilinear[XC_MC_4] = xc_bilinear_4_c;
}
