/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log2.h"

/* Squaring doubles the logarithm: each time, its next binary digit is whether the square reaches 2. */
int xc_log2(uint32_t value)
{
    const int whole = 31 - __builtin_clz(value);
    uint64_t x = (uint64_t)value << (31 - whole); /* 1 to 2, in units of 2^-31 */
    int result = whole;
    for (int digit = 1; digit < XC_LOG2_ONE; digit *= 2) {
        x = x * x >> 31;
        const int reached = (int)(x >> 32);
        x >>= reached;
        result = 2 * result + reached;
    }
    return result;
}
