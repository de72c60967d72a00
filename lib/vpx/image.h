/* A picture of ours as libvpx sees it. */
#ifndef XC_VPX_IMAGE_H
#define XC_VPX_IMAGE_H

#include <vpx/vpx_image.h>

#include "excamera/picture.h"

/* Wraps the whole macroblocks of a picture, displayed or not, without a copy. The picture must outlive the image. */
void xc_vpx_wrap(vpx_image_t *image, const struct xc_picture *picture);

#endif
