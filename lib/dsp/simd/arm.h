/* SPDX-License-Identifier: BSD-2-Clause */
/* See simd.h. */
#ifndef XC_DSP_SIMD_ARM_H
#define XC_DSP_SIMD_ARM_H

#include <arm_neon.h>

#define WITH_SHUFFLE

#define SIMD_ISA neon
#define SHUFFLE_ISA neon

typedef uint8x16_t vec;

#define BINARY(name, type, intrinsic)                                                                                  \
    INLINE vec name(vec a, vec b)                                                                                      \
    {                                                                                                                  \
        return vreinterpretq_u8_##type(intrinsic(vreinterpretq_##type##_u8(a), vreinterpretq_##type##_u8(b)));         \
    }
#define BINARY_U8(name, intrinsic)                                                                                     \
    INLINE vec name(vec a, vec b)                                                                                      \
    {                                                                                                                  \
        return intrinsic(a, b);                                                                                        \
    }

BINARY_U8(bit_and, vandq_u8)
BINARY_U8(bit_or, vorrq_u8)
BINARY_U8(bit_xor, veorq_u8)

BINARY_U8(min_u8, vminq_u8)
BINARY_U8(max_u8, vmaxq_u8)
BINARY_U8(mean_u8, vrhaddq_u8)
BINARY_U8(sat_add_u8, vqaddq_u8)
BINARY_U8(sat_sub_u8, vqsubq_u8)
BINARY_U8(sub_u8, vsubq_u8)
BINARY_U8(difference_u8, vabdq_u8)
BINARY_U8(at_most_u8, vcleq_u8)
BINARY(sat_add_s8, s8, vqaddq_s8)
BINARY(sat_sub_s8, s8, vqsubq_s8)

BINARY(add_s16, s16, vaddq_s16)
BINARY(sub_s16, s16, vsubq_s16)
BINARY(sat_add_s16, s16, vqaddq_s16)
BINARY(mul_s16, s16, vmulq_s16)
BINARY(add_s32, s32, vaddq_s32)
BINARY(sub_s32, s32, vsubq_s32)

BINARY_U8(zip_low_8, vzip1q_u8)
BINARY_U8(zip_high_8, vzip2q_u8)
BINARY(zip_low_16, u16, vzip1q_u16)
BINARY(zip_high_16, u16, vzip2q_u16)
BINARY(zip_low_32, u32, vzip1q_u32)
BINARY(zip_high_32, u32, vzip2q_u32)
BINARY(zip_low_64, u64, vzip1q_u64)
BINARY(zip_high_64, u64, vzip2q_u64)

#undef BINARY
#undef BINARY_U8

INLINE int16x8_t as_s16(vec a)
{
    return vreinterpretq_s16_u8(a);
}

INLINE int32x4_t as_s32(vec a)
{
    return vreinterpretq_s32_u8(a);
}

INLINE vec from_s16(int16x8_t a)
{
    return vreinterpretq_u8_s16(a);
}

INLINE vec from_s32(int32x4_t a)
{
    return vreinterpretq_u8_s32(a);
}

INLINE vec bit_and_not(vec a, vec b)
{
    return vbicq_u8(b, a);
}

/* The instruction doubles the product; only -32768 squared would saturate. */
INLINE vec mul_high_s16(vec a, vec b)
{
    return from_s16(vshrq_n_s16(vqdmulhq_s16(as_s16(a), as_s16(b)), 1));
}

INLINE vec equal_s16(vec a, vec b)
{
    return vreinterpretq_u8_u16(vceqq_s16(as_s16(a), as_s16(b)));
}

INLINE vec greater_s16(vec a, vec b)
{
    return vreinterpretq_u8_u16(vcgtq_s16(as_s16(a), as_s16(b)));
}

INLINE vec mul_add_pairs_s16(vec a, vec b)
{
    int32x4_t low = vmull_s16(vget_low_s16(as_s16(a)), vget_low_s16(as_s16(b)));
    int32x4_t high = vmull_high_s16(as_s16(a), as_s16(b));
    return from_s32(vpaddq_s32(low, high));
}

INLINE vec narrow_s16_u8(vec a, vec b)
{
    return vcombine_u8(vqmovun_s16(as_s16(a)), vqmovun_s16(as_s16(b)));
}

INLINE vec narrow_s16_s8(vec a, vec b)
{
    return vreinterpretq_u8_s8(vcombine_s8(vqmovn_s16(as_s16(a)), vqmovn_s16(as_s16(b))));
}

INLINE vec narrow_s32_s16(vec a, vec b)
{
    return from_s16(vcombine_s16(vqmovn_s32(as_s32(a)), vqmovn_s32(as_s32(b))));
}

INLINE vec sum_differences_u8(vec a, vec b)
{
    return vreinterpretq_u8_u32(vpaddlq_u16(vpaddlq_u8(vabdq_u8(a, b))));
}

INLINE vec zero(void)
{
    return vdupq_n_u8(0);
}

INLINE vec splat_8(int value)
{
    return vdupq_n_u8((uint8_t)value);
}

INLINE vec splat_16(int value)
{
    return from_s16(vdupq_n_s16((int16_t)value));
}

INLINE vec splat_32(int value)
{
    return from_s32(vdupq_n_s32(value));
}

INLINE vec set_first_s16(vec a, int value)
{
    return from_s16(vsetq_lane_s16((int16_t)value, as_s16(a), 0));
}

INLINE vec shift_left_s16(vec a, int bits)
{
    return from_s16(vshlq_s16(as_s16(a), vdupq_n_s16((int16_t)bits)));
}

INLINE vec shift_right_s16(vec a, int bits)
{
    return shift_left_s16(a, -bits);
}

INLINE vec shift_right_s32(vec a, int bits)
{
    return from_s32(vshlq_s32(as_s32(a), vdupq_n_s32(-bits)));
}

INLINE vec swap_halves(vec a)
{
    return vextq_u8(a, a, 8);
}

INLINE vec low_and_high(vec a, vec b)
{
    return vcombine_u8(vget_low_u8(a), vget_high_u8(b));
}

INLINE vec move_up_8(vec a)
{
    return vextq_u8(zero(), a, 15);
}

INLINE vec move_down_8(vec a)
{
    return vextq_u8(a, zero(), 1);
}

INLINE vec shuffle_8(vec a, vec index)
{
    return vqtbl1q_u8(a, index); /* 0 for any index beyond */
}

INLINE vec halved_u8(vec a)
{
    return vshrq_n_u8(a, 1);
}

INLINE vec eighth_s8(vec a)
{
    return vreinterpretq_u8_s8(vshrq_n_s8(vreinterpretq_s8_u8(a), 3));
}

INLINE vec half_s8(vec a)
{
    return vreinterpretq_u8_s8(vrshrq_n_s8(vreinterpretq_s8_u8(a), 1));
}

INLINE vec mul_low_s8(vec a, int factor)
{
    return from_s16(vmull_s8(vget_low_s8(vreinterpretq_s8_u8(a)), vdup_n_s8((int8_t)factor)));
}

INLINE vec mul_high_s8(vec a, int factor)
{
    return from_s16(vmull_high_s8(vreinterpretq_s8_u8(a), vdupq_n_s8((int8_t)factor)));
}

INLINE vec sum_pairs_u8(vec a)
{
    return vreinterpretq_u8_u16(vpaddlq_u8(a));
}

INLINE vec quotient_s32(vec a, vec b)
{
    return from_s32(vcvtq_s32_f32(vdivq_f32(vcvtq_f32_s32(as_s32(a)), vcvtq_f32_s32(as_s32(b)))));
}

INLINE unsigned bits_of_8(vec a)
{
    static const uint8_t bits[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
    vec found = vandq_u8(a, vld1q_u8(bits));
    return (unsigned)(vaddv_u8(vget_low_u8(found)) | vaddv_u8(vget_high_u8(found)) << 8);
}

INLINE uint32_t sum_s32(vec a)
{
    return vaddvq_u32(vreinterpretq_u32_u8(a));
}

INLINE vec load4(const void *src)
{
    uint32_t bytes;
    memcpy(&bytes, src, 4);
    return vreinterpretq_u8_u32(vsetq_lane_u32(bytes, vdupq_n_u32(0), 0));
}

INLINE vec load8(const void *src)
{
    return vcombine_u8(vld1_u8(src), vdup_n_u8(0));
}

INLINE vec load16(const void *src)
{
    return vld1q_u8(src);
}

INLINE void store4(void *dst, vec a)
{
    uint32_t bytes = vgetq_lane_u32(vreinterpretq_u32_u8(a), 0);
    memcpy(dst, &bytes, 4);
}

INLINE void store8(void *dst, vec a)
{
    vst1_u8(dst, vget_low_u8(a));
}

INLINE void store_high8(void *dst, vec a)
{
    vst1_u8(dst, vget_high_u8(a));
}

INLINE void store16(void *dst, vec a)
{
    vst1q_u8(dst, a);
}

INLINE vec load_4x4(const uint8_t *src, ptrdiff_t stride)
{
    return zip_low_64(zip_low_32(load4(src), load4(src + stride)),
                      zip_low_32(load4(src + 2 * stride), load4(src + 3 * stride)));
}

INLINE void store_4x4(uint8_t *dst, ptrdiff_t stride, vec a)
{
    store4(dst, a);
    store4(dst + stride, vextq_u8(a, a, 4));
    store4(dst + 2 * stride, vextq_u8(a, a, 8));
    store4(dst + 3 * stride, vextq_u8(a, a, 12));
}

#endif
