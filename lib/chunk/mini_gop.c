/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/mini_gop.h"

#include "analysis/temporal_filter.h"

void xc_mini_gop_add(struct xc_mini_gop *gop, struct xc_picture *picture)
{
    gop->pictures[gop->count++] = picture;
}

void xc_mini_gop_add_after(struct xc_mini_gop *gop, struct xc_picture *picture)
{
    gop->pictures[gop->count + gop->after++] = picture;
}

void xc_mini_gop_clear(struct xc_mini_gop *gop)
{
    for (unsigned i = 0; i < gop->count + gop->after; i++) {
        xc_picture_unref(gop->pictures[i]);
    }
    gop->count = gop->after = 0;
}

/* Lines up a picture and those around it, by their distance; returns how many. */
static unsigned line_up(const struct xc_picture *pictures[XC_FILTER_PICTURES], const struct xc_mini_gop *gop,
                        unsigned at, unsigned most)
{
    const unsigned all = gop->count + gop->after;
    unsigned count = 0;
    pictures[count++] = gop->pictures[at];
    for (unsigned distance = 1; distance < all && count < most; distance++) {
        if (distance <= at) {
            pictures[count++] = gop->pictures[at - distance];
        }
        if (at + distance < all && count < most) {
            pictures[count++] = gop->pictures[at + distance];
        }
    }
    return count;
}

static enum xc_status filter(const struct xc_mini_gop *gop, unsigned at, unsigned most, struct xc_picture **average,
                             double *noise, struct xc_workspace *workspace, struct xc_error *err)
{
    const struct xc_picture *pictures[XC_FILTER_PICTURES];
    const unsigned count = line_up(pictures, gop, at, most);
    return xc_temporal_filter(workspace, average, noise, pictures, count, err);
}

enum xc_status xc_mini_gop_average(const struct xc_mini_gop *gop, unsigned at, struct xc_picture **average,
                                   double *noise, struct xc_workspace *workspace, struct xc_error *err)
{
    return filter(gop, at, XC_FILTER_PICTURES, average, noise, workspace, err);
}

enum xc_status xc_mini_gop_average_at_rest(const struct xc_mini_gop *gop, unsigned at, struct xc_picture **average,
                                           struct xc_workspace *workspace, struct xc_error *err)
{
    const struct xc_picture *pictures[XC_FILTER_PICTURES];
    const unsigned count = line_up(pictures, gop, at, XC_FILTER_PICTURES);
    return xc_temporal_filter_at_rest(workspace, average, pictures, count, err);
}

enum xc_status xc_mini_gop_noise(const struct xc_mini_gop *gop, unsigned at, double *noise,
                                 struct xc_workspace *workspace, struct xc_error *err)
{
    return filter(gop, at, 2, NULL, noise, workspace, err);
}
