/* SPDX-License-Identifier: BSD-2-Clause */
/* What a state's bytes are, for those that hash, copy or store them: the length of its segment map, and the coded
 * samples of a plane as runs of bytes. */
#ifndef XC_STATE_RUNS_H
#define XC_STATE_RUNS_H

#include "excamera/picture.h"

static inline size_t xc_macroblock_count(unsigned width, unsigned height)
{
    return (size_t)((width + 15) / 16) * ((height + 15) / 16);
}

/* Row by row, or all samples at once where no gap lies between rows. */
struct xc_runs {
    uint8_t *data;    /* of the first run */
    ptrdiff_t stride; /* from one run to the next */
    size_t size;      /* of each */
    unsigned count;
};

static inline struct xc_runs xc_plane_runs(const struct xc_picture *picture, int plane)
{
    const struct xc_plane *p = &picture->plane[plane];
    const unsigned width = xc_plane_coded_width(picture, plane), height = xc_plane_coded_height(picture, plane);
    if (p->stride == (ptrdiff_t)width) {
        return (struct xc_runs){ p->data, 0, (size_t)width * height, 1 };
    }
    return (struct xc_runs){ p->data, p->stride, width, height };
}

#endif
