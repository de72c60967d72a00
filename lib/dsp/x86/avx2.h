/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of 32 bytes under the names of simd/simd.h: two of 16 bytes side by side, which do the same. In place of
 * that header. */
#ifndef XC_DSP_X86_AVX2_H
#define XC_DSP_X86_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

typedef __m256i vec;

#define BINARY(name, intrinsic)                                                                                        \
    INLINE vec name(vec a, vec b)                                                                                      \
    {                                                                                                                  \
        return intrinsic(a, b);                                                                                        \
    }

BINARY(bit_and, _mm256_and_si256)
BINARY(bit_or, _mm256_or_si256)
BINARY(bit_xor, _mm256_xor_si256)
BINARY(bit_and_not, _mm256_andnot_si256) /* ~a & b */

BINARY(min_u8, _mm256_min_epu8)
BINARY(max_u8, _mm256_max_epu8)
BINARY(mean_u8, _mm256_avg_epu8) /* rounded up */
BINARY(sat_add_u8, _mm256_adds_epu8)
BINARY(sat_sub_u8, _mm256_subs_epu8)
BINARY(sub_u8, _mm256_sub_epi8)
BINARY(equal_u8, _mm256_cmpeq_epi8)
BINARY(sat_add_s8, _mm256_adds_epi8)
BINARY(sat_sub_s8, _mm256_subs_epi8)
BINARY(add_s16, _mm256_add_epi16)
BINARY(mul_high_s16, _mm256_mulhi_epi16)
BINARY(narrow_s16_s8, _mm256_packs_epi16)

BINARY(zip_low_8, _mm256_unpacklo_epi8)
BINARY(zip_high_8, _mm256_unpackhi_epi8)
BINARY(zip_low_16, _mm256_unpacklo_epi16)
BINARY(zip_high_16, _mm256_unpackhi_epi16)
BINARY(zip_low_32, _mm256_unpacklo_epi32)
BINARY(zip_high_32, _mm256_unpackhi_epi32)
BINARY(zip_low_64, _mm256_unpacklo_epi64)
BINARY(zip_high_64, _mm256_unpackhi_epi64)

#undef BINARY

INLINE vec zero(void)
{
    return _mm256_setzero_si256();
}

INLINE vec splat_8(int value)
{
    return _mm256_set1_epi8((char)value);
}

INLINE vec splat_16(int value)
{
    return _mm256_set1_epi16((short)value);
}

INLINE vec shift_right_s16(vec a, int bits)
{
    return _mm256_srai_epi16(a, bits);
}

INLINE vec shift_right_u16(vec a, int bits)
{
    return _mm256_srli_epi16(a, bits);
}

#include "dsp/simd/x86_bytes.h"

#endif
