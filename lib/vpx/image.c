#include "vpx/image.h"

void xc_vpx_wrap(vpx_image_t *image, const struct xc_picture *picture)
{
    vpx_img_wrap(image, VPX_IMG_FMT_I420, xc_plane_coded_width(picture, XC_PLANE_Y),
                 xc_plane_coded_height(picture, XC_PLANE_Y), 1, picture->plane[XC_PLANE_Y].data);
    for (int i = 0; i < 3; i++) {
        image->planes[i] = picture->plane[i].data;
        image->stride[i] = (int)picture->plane[i].stride;
    }
}
