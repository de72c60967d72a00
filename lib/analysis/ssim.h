/* Structural similarity, as FFmpeg's ssim filter measures it. */
#ifndef XC_ANALYSIS_SSIM_H
#define XC_ANALYSIS_SSIM_H

#include "excamera/picture.h"
#include "excamera/workspace.h"

/* The least width and height for which there is a measure. */
enum { XC_SSIM_WINDOW = 8 };

/* The mean over all windows of 8x8 samples of luma that begin at multiples of 4 within the displayed part of two
 * pictures of one size; 1 where they are equal. */
double xc_ssim(const struct xc_workspace *workspace, const struct xc_picture *a, const struct xc_picture *b);

#endif
