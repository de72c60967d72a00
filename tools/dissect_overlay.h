/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame's modes, vectors, segments and bits, drawn on its picture. */
#ifndef XC_TOOLS_DISSECT_OVERLAY_H
#define XC_TOOLS_DISSECT_OVERLAY_H

#include "dissect_frame.h"

/* Writes a PNG of the picture that the frame decodes to, scaled so that it is seen what each block is. */
void dissect_draw(FILE *out, const char *name, const struct dissect_frame *frame, const struct xc_picture *picture);

#endif
