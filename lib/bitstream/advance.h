/* SPDX-License-Identifier: BSD-2-Clause */
/* What a frame does to the state, the pictures apart and together. */
#ifndef XC_BITSTREAM_ADVANCE_H
#define XC_BITSTREAM_ADVANCE_H

#include "excamera/frame.h"

/* Segment data and loop filter deltas in force for a frame: the state's, as changed by the header; RFC 6386
 * sections 9.3, 9.4. A key frame starts from zeros. */
struct xc_segment_data xc_segment_data_for(const struct xc_frame_header *header, const struct xc_state *state);
struct xc_filter_deltas xc_filter_deltas_for(const struct xc_frame_header *header, const struct xc_state *state);

/* Applies the pictures: picture is what the frame decodes to. xc_state_follow_header (excamera/frame.h) does the
 * rest. */
void xc_state_follow_picture(struct xc_state *state, const struct xc_frame_header *header, struct xc_picture *picture);

#endif
