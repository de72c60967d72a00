/* SPDX-License-Identifier: BSD-2-Clause */
/* The temporal filter's arithmetic in C. */
#include "dsp/kernels.h"
#include "dsp/sample.h"

static void xc_temporal_add_c(uint16_t *sums, uint16_t *weights, const uint8_t *center, const uint8_t *match, int count,
                              int block_weight)
{
    for (int i = 0; i < count; i++) {
        const int difference = center[i] - match[i], penalty = (3 * difference * difference + 32) >> 6;
        const int weight = penalty < 16 ? block_weight * (16 - penalty) : 0;
        sums[i] = (uint16_t)(sums[i] + weight * match[i]);
        weights[i] = (uint16_t)(weights[i] + weight);
    }
}

static void xc_temporal_mean_c(uint8_t *dst, const uint16_t *sums, const uint16_t *weights, int count)
{
    for (int i = 0; i < count; i++) {
        dst[i] = clamp_sample((sums[i] + weights[i] / 2) / weights[i]);
    }
}

static void xc_add_offset_c(uint8_t *samples, int count, int offset)
{
    for (int i = 0; i < count; i++) {
        samples[i] = clamp_sample(samples[i] + offset);
    }
}

void xc_dsp_temporal_c(struct xc_dsp *dsp)
{
    dsp->temporal_add = xc_temporal_add_c;
    dsp->temporal_mean = xc_temporal_mean_c;
    dsp->add_offset = xc_add_offset_c;
}
