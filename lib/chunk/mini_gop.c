/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/mini_gop.h"

#include "analysis/temporal_filter.h"

void xc_mini_gop_add(struct xc_mini_gop *gop, struct xc_picture *picture)
{
    gop->pictures[gop->count++] = picture;
}

void xc_mini_gop_clear(struct xc_mini_gop *gop)
{
    while (gop->count) {
        xc_picture_unref(gop->pictures[--gop->count]);
    }
}

static enum xc_status filter(const struct xc_mini_gop *gop, unsigned at, int step, unsigned most,
                             struct xc_picture **average, double *noise, struct xc_workspace *workspace,
                             struct xc_error *err)
{
    const struct xc_picture *pictures[XC_FILTER_PICTURES];
    unsigned count = 0;
    for (unsigned i = at; i < gop->count && count < most; i += (unsigned)step) {
        pictures[count++] = gop->pictures[i];
    }
    return xc_temporal_filter(workspace, average, noise, pictures, count, err);
}

enum xc_status xc_mini_gop_average(const struct xc_mini_gop *gop, unsigned at, int step, struct xc_picture **average,
                                   double *noise, struct xc_workspace *workspace, struct xc_error *err)
{
    return filter(gop, at, step, XC_FILTER_PICTURES, average, noise, workspace, err);
}

enum xc_status xc_mini_gop_noise(const struct xc_mini_gop *gop, unsigned at, int step, double *noise,
                                 struct xc_workspace *workspace, struct xc_error *err)
{
    return filter(gop, at, step, 2, NULL, noise, workspace, err);
}
