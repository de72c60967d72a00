/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/pan.h"

/* A picture is reduced to two integral projections, the sums of its columns and of its rows. A camera that moves shifts
 * them. */

enum { ENOUGH = 256 }; /* samples of a column or row */

static int sampling_step(int samples)
{
    return (samples + ENOUGH - 1) / ENOUGH;
}

/* Replaces a signal by its slope, two elements shorter. Neighbours two apart are less noisy than those next to each
 * other. A change of illumination has no slope. */
static void differentiate(int32_t *signal, int length)
{
    for (int i = 0; i + 2 < length; i++) {
        signal[i] = signal[i + 2] - signal[i];
    }
}

static void slope_of_columns(const struct xc_dsp *dsp, int32_t *slope, const struct xc_plane *plane, int width,
                             int height)
{
    const int step = sampling_step(height);
    dsp->project_columns(slope, plane->data, step * plane->stride, width, (height + step - 1) / step);
    differentiate(slope, width);
}

static void slope_of_rows(const struct xc_dsp *dsp, int32_t *slope, const struct xc_plane *plane, int width, int height)
{
    dsp->project_rows(slope, plane->data, plane->stride, width, height, sampling_step(width));
    differentiate(slope, height);
}

/* The mean absolute difference of two signals where they overlap when one is shifted. Slopes are at most 255 * ENOUGH,
 * so the sum fits 32 bits at any length a picture has. */
static double mean_difference(const struct xc_dsp *dsp, const int32_t *now, const int32_t *before, int length,
                              int shift)
{
    const int begin = shift < 0 ? -shift : 0, end = shift > 0 ? length - shift : length;
    return (double)dsp->sad_s32(now + begin, before + begin + shift, end - begin) / (end - begin);
}

static int find_shift(const struct xc_dsp *dsp, const int32_t *now, const int32_t *before, int length)
{
    int best = 0;
    double least = mean_difference(dsp, now, before, length, 0);
    for (int distance = 1; distance <= length / 2; distance++) {
        for (int shift = -distance; shift <= distance; shift += 2 * distance) {
            const double error = mean_difference(dsp, now, before, length, shift);
            if (error < least) {
                least = error;
                best = shift;
            }
        }
    }
    return best;
}

struct xc_mv xc_find_pan(const struct xc_dsp *dsp, const struct xc_plane *now, const struct xc_plane *before, int width,
                         int height, int32_t *scratch)
{
    struct xc_mv pan;
    int32_t *other = scratch + (width > height ? width : height);
    slope_of_columns(dsp, scratch, now, width, height);
    slope_of_columns(dsp, other, before, width, height);
    pan.column = (int16_t)find_shift(dsp, scratch, other, width - 2);
    slope_of_rows(dsp, scratch, now, width, height);
    slope_of_rows(dsp, other, before, width, height);
    pan.row = (int16_t)find_shift(dsp, scratch, other, height - 2);
    return pan;
}
