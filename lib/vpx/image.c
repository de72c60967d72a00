/* SPDX-License-Identifier: BSD-2-Clause */
#include "vpx/image.h"

static void wrap(vpx_image_t *image, const struct xc_picture *picture, unsigned width, unsigned height)
{
    vpx_img_wrap(image, VPX_IMG_FMT_I420, width, height, 1, picture->plane[XC_PLANE_Y].data);
    for (int i = 0; i < 3; i++) {
        image->planes[i] = picture->plane[i].data;
        image->stride[i] = (int)picture->plane[i].stride;
    }
}

void xc_vpx_wrap(vpx_image_t *image, const struct xc_picture *picture)
{
    wrap(image, picture, xc_plane_coded_width(picture, XC_PLANE_Y), xc_plane_coded_height(picture, XC_PLANE_Y));
}

void xc_vpx_wrap_displayed(vpx_image_t *image, const struct xc_picture *picture)
{
    wrap(image, picture, picture->width, picture->height);
}
