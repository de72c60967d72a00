/* SPDX-License-Identifier: BSD-2-Clause */
/* The motion-compensated temporal filter: averages a picture with those around it, which reduces noise. */
#ifndef XC_ANALYSIS_TEMPORAL_FILTER_H
#define XC_ANALYSIS_TEMPORAL_FILTER_H

#include "excamera/workspace.h"

/* Averaging more pictures than this gains nothing. */
enum { XC_FILTER_PICTURES = 7 };

/* Filters pictures[0] with up to XC_FILTER_PICTURES - 1 others of its size, sorted by their distance from it. *out
 * becomes the filtered picture, which the caller owns, or NULL after a failure; out may be NULL if only the noise is
 * wanted. *noise becomes the difference per luma sample between a macroblock of pictures[0] and its best match in
 * pictures[1], as the median of all macroblocks; a macroblock that was averaged with its match counts as 0. */
enum xc_status xc_temporal_filter(struct xc_workspace *workspace, struct xc_picture **out, double *noise,
                                  const struct xc_picture *const *pictures, unsigned count, struct xc_error *err);

/* The same without searching for motion, which takes little time: a macroblock is averaged with those at its place that
 * match it. *out is NULL unless the film stands still and has noise (docs/notes/compression.md): in the median of all
 * macroblocks, pictures[0] and pictures[1] differ, all pictures match, and pictures[0] differs from the last one less
 * than twice as much as from pictures[1]. */
enum xc_status xc_temporal_filter_at_rest(struct xc_workspace *workspace, struct xc_picture **out,
                                          const struct xc_picture *const *pictures, unsigned count,
                                          struct xc_error *err);

#endif
