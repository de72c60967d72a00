/* SPDX-License-Identifier: BSD-2-Clause */
#include "recon/motion.h"

#include <string.h>

/* The largest block and its filter's reach in both directions. The stride is rounded up to a power of two. */
enum { PATCH_STRIDE = 32, PATCH_ROWS = 16 + 5 };

/* The six-tap filter reads this many samples before a block, and this many after it. */
enum { REACH_BEFORE = 2, REACH_AFTER = 3 };

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* The rectangle of a plane that a block is predicted from. */
struct area {
    int left, top, width, height;
};

static bool is_inside(struct area area, int plane_width, int plane_height)
{
    return area.left >= 0 && area.top >= 0 && area.left + area.width <= plane_width &&
           area.top + area.height <= plane_height;
}

/* Builds an area that is not inside the plane. */
static void copy_patch(uint8_t *patch, const struct xc_plane *plane, int plane_width, int plane_height,
                       struct area area)
{
    const int before = clamp(-area.left, 0, area.width);
    const int inside = clamp(plane_width - area.left, before, area.width) - before;
    const int after = area.width - before - inside;
    for (int y = 0; y < area.height; y++, patch += PATCH_STRIDE) {
        const uint8_t *row = plane->data + clamp(area.top + y, 0, plane_height - 1) * plane->stride;
        memset(patch, row[0], (size_t)before);
        if (inside) {
            memcpy(patch + before, row + area.left + before, (size_t)inside);
        }
        memset(patch + before + inside, row[plane_width - 1], (size_t)after);
    }
}

void xc_motion_predict(const struct xc_motion *motion, uint8_t *dst, ptrdiff_t stride,
                       const struct xc_picture *reference, int plane, int x, int y, int size, int mx, int my)
{
    const struct xc_plane *from = &reference->plane[plane];
    const int mb_size = plane == XC_PLANE_Y ? 16 : 8;
    const int width = reference->mb_cols * mb_size, height = reference->mb_rows * mb_size;
    if (plane != XC_PLANE_Y && motion->whole_chroma) {
        mx &= ~7;
        my &= ~7;
    }
    const int left = x + (mx >> 3), top = y + (my >> 3);
    /* A whole vector needs no filter: most blocks of a still picture that lie at its edge are copied as they are. */
    const bool across = mx & 7, down = my & 7;
    const struct area area = {
        .left = left - across * REACH_BEFORE,
        .top = top - down * REACH_BEFORE,
        .width = size + across * (REACH_BEFORE + REACH_AFTER),
        .height = size + down * (REACH_BEFORE + REACH_AFTER),
    };
    xc_mc_fn *mc = motion->mc[size == 16 ? XC_MC_16 : size == 8 ? XC_MC_8 : XC_MC_4];
    if (is_inside(area, width, height)) {
        mc(dst, stride, from->data + top * from->stride + left, from->stride, size, mx & 7, my & 7);
        return;
    }
    uint8_t patch[PATCH_STRIDE * (PATCH_ROWS + 1)]; /* kernels may read on after the last row's end */
    copy_patch(patch, from, width, height, area);
    mc(dst, stride, patch + down * REACH_BEFORE * PATCH_STRIDE + across * REACH_BEFORE, PATCH_STRIDE, size, mx & 7,
       my & 7);
}
