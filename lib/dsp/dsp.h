/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels: everything that computes with many samples. One table of function pointers, filled at run time with the best
 * version that the CPU has. The C versions are the reference: all others give the same results, on any input, extreme
 * ones included (test/checkasm.c).
 *
 * Conventions: strides are in bytes. dst and src never overlap, unless a kernel says that it works in place. A kernel
 * reads only what it needs, except for rows of src in motion compensation, and writes only what it says. src has any
 * alignment; dst of prediction and transforms is aligned to the block's width (4, 8 or 16). */
#ifndef XC_DSP_DSP_H
#define XC_DSP_DSP_H

#include <stddef.h>
#include <stdint.h>

/* Motion compensation of one block of h rows, an even number; RFC 6386 section 18. mx, my: position between samples in
 * 1/8, 0 to 7. There are two passes, horizontal first, each rounded and clamped to 8 bits; a pass whose fraction is 0
 * changes nothing. In a direction whose fraction is not 0, six-tap filters read 2 samples before and 3 after the block,
 * bilinear ones 1 after it. Each row that is read may be read from 2 bytes before the block to 16 bytes after the
 * filter's reach. */
typedef void xc_mc_fn(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int h, int mx,
                      int my);
enum { XC_MC_16, XC_MC_8, XC_MC_4, XC_MC_WIDTHS }; /* block widths */

/* Intra prediction. above[-1] is the sample above and left, above[0..n-1] the row above (4x4: 8 samples, the last
 * four above and right), left[0..n-1] the column to the left from top to bottom. RFC 6386 section 12. */
typedef void xc_intra_fn(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left);
enum {
    XC_INTRA_DC,
    XC_INTRA_V,
    XC_INTRA_H,
    XC_INTRA_TM,
    XC_INTRA_DC_LEFT,
    XC_INTRA_DC_ABOVE,
    XC_INTRA_DC_128,
    XC_INTRA_MODES
};

/* Loop filters, RFC 6386 section 15; in place. y, u, v, dst: the macroblock's first sample. The thresholds are those of
 * the section: the edge limit against 2|p0-q0| + |p1-q1|/2, the interior limit, high edge variance. "_v" filters across
 * edges between columns (vertical lines), "_h" across those between rows. */
struct xc_filter_limits {
    uint8_t edge, interior, hev; /* at most 254 (libvpx's reach 193), 63 and 3 */
};
typedef void xc_filter_fn(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                          const struct xc_filter_limits *limits);
typedef void xc_filter_simple_fn(uint8_t *dst, ptrdiff_t stride, int edge); /* luma only */

/* Comparing blocks. A stride of 0 compares with the same row over and over. */
typedef uint32_t xc_compare_fn(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride);
typedef int32_t xc_difference_fn(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride);

struct xc_dsp {
    xc_mc_fn *sixtap[XC_MC_WIDTHS], *bilinear[XC_MC_WIDTHS];

    xc_intra_fn *intra16[XC_INTRA_MODES], *intra8[XC_INTRA_MODES];
    xc_intra_fn *intra4[10]; /* by enum xc_b_mode */

    /* Inverse DCT of a 4x4 block, added to dst with saturation. The coefficients are levels[i] * ac (i >= 1) and
     * dc, which replaces levels[0]. All arithmetic wraps at 16 bits, as in libvpx's SIMD; conforming streams never
     * get there. RFC 6386 section 14.4. */
    void (*idct_add)(uint8_t *dst, ptrdiff_t stride, const int16_t levels[16], int dc, int ac);
    void (*idct_dc_add)(uint8_t *dst, ptrdiff_t stride, int dc); /* the same where all other levels are 0 */
    /* Inverse WHT: levels[0] * dc, levels[i] * ac in; the DCs of the 16 luma blocks, in raster order, out. Wraps
     * likewise. */
    void (*iwht)(int16_t out[16], const int16_t levels[16], int dc, int ac);

    /* Forward DCT of src - pred, scaled as the inverse expects it (libvpx's vp8_short_fdct4x4_c, bit for bit),
     * raster order. */
    void (*fdct)(int16_t out[16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred, ptrdiff_t pred_stride);
    /* The same of two blocks side by side. */
    void (*fdct_pair)(int16_t out[2][16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                      ptrdiff_t pred_stride);
    void (*fwht)(int16_t out[16], const int16_t in[16]); /* libvpx's vp8_short_walsh4x4_c, bit for bit */

    /* Which coefficients are at least half of their quantizer's factor (dc for the first, ac for the others) and so not
     * rounded to zero: bit i stands for coefficients[i]. *energy becomes the sum of all squares, modulo 2^32; no
     * residue's is larger. */
    unsigned (*significant)(const int16_t coefficients[16], int dc, int ac, uint32_t *energy);

    /* Comparing two blocks of 16x16 or 8x8 samples: the sums of their squared differences, of their absolute ones and
     * of those with sign, a - b. MR-SAD, mean-removed SAD, is the sum of |a - b - mean|, where mean is that of all
     * a - b, rounded towards zero: a change of illumination counts for nothing. */
    xc_compare_fn *ssd16, *sad16, *sad8, *mrsad16, *mrsad8;
    xc_difference_fn *difference16, *difference8;
    /* What structural similarity is computed from (analysis/ssim.c), of two blocks 4 wide and 8 high: the sums of a, of
     * b, of a^2 + b^2 and of a * b. */
    void (*ssim_sums)(uint32_t sums[4], const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride);

    /* The temporal filter (analysis/temporal_filter.c), for count samples, a multiple of 16. Adds the weight of each
     * sample of a match to weights, and the weighted sample to sums. If a sample differs by d from that of center, the
     * block that is filtered, its weight is block_weight (0 to 2) * max(0, 16 - (3 * d^2 + 32) / 64). The sums of up to
     * eight matches fit. */
    void (*temporal_add)(uint16_t *sums, uint16_t *weights, const uint8_t *center, const uint8_t *match, int count,
                         int block_weight);
    /* The quotients of sums and weights, which are not 0, rounded to the nearest and at most 255. */
    void (*temporal_mean)(uint8_t *dst, const uint16_t *sums, const uint16_t *weights, int count);
    /* Adds -255 to 255 to count samples, a multiple of 16, with saturation; in place. */
    void (*add_offset)(uint8_t *samples, int count, int offset);

    /* Halves a picture in both directions: each sample is the rounded mean of four. width, a multiple of 8, and height
     * are those of dst. */
    void (*halve)(uint8_t *dst, ptrdiff_t dst_stride, const uint8_t *src, ptrdiff_t src_stride, int width, int height);
    /* Integral projections: the sums of all columns, up to 256 samples high, width being a multiple of 8; the sums of
     * every step-th sample of each row, beginning with the first. */
    void (*project_columns)(int32_t *sums, const uint8_t *src, ptrdiff_t stride, int width, int height);
    void (*project_rows)(int32_t *sums, const uint8_t *src, ptrdiff_t stride, int width, int height, int step);
    /* Sum of absolute differences, modulo 2^32. No difference exceeds 2^31 - 1. */
    uint32_t (*sad_s32)(const int32_t *a, const int32_t *b, int count);

    struct {
        xc_filter_fn *mb_v, *mb_h;       /* the edge between macroblocks, to the left or above */
        xc_filter_fn *inner_v, *inner_h; /* the edges at 4, 8 and 12 of luma, at 4 of chroma */
        xc_filter_simple_fn *simple_mb_v, *simple_mb_h, *simple_inner_v, *simple_inner_h;
    } filter;
};

/* Fills the table with the best kernels for a CPU with these features (bits of enum xc_cpu, excamera/cpu.h). */
void xc_dsp_fill(struct xc_dsp *dsp, unsigned cpu_features);

#endif
