/* SPDX-License-Identifier: BSD-2-Clause */
/* How alike two pictures are. */
#ifndef EXCAMERA_SSIM_H
#define EXCAMERA_SSIM_H

#include "excamera/picture.h"
#include "excamera/workspace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The least width and height of a plane for which there is a measure. */
enum { XC_SSIM_WINDOW = 8 };

/* Structural similarity of one plane of two pictures of one size, as FFmpeg's ssim filter measures it: the mean over
 * all windows of 8x8 samples that begin at multiples of 4 within the displayed part. 1 where they are equal, or where
 * there is no window. */
double xc_picture_ssim(const struct xc_workspace *workspace, const struct xc_picture *a, const struct xc_picture *b,
                       int plane);

#ifdef __cplusplus
}
#endif

#endif
