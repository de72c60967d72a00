/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion compensation: a block of one picture predicted from another; RFC 6386 section 18. */
#ifndef XC_RECON_MOTION_H
#define XC_RECON_MOTION_H

#include "dsp/dsp.h"
#include "excamera/picture.h"

struct xc_motion {
    xc_mc_fn *const *mc; /* the kernels of struct xc_dsp.sixtap or .bilinear */
    bool whole_chroma;   /* chroma moves by whole samples only (version 3) */
};

/* Predicts a square block into dst from where the vector points in a plane of the reference. The reference's last
 * samples go on forever beyond its edges.
 * x, y: the block's place in samples of the plane. size: 16, 8 or 4. mx, my: the vector in 1/8 samples of the plane; a
 * vector in quarter samples of luma is twice that in luma, and just that in chroma. dst: aligned to size. */
void xc_motion_predict(const struct xc_motion *motion, uint8_t *dst, ptrdiff_t stride,
                       const struct xc_picture *reference, int plane, int x, int y, int size, int mx, int my);

#endif
