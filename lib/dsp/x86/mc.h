/* Motion compensation with pmaddubsw, which weighs two samples at once: what the versions for each register width share.
 *
 * A filter is three pairs of taps, numbered 0 to 5 with tap 2 on the sample itself. The sums of two products and the sum of the
 * first two pairs may be at most 32767 before they saturate: the pairs are such that products of one pair never do; the sum of
 * two does only where the result is far beyond 255 anyway, and the third pair, never negative, cannot bring it back. */
#ifndef XC_DSP_X86_MC_H
#define XC_DSP_X86_MC_H

#include <stddef.h>
#include <stdint.h>

/* Which taps a filter has: all six, 1 to 4 (sixtap at odd positions), 2 and 3 (bilinear), or none (a copy). */
enum { NO_TAPS = 0, BILINEAR_TAPS = 2, FOUR_TAPS = 4, SIX_TAPS = 6 };

/* Pairs: taps 2 and 4, 1 and 3, 0 and 5. */
static const int8_t sixtap_pairs[8][3][2] = {
    {{0, 0}, {0, 0}, {0, 0}},       {{123, -1}, {-6, 12}, {0, 0}},  {{108, -8}, {-11, 36}, {2, 1}},
    {{93, -6}, {-9, 50}, {0, 0}},   {{77, -16}, {-16, 77}, {3, 3}}, {{50, -9}, {-6, 93}, {0, 0}},
    {{36, -11}, {-8, 108}, {1, 2}}, {{12, -6}, {-1, 123}, {0, 0}},
};

/* One pair: taps 2 and 3. */
static const int8_t bilinear_pairs[8][3][2] = {
    {{0, 0}}, {{112, 16}}, {{96, 32}}, {{80, 48}}, {{64, 64}}, {{48, 80}}, {{32, 96}}, {{16, 112}},
};

/* For eight samples, 16 bytes from two before the first: where the samples of each pair lie. */
static const uint8_t pair_2_4[16] = {2, 4, 3, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8, 10, 9, 11};
static const uint8_t pair_1_3[16] = {1, 3, 2, 4, 3, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8, 10};
static const uint8_t pair_0_5[16] = {0, 5, 1, 6, 2, 7, 3, 8, 4, 9, 5, 10, 6, 11, 7, 12};
static const uint8_t pair_2_3[16] = {2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10};

/* Luma, the only one with blocks 16 wide, has no odd positions; were there one, six taps, two of them 0, would do. */
static inline int sixtap_taps(int position, int w)
{
    return position == 0 ? NO_TAPS : (position & 1) && w < 16 ? FOUR_TAPS : SIX_TAPS;
}

static inline int bilinear_taps(int position)
{
    return position == 0 ? NO_TAPS : BILINEAR_TAPS;
}

/* The two kernels for blocks w wide. predict() is called with constants, so each combination of taps becomes code of its own. */
#define PREDICT_CASE(pairs, w, across, down)                                                                       \
    case 8 * (across) + (down):                                                                                    \
        predict(dst, dst_stride, src, src_stride, w, h, (pairs)[mx], across, (pairs)[my], down);                   \
        break

#define DEFINE_WIDTH(isa, w)                                                                                       \
    TARGET(isa)                                                                                                    \
    static void sixtap_##w(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int h,    \
                           int mx, int my)                                                                         \
    {                                                                                                              \
        switch (8 * sixtap_taps(mx, w) + sixtap_taps(my, w)) {                                                     \
            PREDICT_CASE(sixtap_pairs, w, NO_TAPS, NO_TAPS);                                                       \
            PREDICT_CASE(sixtap_pairs, w, NO_TAPS, FOUR_TAPS);                                                     \
            PREDICT_CASE(sixtap_pairs, w, NO_TAPS, SIX_TAPS);                                                      \
            PREDICT_CASE(sixtap_pairs, w, FOUR_TAPS, NO_TAPS);                                                     \
            PREDICT_CASE(sixtap_pairs, w, FOUR_TAPS, FOUR_TAPS);                                                   \
            PREDICT_CASE(sixtap_pairs, w, FOUR_TAPS, SIX_TAPS);                                                    \
            PREDICT_CASE(sixtap_pairs, w, SIX_TAPS, NO_TAPS);                                                      \
            PREDICT_CASE(sixtap_pairs, w, SIX_TAPS, FOUR_TAPS);                                                    \
            PREDICT_CASE(sixtap_pairs, w, SIX_TAPS, SIX_TAPS);                                                     \
        }                                                                                                          \
    }                                                                                                              \
    TARGET(isa)                                                                                                    \
    static void bilinear_##w(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int h,  \
                             int mx, int my)                                                                       \
    {                                                                                                              \
        switch (8 * bilinear_taps(mx) + bilinear_taps(my)) {                                                       \
            PREDICT_CASE(bilinear_pairs, w, NO_TAPS, NO_TAPS);                                                     \
            PREDICT_CASE(bilinear_pairs, w, NO_TAPS, BILINEAR_TAPS);                                               \
            PREDICT_CASE(bilinear_pairs, w, BILINEAR_TAPS, NO_TAPS);                                               \
            PREDICT_CASE(bilinear_pairs, w, BILINEAR_TAPS, BILINEAR_TAPS);                                         \
        }                                                                                                          \
    }

#define SET_WIDTH(dsp, w)                             \
    do {                                              \
        (dsp)->sixtap[XC_MC_##w] = sixtap_##w;        \
        (dsp)->bilinear[XC_MC_##w] = bilinear_##w;    \
    } while (0)

#endif
