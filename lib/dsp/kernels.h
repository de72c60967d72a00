/* Where the kernels enter the table: one function per group and kind of machine, each of which sets the pointers it
 * has a version for and leaves the others. */
#ifndef XC_DSP_KERNELS_H
#define XC_DSP_KERNELS_H

#include "dsp/dsp.h"

/* Every pointer of the table has a C version. */
void xc_dsp_mc_c(struct xc_dsp *dsp);
void xc_dsp_intra_c(struct xc_dsp *dsp);
void xc_dsp_transform_c(struct xc_dsp *dsp);
void xc_dsp_loopfilter_c(struct xc_dsp *dsp);
void xc_dsp_pixel_c(struct xc_dsp *dsp);

/* dsp/simd/, for x86 and ARM: they need SSE2 or NEON, intra SSSE3 or NEON. */
void xc_dsp_intra_simd(struct xc_dsp *dsp);
void xc_dsp_transform_simd(struct xc_dsp *dsp);
void xc_dsp_loopfilter_simd(struct xc_dsp *dsp);
void xc_dsp_pixel_simd(struct xc_dsp *dsp);

/* dsp/x86/ */
void xc_dsp_mc_ssse3(struct xc_dsp *dsp);
void xc_dsp_mc_avx2(struct xc_dsp *dsp);
void xc_dsp_pixel_avx2(struct xc_dsp *dsp);

/* dsp/arm/ */
void xc_dsp_mc_neon(struct xc_dsp *dsp);

#endif
