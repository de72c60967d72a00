/* SPDX-License-Identifier: BSD-2-Clause */
/* A register of 16 bytes and what x86 (SSE2, and one instruction of SSSE3) and ARM (NEON) both can do with it,
 * under one name. Most kernels are written once, in these terms; only motion compensation and what gains from wider
 * registers is not. KERNEL() names them after the instruction set that they are compiled for.
 *
 * The lanes are bytes, words of 16 or of 32 bits, the first at the lowest address: a name ends in what it takes
 * them for, such as s16. Additions and subtractions that saturate begin with sat_, shifts to the right keep the
 * sign. */
#ifndef XC_DSP_SIMD_SIMD_H
#define XC_DSP_SIMD_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dsp/kernels.h"

/* A helper that exists only as part of its callers, which are specialized by its constant arguments. */
#define INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#include "dsp/simd/x86.h"
#elif defined(__aarch64__)
#include "dsp/simd/arm.h"
#endif

/* The name of a kernel that is written in these terms; of one that uses shuffle_8(). */
#define KERNEL(name) XC_KERNEL(name, SIMD_ISA)
#define SHUFFLE_KERNEL(name) XC_KERNEL(name, SHUFFLE_ISA)

/* Writes the first 4, 8 or 16 bytes. */
INLINE void store_row(uint8_t *dst, vec row, int size)
{
    if (size == 16) {
        store16(dst, row);
    } else if (size == 8) {
        store8(dst, row);
    } else {
        store4(dst, row);
    }
}

#endif
