/* SPDX-License-Identifier: BSD-2-Clause */
/* A mini-GOP: a run of pictures that are predicted from both sides. The last of them, the anchor, is encoded first, as
 * a hidden alt-ref; then the pictures before it, its followers; in the end a frame of a few bytes shows the anchor.
 * Both structures make their chunks of mini-GOPs (docs/architecture.md). */
#ifndef XC_CHUNK_MINI_GOP_H
#define XC_CHUNK_MINI_GOP_H

#include <stdbool.h>

#include "excamera/picture.h"
#include "excamera/workspace.h"

/* The most pictures of a mini-GOP. With anchors 24 pictures apart, [24,4] was 2 points worse. */
enum { XC_MINI_GOP_PICTURES = 12 };
/* An anchor is averaged with so many pictures of the next mini-GOP: half of those that the filter takes. */
enum { XC_MINI_GOP_AFTER = 3 };

struct xc_mini_gop {
    struct xc_picture *pictures[XC_MINI_GOP_PICTURES + XC_MINI_GOP_AFTER]; /* owned */
    unsigned count;
    unsigned after; /* how many more there are that come after these */
};

/* Both take the picture over. All pictures after the mini-GOP are added after its own. */
void xc_mini_gop_add(struct xc_mini_gop *gop, struct xc_picture *picture);
void xc_mini_gop_add_after(struct xc_mini_gop *gop, struct xc_picture *picture);
void xc_mini_gop_clear(struct xc_mini_gop *gop);
static inline bool xc_mini_gop_is_full(const struct xc_mini_gop *gop)
{
    return gop->count == XC_MINI_GOP_PICTURES;
}

/* Averages the picture at an index with its neighbours on both sides. *average belongs to the caller. *noise: see
 * analysis/temporal_filter.h; the nearest neighbour is that before the picture, if there is one. */
enum xc_status xc_mini_gop_average(const struct xc_mini_gop *gop, unsigned at, struct xc_picture **average,
                                   double *noise, struct xc_workspace *workspace, struct xc_error *err);
/* Averages it without regard to motion, if the mini-GOP stands still and has noise; *average is NULL if not (see
 * xc_temporal_filter_at_rest). */
enum xc_status xc_mini_gop_average_at_rest(const struct xc_mini_gop *gop, unsigned at, struct xc_picture **average,
                                           struct xc_workspace *workspace, struct xc_error *err);
/* Measures the noise of xc_mini_gop_average without making the average. */
enum xc_status xc_mini_gop_noise(const struct xc_mini_gop *gop, unsigned at, double *noise,
                                 struct xc_workspace *workspace, struct xc_error *err);

#endif
