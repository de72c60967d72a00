/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic with bytes that x86 lacks, made of what it has, for registers of any size. To be included where vec and
 * the simpler functions of simd.h are there (simd/x86.h, x86/avx2.h). */
#ifndef XC_DSP_SIMD_X86_BYTES_H
#define XC_DSP_SIMD_X86_BYTES_H

/* There is no shift of bytes: those of words get unsigned ones. */
INLINE vec halved_u8(vec a)
{
    return bit_and(shift_right_u16(a, 1), splat_8(0x7f));
}

/* a / 8, rounded down. */
INLINE vec eighth_s8(vec a)
{
    vec bits = shift_right_u16(bit_xor(a, splat_8(-128)), 3);
    return sub_u8(bit_and(bits, splat_8(0x1f)), splat_8(128 >> 3));
}

/* (a + 1) / 2, rounded down. */
INLINE vec half_s8(vec a)
{
    vec bias = splat_8(-128);
    return sub_u8(mean_u8(bit_xor(a, bias), bias), bias);
}

INLINE vec difference_u8(vec a, vec b)
{
    return bit_or(sat_sub_u8(a, b), sat_sub_u8(b, a));
}

/* Ones in lanes where it is so. */
INLINE vec at_most_u8(vec a, vec limit)
{
    return equal_u8(min_u8(a, limit), a);
}

/* Products with a factor of 8 bits, as words: of the low half of a, of the high one. */
INLINE vec mul_low_s8(vec a, int factor)
{
    return mul_high_s16(zip_low_8(zero(), a), splat_16(factor << 8));
}

INLINE vec mul_high_s8(vec a, int factor)
{
    return mul_high_s16(zip_high_8(zero(), a), splat_16(factor << 8));
}

#endif
