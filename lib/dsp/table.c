/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of kernels, filled from the plainest to the fastest: later versions replace earlier ones. */
#include "dsp/dsp.h"
#include "dsp/kernels.h"
#include "excamera/cpu.h"

static void fill_c(struct xc_dsp *dsp)
{
    xc_dsp_mc_c(dsp);
    xc_dsp_intra_c(dsp);
    xc_dsp_transform_c(dsp);
    xc_dsp_loopfilter_c(dsp);
    xc_dsp_compare_c(dsp);
    xc_dsp_temporal_c(dsp);
    xc_dsp_reduce_c(dsp);
}

#if defined(__x86_64__)
static void fill_simd(struct xc_dsp *dsp, unsigned cpu_features)
{
    if (cpu_features & XC_CPU_SSE2) {
        xc_dsp_transform_sse2(dsp);
        xc_dsp_loopfilter_sse2(dsp);
        xc_dsp_compare_sse2(dsp);
        xc_dsp_temporal_sse2(dsp);
        xc_dsp_reduce_sse2(dsp);
    }
    if (cpu_features & XC_CPU_SSSE3) {
        xc_dsp_mc_ssse3(dsp);
        xc_dsp_intra_ssse3(dsp);
    }
    if (cpu_features & XC_CPU_AVX2) {
        xc_dsp_mc_avx2(dsp);
        xc_dsp_loopfilter_avx2(dsp);
        xc_dsp_compare_avx2(dsp);
        xc_dsp_reduce_avx2(dsp);
    }
}
#elif defined(__aarch64__)
static void fill_simd(struct xc_dsp *dsp, unsigned cpu_features)
{
    if (cpu_features & XC_CPU_NEON) {
        xc_dsp_mc_neon(dsp);
        xc_dsp_intra_neon(dsp);
        xc_dsp_transform_neon(dsp);
        xc_dsp_loopfilter_neon(dsp);
        xc_dsp_compare_neon(dsp);
        xc_dsp_temporal_neon(dsp);
        xc_dsp_reduce_neon(dsp);
    }
}
#else
static void fill_simd(struct xc_dsp *dsp, unsigned cpu_features)
{
    (void)dsp, (void)cpu_features;
}
#endif

void xc_dsp_fill(struct xc_dsp *dsp, unsigned cpu_features)
{
    fill_c(dsp);
    fill_simd(dsp, cpu_features);
}
