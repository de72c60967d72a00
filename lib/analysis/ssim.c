/* SPDX-License-Identifier: BSD-2-Clause */
/* Structural similarity, as FFmpeg's ssim filter measures it. */
#include "excamera/ssim.h"

#include "recon/workspace.h"

/* Over the samples of two blocks at the same place. */
struct sums {
    uint32_t a, b, squares, products;
};

enum { BLOCK = 4, SAMPLES = XC_SSIM_WINDOW * XC_SSIM_WINDOW };

/* The measure's constants, for sums instead of means; Wang et al., Image Quality Assessment, 2004, with K1 = 0.01 and
 * K2 = 0.03, rounded as libavfilter/vf_ssim.c rounds them. */
enum { C1 = 416, C2 = 235963 };

/* Of two blocks, one above the other: half a window. */
static struct sums sum_column(const struct xc_dsp *dsp, const struct xc_plane *a, const struct xc_plane *b, unsigned x,
                              unsigned y)
{
    uint32_t sums[4];
    dsp->ssim_sums(sums, a->data + (ptrdiff_t)y * a->stride + x, a->stride, b->data + (ptrdiff_t)y * b->stride + x,
                   b->stride);
    return (struct sums){ sums[0], sums[1], sums[2], sums[3] };
}

static double ssim_of_window(const struct sums *left, const struct sums *right)
{
    const double a = (double)left->a + right->a, b = (double)left->b + right->b;
    const double squares = (double)left->squares + right->squares, products = (double)left->products + right->products;
    const double variances = squares * SAMPLES - a * a - b * b, covariance = products * SAMPLES - a * b;
    return (2 * a * b + C1) * (2 * covariance + C2) / ((a * a + b * b + C1) * (variances + C2));
}

double xc_picture_ssim(const struct xc_workspace *workspace, const struct xc_picture *picture_a,
                       const struct xc_picture *picture_b, int plane)
{
    const struct xc_plane *a = &picture_a->plane[plane], *b = &picture_b->plane[plane];
    const unsigned width = xc_plane_width(picture_a, plane), height = xc_plane_height(picture_a, plane);
    const struct xc_dsp *dsp = &workspace->dsp;
    double sum = 0;
    unsigned windows = 0;
    for (unsigned y = 0; y + XC_SSIM_WINDOW <= height; y += BLOCK) {
        struct sums left = sum_column(dsp, a, b, 0, y);
        for (unsigned x = BLOCK; x + BLOCK <= width; x += BLOCK) {
            const struct sums right = sum_column(dsp, a, b, x, y);
            sum += ssim_of_window(&left, &right);
            windows++;
            left = right;
        }
    }
    return windows ? sum / windows : 1;
}
