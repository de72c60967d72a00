/* Averaging a picture with those around it along the motion: what they have in common stays, their noise goes. */
#ifndef EXCAMERA_TEMPORAL_FILTER_H
#define EXCAMERA_TEMPORAL_FILTER_H

#include "excamera/decode.h"

/* The most pictures that are worth averaging. */
enum { XC_FILTER_PICTURES = 7 };

/* Makes *out, which the caller owns, from pictures[0] and up to XC_FILTER_PICTURES - 1 more, all of one size, in the
 * order of their distance from it. *noise becomes what the average of half of the macroblocks still has that pictures[1]
 * has not: a difference per sample of luma. */
enum xc_status xc_temporal_filter(struct xc_workspace *workspace, struct xc_picture **out, double *noise,
                                  const struct xc_picture *const *pictures, unsigned count, struct xc_error *err);

#endif
