/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture of ours as libvpx sees it. Nothing is copied: the picture must outlive the image. */
#ifndef XC_VPX_IMAGE_H
#define XC_VPX_IMAGE_H

#include <vpx/vpx_image.h>

#include "excamera/picture.h"

/* Wraps all macroblocks of the picture, whose sizes are multiples of 16. */
void xc_vpx_wrap(vpx_image_t *image, const struct xc_picture *picture);

/* Wraps the part that is displayed. */
void xc_vpx_wrap_displayed(vpx_image_t *image, const struct xc_picture *picture);

#endif
