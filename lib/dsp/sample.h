/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample of 8 bits, in the C kernels. */
#ifndef XC_DSP_SAMPLE_H
#define XC_DSP_SAMPLE_H

#include <stdint.h>

static inline uint8_t clamp_sample(int value)
{
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

#endif
