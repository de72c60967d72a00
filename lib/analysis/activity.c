/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/activity.h"

#include "base/log2.h"
#include "dsp/energy.h"
#include "recon/workspace.h"

/* The width of a segment. */
enum { OCTAVES = 3 * XC_LOG2_ONE };

/* Variances below 1 are no flatter than this. */
enum { LEAST_ENERGY = 256 };

/* The logarithm of the sum of squared differences from the mean. */
static int log_of_energy(const struct xc_dsp *dsp, const struct xc_picture *picture, unsigned row, unsigned column)
{
    const struct xc_plane *luma = &picture->plane[XC_PLANE_Y];
    const uint8_t *block = luma->data + (ptrdiff_t)(row * 16) * luma->stride + column * 16;
    const uint32_t energy = xc_energy16(dsp, block, luma->stride);
    return xc_log2(energy < LEAST_ENERGY ? LEAST_ENERGY : energy);
}

static int mean_of_logs(const struct xc_dsp *dsp, const struct xc_picture *picture)
{
    int64_t sum = 0;
    for (unsigned row = 0; row < picture->mb_rows; row++) {
        for (unsigned column = 0; column < picture->mb_cols; column++) {
            sum += log_of_energy(dsp, picture, row, column);
        }
    }
    return (int)(sum / (picture->mb_rows * picture->mb_cols));
}

void xc_activity_segments(uint8_t *map, const struct xc_picture *picture, const struct xc_workspace *workspace)
{
    const struct xc_dsp *dsp = &workspace->dsp;
    const int mean = mean_of_logs(dsp, picture);
    for (unsigned row = 0; row < picture->mb_rows; row++) {
        for (unsigned column = 0; column < picture->mb_cols; column++) {
            const int above = log_of_energy(dsp, picture, row, column) - mean;
            *map++ = above < -OCTAVES ? 0 : above < 0 ? 1 : above < OCTAVES ? 2 : 3;
        }
    }
}
