/* SPDX-License-Identifier: BSD-2-Clause */
/* The transforms in C: RFC 6386 section 14, and libvpx's way of going forward.
 *
 * The inverse ones are defined to wrap at 16 bits as the registers of SIMD do: every value that is kept is an
 * int16_t. Sums and products of two of those fit an int, so nothing overflows on the way. */
#include <stdlib.h>

#include "dsp/kernels.h"
#include "dsp/sample.h"

/* sqrt(2) * sin(pi / 8) and sqrt(2) * cos(pi / 8) in units of 1/65536, the latter less 1 so that it fits 16 bits. */
static int16_t times_sin(int16_t value)
{
    return (int16_t)((value * 35468) >> 16);
}

static int16_t times_cos(int16_t value)
{
    return (int16_t)(value + ((value * 20091) >> 16));
}

/* One line of four, step apart; the result is shifted down with round added before. */
static void idct_line(int16_t *line, int step, int round, int shift)
{
    int16_t even_sum = (int16_t)(line[0] + line[2 * step]);
    int16_t even_difference = (int16_t)(line[0] - line[2 * step]);
    int16_t odd_outer = (int16_t)(times_cos(line[step]) + times_sin(line[3 * step]));
    int16_t odd_inner = (int16_t)(times_sin(line[step]) - times_cos(line[3 * step]));
    line[0] = (int16_t)((int16_t)(even_sum + odd_outer + round) >> shift);
    line[step] = (int16_t)((int16_t)(even_difference + odd_inner + round) >> shift);
    line[2 * step] = (int16_t)((int16_t)(even_difference - odd_inner + round) >> shift);
    line[3 * step] = (int16_t)((int16_t)(even_sum - odd_outer + round) >> shift);
}

static void dequantize(int16_t out[16], const int16_t levels[16], int ac)
{
    for (int i = 0; i < 16; i++) {
        out[i] = (int16_t)(levels[i] * (int16_t)ac);
    }
}

static void xc_idct_add_c(uint8_t *dst, ptrdiff_t stride, const int16_t levels[16], int dc, int ac)
{
    int16_t block[16];
    dequantize(block, levels, ac);
    block[0] = (int16_t)dc;
    for (int x = 0; x < 4; x++) {
        idct_line(block + x, 4, 0, 0);
    }
    for (int y = 0; y < 4; y++) {
        idct_line(block + 4 * y, 1, 4, 3);
        for (int x = 0; x < 4; x++) {
            dst[y * stride + x] = clamp_sample(dst[y * stride + x] + block[4 * y + x]);
        }
    }
}

static void xc_idct_dc_add_c(uint8_t *dst, ptrdiff_t stride, int dc)
{
    int value = (int16_t)((int16_t)dc + 4) >> 3;
    for (int y = 0; y < 4; y++) {
        for (int x = 0; x < 4; x++) {
            dst[y * stride + x] = clamp_sample(dst[y * stride + x] + value);
        }
    }
}

static void iwht_line(int16_t *line, int step, int round, int shift)
{
    int16_t outer_sum = (int16_t)(line[0] + line[3 * step]);
    int16_t outer_difference = (int16_t)(line[0] - line[3 * step]);
    int16_t inner_sum = (int16_t)(line[step] + line[2 * step]);
    int16_t inner_difference = (int16_t)(line[step] - line[2 * step]);
    line[0] = (int16_t)((int16_t)(outer_sum + inner_sum + round) >> shift);
    line[step] = (int16_t)((int16_t)(outer_difference + inner_difference + round) >> shift);
    line[2 * step] = (int16_t)((int16_t)(outer_sum - inner_sum + round) >> shift);
    line[3 * step] = (int16_t)((int16_t)(outer_difference - inner_difference + round) >> shift);
}

static void xc_iwht_c(int16_t out[16], const int16_t levels[16], int dc, int ac)
{
    dequantize(out, levels, ac);
    out[0] = (int16_t)(levels[0] * (int16_t)dc);
    for (int x = 0; x < 4; x++) {
        iwht_line(out + x, 4, 0, 0);
    }
    for (int y = 0; y < 4; y++) {
        iwht_line(out + 4 * y, 1, 3, 3);
    }
}

/* 2217 and 5352 are sqrt(2) * sin(pi / 8) and sqrt(2) * cos(pi / 8) in units of 1/4096; the odd constants that are
 * added round in the way libvpx found to lose the least. */
static void xc_fdct_c(int16_t out[16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                      ptrdiff_t pred_stride)
{
    for (int y = 0; y < 4; y++) {
        int d[4];
        for (int x = 0; x < 4; x++) {
            d[x] = 8 * (src[y * src_stride + x] - pred[y * pred_stride + x]);
        }
        int outer = d[0] - d[3], inner = d[1] - d[2];
        out[4 * y] = (int16_t)(d[0] + d[3] + d[1] + d[2]);
        out[4 * y + 1] = (int16_t)((inner * 2217 + outer * 5352 + 14500) >> 12);
        out[4 * y + 2] = (int16_t)(d[0] + d[3] - d[1] - d[2]);
        out[4 * y + 3] = (int16_t)((outer * 2217 - inner * 5352 + 7500) >> 12);
    }
    for (int16_t *column = out; column < out + 4; column++) {
        int outer_sum = column[0] + column[12], outer = column[0] - column[12];
        int inner_sum = column[4] + column[8], inner = column[4] - column[8];
        column[0] = (int16_t)((outer_sum + inner_sum + 7) >> 4);
        column[4] = (int16_t)(((inner * 2217 + outer * 5352 + 12000) >> 16) + (outer != 0));
        column[8] = (int16_t)((outer_sum - inner_sum + 7) >> 4);
        column[12] = (int16_t)((outer * 2217 - inner * 5352 + 51000) >> 16);
    }
}

static void xc_fdct_pair_c(int16_t out[2][16], const uint8_t *src, ptrdiff_t src_stride, const uint8_t *pred,
                           ptrdiff_t pred_stride)
{
    xc_fdct_c(out[0], src, src_stride, pred, pred_stride);
    xc_fdct_c(out[1], src + 4, src_stride, pred + 4, pred_stride);
}

/* Rounds a sum of eighths to the nearest, halves away from zero. */
static int16_t round_eighths(int value)
{
    return (int16_t)((value + (value < 0) + 3) >> 3);
}

static void xc_fwht_c(int16_t out[16], const int16_t in[16])
{
    for (int i = 0; i < 16; i += 4) {
        int even_sum = in[i] + in[i + 2], odd_sum = in[i + 1] + in[i + 3];
        int even_difference = in[i] - in[i + 2], odd_difference = in[i + 1] - in[i + 3];
        out[i] = (int16_t)(4 * (even_sum + odd_sum) + (even_sum != 0));
        out[i + 1] = (int16_t)(4 * (even_difference + odd_difference));
        out[i + 2] = (int16_t)(4 * (even_difference - odd_difference));
        out[i + 3] = (int16_t)(4 * (even_sum - odd_sum));
    }
    for (int16_t *column = out; column < out + 4; column++) {
        int even_sum = column[0] + column[8], odd_sum = column[4] + column[12];
        int even_difference = column[0] - column[8], odd_difference = column[4] - column[12];
        column[0] = round_eighths(even_sum + odd_sum);
        column[4] = round_eighths(even_difference + odd_difference);
        column[8] = round_eighths(even_difference - odd_difference);
        column[12] = round_eighths(even_sum - odd_sum);
    }
}

static unsigned xc_significant_c(const int16_t coefficients[16], int dc, int ac, uint32_t *energy)
{
    unsigned large = 0;
    *energy = 0;
    for (int i = 0; i < 16; i++) {
        int magnitude = abs(coefficients[i]);
        large |= (unsigned)(2 * magnitude >= (i == 0 ? dc : ac)) << i;
        *energy += (uint32_t)magnitude * (uint32_t)magnitude;
    }
    return large;
}

void xc_dsp_transform_c(struct xc_dsp *dsp)
{
    dsp->idct_add = xc_idct_add_c;
    dsp->idct_dc_add = xc_idct_dc_add_c;
    dsp->iwht = xc_iwht_c;
    dsp->fdct = xc_fdct_c;
    dsp->fdct_pair = xc_fdct_pair_c;
    dsp->significant = xc_significant_c;
    dsp->fwht = xc_fwht_c;
}
