/* SPDX-License-Identifier: BSD-2-Clause */
/* Global motion: how far the camera has turned from one picture to the next. */
#ifndef XC_ANALYSIS_PAN_H
#define XC_ANALYSIS_PAN_H

#include "dsp/dsp.h"
#include "excamera/frame.h"

/* The vector by which most of a picture moved since the one before, in whole samples: a guess that block matching
 * tries. It may be as long as half of the picture. A change of illumination does not matter. width, a multiple of 8,
 * and height, at least 8, are those of both pictures; scratch: room for twice as many numbers as the longer side. */
struct xc_mv xc_find_pan(const struct xc_dsp *dsp, const struct xc_plane *now, const struct xc_plane *before, int width,
                         int height, int32_t *scratch);

#endif
