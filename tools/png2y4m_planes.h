/* SPDX-License-Identifier: BSD-2-Clause */
/* From red, green and blue of 16 bits to the planes of a Y4M film: Y', Cb and Cr of 8 bits, limited range. */
#ifndef XC_TOOLS_PNG2Y4M_PLANES_H
#define XC_TOOLS_PNG2Y4M_PLANES_H

#include "png2y4m_picture.h"

enum png2y4m_chroma { PNG2Y4M_420, PNG2Y4M_422, PNG2Y4M_444 };

struct png2y4m_conversion {
    enum png2y4m_chroma chroma;
    bool rec709;    /* the matrix of BT.709; false: that of BT.601 */
    bool no_dither; /* false: samples of 16 bits are dithered, so that their gradients show no steps */
};

/* Zeroed: none. */
struct png2y4m_planes {
    uint8_t *samples; /* of the three planes, one after another, without gaps */
    size_t size, room;
};

/* Converts picture into planes, in place of what was in them. A chroma sample is the mean of its pixels; beyond the
 * edge of an odd picture there are copies of the edge. The dither is the same for each picture of a film, so that what
 * is still stays still. Fails as xc_tool_fail does. */
void png2y4m_planes_convert(struct png2y4m_planes *planes, const struct png2y4m_picture *picture,
                            const struct png2y4m_conversion *conversion);
void png2y4m_planes_clear(struct png2y4m_planes *planes);

#endif
