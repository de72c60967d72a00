/* What the x86 kernels share. Each function carries the instruction set it is compiled for, so one binary holds them all. */
#ifndef XC_DSP_X86_SIMD_H
#define XC_DSP_X86_SIMD_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define TARGET(isa) __attribute__((target(isa)))
/* A helper that exists only as part of its callers, which are specialized by its constant arguments. */
#define INLINE static inline __attribute__((always_inline))

INLINE __m128i load4(const uint8_t *src)
{
    int bytes;
    memcpy(&bytes, src, 4);
    return _mm_cvtsi32_si128(bytes);
}

INLINE __m128i load8(const uint8_t *src)
{
    return _mm_loadl_epi64((const __m128i *)src);
}

INLINE __m128i load16(const uint8_t *src)
{
    return _mm_loadu_si128((const __m128i *)src);
}

/* Writes the first 4, 8 or 16 bytes. */
INLINE void store(uint8_t *dst, __m128i value, int bytes)
{
    if (bytes == 16) {
        _mm_storeu_si128((__m128i *)dst, value);
    } else if (bytes == 8) {
        _mm_storel_epi64((__m128i *)dst, value);
    } else {
        int low = _mm_cvtsi128_si32(value);
        memcpy(dst, &low, 4);
    }
}

#endif
