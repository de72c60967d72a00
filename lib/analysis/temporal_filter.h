/* Averaging a picture with those around it along the motion: what they have in common stays, their noise goes. */
#ifndef XC_ANALYSIS_TEMPORAL_FILTER_H
#define XC_ANALYSIS_TEMPORAL_FILTER_H

#include "excamera/workspace.h"

/* The most pictures that are worth averaging. */
enum { XC_FILTER_PICTURES = 7 };

/* Makes *out (out NULL: nothing), which the caller owns, from pictures[0] and up to XC_FILTER_PICTURES - 1 more, all of
 * one size, in the order of their distance from it. *noise becomes the difference per sample of luma between
 * pictures[0] and the best match in pictures[1], in the median over the macroblocks; those that could be averaged with
 * it count as 0. */
enum xc_status xc_temporal_filter(struct xc_workspace *workspace, struct xc_picture **out, double *noise,
                                  const struct xc_picture *const *pictures, unsigned count, struct xc_error *err);

#endif
