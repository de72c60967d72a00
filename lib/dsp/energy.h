/* SPDX-License-Identifier: BSD-2-Clause */
/* How much goes on in a block. */
#ifndef XC_DSP_ENERGY_H
#define XC_DSP_ENERGY_H

#include "dsp/dsp.h"

/* The sum of the squared differences of 16x16 samples from their mean, 256 times their variance. */
static inline uint32_t xc_energy16(const struct xc_dsp *dsp, const uint8_t *block, ptrdiff_t stride)
{
    static const uint8_t grey[16] = { 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128 };
    const int difference = dsp->difference16(block, stride, grey, 0);
    return dsp->ssd16(block, stride, grey, 0) - (uint32_t)(difference * difference / 256);
}

#endif
