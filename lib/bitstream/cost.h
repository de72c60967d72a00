/* SPDX-License-Identifier: BSD-2-Clause */
/* What a bool costs, in 1/256 bit. */
#ifndef XC_BITSTREAM_COST_H
#define XC_BITSTREAM_COST_H

#include <stdint.h>

/* 256 * log2(256 / probability), rounded. A stream may state a probability of 0: its zeros are taken as those of 1, its
 * ones are free. */
extern const uint16_t xc_cost_of_zero[257];

static inline unsigned xc_cost(unsigned probability, int bit)
{
    return xc_cost_of_zero[bit ? 256 - probability : probability];
}

#endif
