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
    xc_dsp_pixel_c(dsp);
}

#if defined(__x86_64__)
static void fill_simd(struct xc_dsp *dsp, unsigned cpu_features)
{
    if (cpu_features & XC_CPU_SSE2) {
        xc_dsp_transform_simd(dsp);
        xc_dsp_loopfilter_simd(dsp);
        xc_dsp_pixel_simd(dsp);
    }
    if (cpu_features & XC_CPU_SSSE3) {
        xc_dsp_mc_ssse3(dsp);
        xc_dsp_intra_simd(dsp);
    }
    if (cpu_features & XC_CPU_AVX2) {
        xc_dsp_mc_avx2(dsp);
        xc_dsp_pixel_avx2(dsp);
    }
}
#elif defined(__aarch64__)
static void fill_simd(struct xc_dsp *dsp, unsigned cpu_features)
{
    if (cpu_features & XC_CPU_NEON) {
        xc_dsp_mc_neon(dsp);
        xc_dsp_intra_simd(dsp);
        xc_dsp_transform_simd(dsp);
        xc_dsp_loopfilter_simd(dsp);
        xc_dsp_pixel_simd(dsp);
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
