/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion compensation is written per instruction set; this is what those versions share. */
#ifndef XC_DSP_SIMD_MC_H
#define XC_DSP_SIMD_MC_H

#include "dsp/kernels.h"

/* Taps are numbered 0 to 5, tap 2 is on the sample itself. A filter has all six, 1 to 4 (sixtap at odd positions),
 * 2 and 3 (bilinear) or none (a copy). */
enum { NO_TAPS = 0, TWO_TAPS = 2, FOUR_TAPS = 4, SIX_TAPS = 6 };

/* Luma, the only one with blocks 16 wide, has no odd positions; were there one, six taps, two of them 0, would do. */
static inline int sixtap_taps(int position, int w)
{
    return position == 0 ? NO_TAPS : (position & 1) && w < 16 ? FOUR_TAPS : SIX_TAPS;
}

static inline int bilinear_taps(int position)
{
    return position == 0 ? NO_TAPS : TWO_TAPS;
}

/* The two kernels for blocks w wide, out of predict(), sixtap_weights[] and bilinear_weights[]. predict() is called
 * with constants, so that each combination of taps becomes code of its own. */
#define PREDICT_CASE(weights, w, across, down)                                                                         \
    case 8 * (across) + (down):                                                                                        \
        predict(dst, dst_stride, src, src_stride, w, h, (weights)[mx], across, (weights)[my], down);                   \
        break

#define DEFINE_WIDTH(attributes, isa, w)                                                                               \
    attributes static void XC_KERNEL(sixtap_##w, isa)(uint8_t * dst, ptrdiff_t dst_stride, const uint8_t *src,         \
                                                      ptrdiff_t src_stride, int h, int mx, int my)                     \
    {                                                                                                                  \
        switch (8 * sixtap_taps(mx, w) + sixtap_taps(my, w)) {                                                         \
            PREDICT_CASE(sixtap_weights, w, NO_TAPS, NO_TAPS);                                                         \
            PREDICT_CASE(sixtap_weights, w, NO_TAPS, FOUR_TAPS);                                                       \
            PREDICT_CASE(sixtap_weights, w, NO_TAPS, SIX_TAPS);                                                        \
            PREDICT_CASE(sixtap_weights, w, FOUR_TAPS, NO_TAPS);                                                       \
            PREDICT_CASE(sixtap_weights, w, FOUR_TAPS, FOUR_TAPS);                                                     \
            PREDICT_CASE(sixtap_weights, w, FOUR_TAPS, SIX_TAPS);                                                      \
            PREDICT_CASE(sixtap_weights, w, SIX_TAPS, NO_TAPS);                                                        \
            PREDICT_CASE(sixtap_weights, w, SIX_TAPS, FOUR_TAPS);                                                      \
            PREDICT_CASE(sixtap_weights, w, SIX_TAPS, SIX_TAPS);                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    attributes static void XC_KERNEL(bilinear_##w, isa)(uint8_t * dst, ptrdiff_t dst_stride, const uint8_t *src,       \
                                                        ptrdiff_t src_stride, int h, int mx, int my)                   \
    {                                                                                                                  \
        switch (8 * bilinear_taps(mx) + bilinear_taps(my)) {                                                           \
            PREDICT_CASE(bilinear_weights, w, NO_TAPS, NO_TAPS);                                                       \
            PREDICT_CASE(bilinear_weights, w, NO_TAPS, TWO_TAPS);                                                      \
            PREDICT_CASE(bilinear_weights, w, TWO_TAPS, NO_TAPS);                                                      \
            PREDICT_CASE(bilinear_weights, w, TWO_TAPS, TWO_TAPS);                                                     \
        }                                                                                                              \
    }

#define SET_WIDTH(dsp, isa, w)                                                                                         \
    do {                                                                                                               \
        (dsp)->sixtap[XC_MC_##w] = XC_KERNEL(sixtap_##w, isa);                                                         \
        (dsp)->bilinear[XC_MC_##w] = XC_KERNEL(bilinear_##w, isa);                                                     \
    } while (0)

#endif
