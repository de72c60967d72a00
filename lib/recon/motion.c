#include "recon/motion.h"

/* The largest block and its filter's reach in both directions. The stride is rounded up to a power of two. */
enum { PATCH_STRIDE = 32, PATCH_ROWS = 16 + 5 };

/* The six-tap filter reads this many samples before a block, and this many after it. */
enum { REACH_BEFORE = 2, REACH_AFTER = 3 };

static int clamp_coordinate(int value, int limit)
{
    return value < 0 ? 0 : value >= limit ? limit - 1 : value;
}

/* Builds the part of a reference that a block needs where that lies beyond the edge. */
static void copy_patch(uint8_t *patch, const struct xc_plane *plane, int plane_width, int plane_height, int x, int y,
                       int size)
{
    for (int j = 0; j < size; j++) {
        const uint8_t *row = plane->data + clamp_coordinate(y + j, plane_height) * plane->stride;
        for (int i = 0; i < size; i++) {
            patch[j * PATCH_STRIDE + i] = row[clamp_coordinate(x + i, plane_width)];
        }
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
    xc_mc_fn *mc = motion->mc[size == 16 ? XC_MC_16 : size == 8 ? XC_MC_8 : XC_MC_4];

    if (left >= REACH_BEFORE && top >= REACH_BEFORE && left + size + REACH_AFTER <= width &&
        top + size + REACH_AFTER <= height) {
        mc(dst, stride, from->data + top * from->stride + left, from->stride, size, mx & 7, my & 7);
        return;
    }
    uint8_t patch[PATCH_STRIDE * (PATCH_ROWS + 1)]; /* kernels may read on after the last row's end */
    copy_patch(patch, from, width, height, left - REACH_BEFORE, top - REACH_BEFORE, size + REACH_BEFORE + REACH_AFTER);
    mc(dst, stride, patch + REACH_BEFORE * PATCH_STRIDE + REACH_BEFORE, PATCH_STRIDE, size, mx & 7, my & 7);
}
