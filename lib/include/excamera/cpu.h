/* SPDX-License-Identifier: BSD-2-Clause */
/* Instruction sets for which the library has kernels of its own. Results are the same with any of them. */
#ifndef EXCAMERA_CPU_H
#define EXCAMERA_CPU_H

#ifdef __cplusplus
extern "C" {
#endif

/* XC_CPU_BMI2 means BMI, BMI2 and LZCNT. */
enum xc_cpu { XC_CPU_SSE2 = 1, XC_CPU_SSSE3 = 2, XC_CPU_AVX2 = 4, XC_CPU_NEON = 8, XC_CPU_BMI2 = 16 };

/* Stands for all that this machine has, wherever features are asked for. */
#define XC_CPU_ALL (~0u)

unsigned xc_cpu_features(void); /* those that this machine has: bits of enum xc_cpu */

#ifdef __cplusplus
}
#endif

#endif
