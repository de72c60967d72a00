/* SPDX-License-Identifier: BSD-2-Clause */
/* Films that are written as the original's vp8decode and xc-decode-bundle write them. */
#ifndef XC_TOOLS_Y4M_FILM_H
#define XC_TOOLS_Y4M_FILM_H

#include "tool.h"

/* Writes the header of a film of pictures like this one. Unlike the original, which always says 24:1, it has the rate
 * that the IVF file has. */
void xc_tool_y4m_film_begin(struct xc_tool_output *output, const struct xc_picture *picture,
                            const struct xc_ivf_header *ivf);

#endif
