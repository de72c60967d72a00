/* SPDX-License-Identifier: BSD-2-Clause */
/* How strong the loop filter is, settled once for a frame; RFC 6386 sections 9.4 and 15. */
#ifndef XC_RECON_FILTER_PLAN_H
#define XC_RECON_FILTER_PLAN_H

#include "dsp/dsp.h"
#include "excamera/frame.h"

/* The classes that struct xc_filter_deltas.mode distinguishes, in its order. Intra modes other than B_PRED have no
 * delta. They count as XC_FILTER_ZERO, which an intra macroblock cannot be. */
enum xc_filter_class { XC_FILTER_B_PRED, XC_FILTER_ZERO, XC_FILTER_MV, XC_FILTER_SPLIT, XC_FILTER_CLASSES };

struct xc_filter_plan {
    bool enabled, simple;
    uint8_t level[XC_SEGMENTS][XC_REF_FRAMES][XC_FILTER_CLASSES];
    struct xc_filter_limits mb[XC_FILTER_LEVELS], inner[XC_FILTER_LEVELS]; /* for edges between macroblocks, in them */
};

/* data, deltas: those in force for the frame (bitstream/advance.h). */
void xc_filter_plan_fill(struct xc_filter_plan *plan, const struct xc_frame_header *header,
                         const struct xc_segment_data *data, const struct xc_filter_deltas *deltas);

#endif
