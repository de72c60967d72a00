/* What a bool costs, in 1/256 bit. */
#ifndef XC_BITSTREAM_COST_H
#define XC_BITSTREAM_COST_H

#include <stdint.h>

/* 256 * log2(256 / probability), rounded; the entry of 0, which is no probability, is that of 1. */
extern const uint16_t xc_cost_of_zero[256];

static inline unsigned xc_cost(unsigned probability, int bit)
{
    return xc_cost_of_zero[bit ? 256 - probability : probability];
}

#endif
