/* SPDX-License-Identifier: BSD-2-Clause */
/* How much goes on in each part of a picture. The eye sees errors less where there is more. */
#ifndef XC_ANALYSIS_ACTIVITY_H
#define XC_ANALYSIS_ACTIVITY_H

#include "excamera/picture.h"
#include "excamera/workspace.h"

/* Sorts the macroblocks into XC_SEGMENTS segments by the variance of their luma, from flat (0) to busy. Segments are
 * three octaves of variance wide, and the mean of the picture's logarithms lies between the middle two.
 * map: the segment of each macroblock, row by row. */
void xc_activity_segments(uint8_t *map, const struct xc_picture *picture, const struct xc_workspace *workspace);

#endif
