/* SPDX-License-Identifier: BSD-2-Clause */
/* Which instruction sets this machine has. */
#include "excamera/cpu.h"

unsigned xc_cpu_features(void)
{
    unsigned features = 0;
#if defined(__x86_64__)
    features |= XC_CPU_SSE2; /* part of x86-64 itself */
    if (__builtin_cpu_supports("ssse3")) {
        features |= XC_CPU_SSSE3;
    }
    if (__builtin_cpu_supports("avx2")) {
        features |= XC_CPU_AVX2;
    }
    if (__builtin_cpu_supports("bmi2")) { /* who has it has BMI and LZCNT, which are older or came with it */
        features |= XC_CPU_BMI2;
    }
#elif defined(__aarch64__)
    features |= XC_CPU_NEON; /* part of AArch64 itself */
#endif
    return features;
}
