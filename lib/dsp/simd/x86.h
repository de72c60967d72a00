/* SPDX-License-Identifier: BSD-2-Clause */
/* See simd.h. Each function carries the instruction set it is compiled for, so that one binary holds them all. */
#ifndef XC_DSP_SIMD_X86_H
#define XC_DSP_SIMD_X86_H

#include <immintrin.h>

#define TARGET(isa) __attribute__((target(isa)))
#define WITH_SHUFFLE TARGET("ssse3") /* for functions that use shuffle_8() */

#define SIMD_ISA sse2
#define SHUFFLE_ISA ssse3

typedef __m128i vec;

#define BINARY(name, intrinsic)                                                                                        \
    INLINE vec name(vec a, vec b)                                                                                      \
    {                                                                                                                  \
        return intrinsic(a, b);                                                                                        \
    }

BINARY(bit_and, _mm_and_si128)
BINARY(bit_or, _mm_or_si128)
BINARY(bit_xor, _mm_xor_si128)
BINARY(bit_and_not, _mm_andnot_si128) /* ~a & b */

BINARY(min_u8, _mm_min_epu8)
BINARY(max_u8, _mm_max_epu8)
BINARY(mean_u8, _mm_avg_epu8) /* rounded up */
BINARY(sat_add_u8, _mm_adds_epu8)
BINARY(sat_sub_u8, _mm_subs_epu8)
BINARY(sub_u8, _mm_sub_epi8)
BINARY(equal_u8, _mm_cmpeq_epi8)
BINARY(sat_add_s8, _mm_adds_epi8)
BINARY(sat_sub_s8, _mm_subs_epi8)

BINARY(add_s16, _mm_add_epi16)
BINARY(sub_s16, _mm_sub_epi16)
BINARY(sat_add_s16, _mm_adds_epi16)
BINARY(mul_s16, _mm_mullo_epi16)
BINARY(mul_high_s16, _mm_mulhi_epi16)
BINARY(equal_s16, _mm_cmpeq_epi16)
BINARY(greater_s16, _mm_cmpgt_epi16)
BINARY(mul_add_pairs_s16, _mm_madd_epi16) /* products of words, added in pairs */
BINARY(add_s32, _mm_add_epi32)
BINARY(sub_s32, _mm_sub_epi32)

/* The lanes of a, then those of b, narrowed to the next smaller type with saturation. */
BINARY(narrow_s16_u8, _mm_packus_epi16)
BINARY(narrow_s16_s8, _mm_packs_epi16)
BINARY(narrow_s32_s16, _mm_packs_epi32)

/* Lanes of a and b by turns: those of the low halves, those of the high halves. */
BINARY(zip_low_8, _mm_unpacklo_epi8)
BINARY(zip_high_8, _mm_unpackhi_epi8)
BINARY(zip_low_16, _mm_unpacklo_epi16)
BINARY(zip_high_16, _mm_unpackhi_epi16)
BINARY(zip_low_32, _mm_unpacklo_epi32)
BINARY(zip_high_32, _mm_unpackhi_epi32)
BINARY(zip_low_64, _mm_unpacklo_epi64)
BINARY(zip_high_64, _mm_unpackhi_epi64)

/* Sums of four or eight |a - b| in some 32-bit lanes. */
BINARY(sum_differences_u8, _mm_sad_epu8)

#undef BINARY

INLINE vec zero(void)
{
    return _mm_setzero_si128();
}

INLINE vec splat_8(int value)
{
    return _mm_set1_epi8((char)value);
}

INLINE vec splat_16(int value)
{
    return _mm_set1_epi16((short)value);
}

INLINE vec splat_32(int value)
{
    return _mm_set1_epi32(value);
}

INLINE vec set_first_s16(vec a, int value)
{
    return _mm_insert_epi16(a, value, 0);
}

INLINE vec shift_left_s16(vec a, int bits)
{
    return _mm_slli_epi16(a, bits);
}

INLINE vec shift_right_s16(vec a, int bits)
{
    return _mm_srai_epi16(a, bits);
}

INLINE vec shift_right_u16(vec a, int bits)
{
    return _mm_srli_epi16(a, bits);
}

INLINE vec shift_right_s32(vec a, int bits)
{
    return _mm_srai_epi32(a, bits);
}

INLINE vec swap_halves(vec a)
{
    return _mm_shuffle_epi32(a, 0x4e);
}

/* The low half of a, the high half of b. */
INLINE vec low_and_high(vec a, vec b)
{
    return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(b), _mm_castsi128_pd(a)));
}

/* Each byte moved to the place after it, or before it; a zero comes in. */
INLINE vec move_up_8(vec a)
{
    return _mm_slli_si128(a, 1);
}

INLINE vec move_down_8(vec a)
{
    return _mm_srli_si128(a, 1);
}

/* The bytes of a that index says, 0 to 15; 0 where its highest bit is set. */
WITH_SHUFFLE INLINE vec shuffle_8(vec a, vec index)
{
    return _mm_shuffle_epi8(a, index);
}

#include "dsp/simd/x86_bytes.h"

/* Each word: the sum of its two bytes. */
INLINE vec sum_pairs_u8(vec a)
{
    return _mm_add_epi16(_mm_and_si128(a, splat_16(0xff)), _mm_srli_epi16(a, 8));
}

/* a / b, rounded towards zero; a is 0 to 2^24 - 1, b is positive. No quotient that is not whole is closer to a whole
 * one than the error of a float, 24 bits of precision: so truncating that is exact. */
INLINE vec quotient_s32(vec a, vec b)
{
    return _mm_cvttps_epi32(_mm_div_ps(_mm_cvtepi32_ps(a), _mm_cvtepi32_ps(b)));
}

/* Bit i is set where byte i is all ones, which it is or it is zero. */
INLINE unsigned bits_of_8(vec a)
{
    return (unsigned)_mm_movemask_epi8(a);
}

INLINE uint32_t sum_s32(vec a)
{
    a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0x4e));
    a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(a);
}

/* Zeros follow what is loaded. */
INLINE vec load4(const void *src)
{
    int bytes;
    memcpy(&bytes, src, 4);
    return _mm_cvtsi32_si128(bytes);
}

INLINE vec load8(const void *src)
{
    return _mm_loadl_epi64(src);
}

INLINE vec load16(const void *src)
{
    return _mm_loadu_si128(src);
}

INLINE void store4(void *dst, vec a)
{
    int bytes = _mm_cvtsi128_si32(a);
    memcpy(dst, &bytes, 4);
}

INLINE void store8(void *dst, vec a)
{
    _mm_storel_epi64(dst, a);
}

INLINE void store_high8(void *dst, vec a)
{
    store8(dst, _mm_unpackhi_epi64(a, a));
}

INLINE void store16(void *dst, vec a)
{
    _mm_storeu_si128(dst, a);
}

/* Four rows of four bytes. */
INLINE vec load_4x4(const uint8_t *src, ptrdiff_t stride)
{
    return zip_low_64(zip_low_32(load4(src), load4(src + stride)),
                      zip_low_32(load4(src + 2 * stride), load4(src + 3 * stride)));
}

INLINE void store_4x4(uint8_t *dst, ptrdiff_t stride, vec a)
{
    store4(dst, a);
    store4(dst + stride, _mm_srli_si128(a, 4));
    store4(dst + 2 * stride, _mm_srli_si128(a, 8));
    store4(dst + 3 * stride, _mm_srli_si128(a, 12));
}

#endif
