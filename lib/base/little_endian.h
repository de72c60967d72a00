/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as bytes, the least significant first, on machines of either byte order. */
#ifndef XC_BASE_LITTLE_ENDIAN_H
#define XC_BASE_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint64_t xc_get_le(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << 8 * i;
    }
    return value;
}

static inline void xc_put_le(uint8_t *bytes, int count, uint64_t value)
{
    for (int i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

#endif
