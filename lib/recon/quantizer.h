/* SPDX-License-Identifier: BSD-2-Clause */
/* Quantizer indices and the factors that they stand for; RFC 6386 sections 9.6 and 14.1. */
#ifndef XC_RECON_QUANTIZER_H
#define XC_RECON_QUANTIZER_H

#include "excamera/frame.h"

/* What levels are multiplied by: [0] the first coefficient, [1] the others. */
struct xc_quantizer {
    uint8_t index;
    int16_t y1[2], y2[2], uv[2];
};

/* The quantizers of all segments; without segmentation, four times the same. */
void xc_quantizers_fill(struct xc_quantizer out[XC_SEGMENTS], const struct xc_frame_header *header,
                        const struct xc_segment_data *data);

#endif
