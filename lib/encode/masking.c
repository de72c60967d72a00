/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/masking.h"

#include <math.h>

#include "dsp/energy.h"

/* No macroblock is flatter than this: a variance of 1/4. */
enum { LEAST_ENERGY = 64 };

static uint32_t energy_of(const struct xc_dsp *dsp, const struct xc_picture *picture, unsigned row, unsigned column)
{
    const struct xc_plane *luma = &picture->plane[XC_PLANE_Y];
    const uint32_t energy =
        xc_energy16(dsp, luma->data + (ptrdiff_t)(row * 16) * luma->stride + column * 16, luma->stride);
    return energy < LEAST_ENERGY ? LEAST_ENERGY : energy;
}

/* The square root of libvpx's weight, which is (2a + m) / (a + 2m), where a is the activity and m its mean over the
 * picture (vp8_activity_masking in its vp8/encoder/encodeframe.c). docs/notes/compression.md has what others gave. */
void xc_masking_weights(uint16_t *weights, const struct xc_dsp *dsp, const struct xc_picture *picture)
{
    const unsigned rows = picture->mb_rows, columns = picture->mb_cols;
    uint64_t sum = 0;
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < columns; column++) {
            sum += energy_of(dsp, picture, row, column);
        }
    }
    const uint64_t rounded_mean = sum / ((uint64_t)rows * columns);
    const double mean = (double)rounded_mean;
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < columns; column++) {
            const double energy = energy_of(dsp, picture, row, column);
            *weights++ = (uint16_t)(XC_WEIGHT_ONE * sqrt((2 * energy + mean) / (energy + 2 * mean)));
        }
    }
}
