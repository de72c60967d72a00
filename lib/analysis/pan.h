/* How far the camera has turned from one picture to the next. */
#ifndef XC_ANALYSIS_PAN_H
#define XC_ANALYSIS_PAN_H

#include "excamera/frame.h"

/* The vector, in whole samples, of the greater part of a picture against the one before, both of this size: a guess, to
 * be tried. It may be long, up to half of the picture, and does not depend on brightness. scratch: room for twice as
 * many numbers as the longer side has samples. */
struct xc_mv xc_find_pan(const struct xc_plane *now, const struct xc_plane *before, int width, int height,
                         int32_t *scratch);

#endif
