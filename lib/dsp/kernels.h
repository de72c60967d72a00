/* Where the kernels enter the table: one function per group and instruction set, each of which sets the pointers it has a
 * version for and leaves the others. */
#ifndef XC_DSP_KERNELS_H
#define XC_DSP_KERNELS_H

#include "dsp/dsp.h"

/* Every pointer of the table has a C version. */
void xc_dsp_mc_c(struct xc_dsp *dsp);
void xc_dsp_intra_c(struct xc_dsp *dsp);
void xc_dsp_transform_c(struct xc_dsp *dsp);
void xc_dsp_loopfilter_c(struct xc_dsp *dsp);
void xc_dsp_pixel_c(struct xc_dsp *dsp);

#if defined(__x86_64__)
void xc_dsp_mc_ssse3(struct xc_dsp *dsp);
void xc_dsp_mc_avx2(struct xc_dsp *dsp);
void xc_dsp_loopfilter_sse2(struct xc_dsp *dsp);
void xc_dsp_loopfilter_avx2(struct xc_dsp *dsp);
void xc_dsp_transform_sse2(struct xc_dsp *dsp);
void xc_dsp_intra_ssse3(struct xc_dsp *dsp);
void xc_dsp_pixel_sse2(struct xc_dsp *dsp);
void xc_dsp_pixel_avx2(struct xc_dsp *dsp);
#endif

#endif
