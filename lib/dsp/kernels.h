/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the kernels enter the table: one function per group and instruction set, each of which sets the pointers that
 * it has a version for and leaves the others.
 *
 * A kernel is called xc_NAME_ISA, such as xc_sad16_avx2, so that a profiler or a debugger tells which version ran. */
#ifndef XC_DSP_KERNELS_H
#define XC_DSP_KERNELS_H

#include "dsp/dsp.h"

/* The name of a kernel; both arguments may be macros. */
#define XC_KERNEL(name, isa) XC_PASTE_KERNEL(name, isa)
#define XC_PASTE_KERNEL(name, isa) xc_##name##_##isa

/* Every pointer of the table has a C version. */
void xc_dsp_mc_c(struct xc_dsp *dsp);
void xc_dsp_intra_c(struct xc_dsp *dsp);
void xc_dsp_transform_c(struct xc_dsp *dsp);
void xc_dsp_loopfilter_c(struct xc_dsp *dsp);
void xc_dsp_compare_c(struct xc_dsp *dsp);
void xc_dsp_temporal_c(struct xc_dsp *dsp);
void xc_dsp_reduce_c(struct xc_dsp *dsp);

/* dsp/simd/, compiled for x86: the names come from KERNEL and SHUFFLE_KERNEL in dsp/simd/simd.h. */
void xc_dsp_intra_ssse3(struct xc_dsp *dsp);
void xc_dsp_transform_sse2(struct xc_dsp *dsp);
void xc_dsp_loopfilter_sse2(struct xc_dsp *dsp);
void xc_dsp_compare_sse2(struct xc_dsp *dsp);
void xc_dsp_temporal_sse2(struct xc_dsp *dsp);
void xc_dsp_reduce_sse2(struct xc_dsp *dsp);

/* The same files, compiled for ARM. */
void xc_dsp_intra_neon(struct xc_dsp *dsp);
void xc_dsp_transform_neon(struct xc_dsp *dsp);
void xc_dsp_loopfilter_neon(struct xc_dsp *dsp);
void xc_dsp_compare_neon(struct xc_dsp *dsp);
void xc_dsp_temporal_neon(struct xc_dsp *dsp);
void xc_dsp_reduce_neon(struct xc_dsp *dsp);

/* dsp/x86/ */
void xc_dsp_mc_ssse3(struct xc_dsp *dsp);
void xc_dsp_mc_avx2(struct xc_dsp *dsp);
void xc_dsp_loopfilter_avx2(struct xc_dsp *dsp);
void xc_dsp_compare_avx2(struct xc_dsp *dsp);
void xc_dsp_reduce_avx2(struct xc_dsp *dsp);

/* dsp/arm/ */
void xc_dsp_mc_neon(struct xc_dsp *dsp);

#endif
