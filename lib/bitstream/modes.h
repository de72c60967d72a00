/* SPDX-License-Identifier: BSD-2-Clause */
/* The modes and motion vectors of each macroblock, in both directions; RFC 6386 sections 10, 11, 16 and 17. */
#ifndef XC_BITSTREAM_MODES_H
#define XC_BITSTREAM_MODES_H

#include "bitstream/coder.h"

/* Walk a row of macroblocks' modes. When reading, macroblocks[].segment must hold the segment map in force before the
 * frame. Reading stops and returns false at a vector that points too far away. So do writing and counting, and at a
 * vector that is too far from its prediction or does not fit its mode, and wherever else a macroblock is not one that
 * could be read. */
typedef bool xc_modes_read_fn(struct xc_bool_reader *reader, struct xc_frame *frame, unsigned row);
bool xc_modes_write(struct xc_bool_writer *writer, const struct xc_frame *frame, unsigned row);
bool xc_modes_count(struct xc_branch_counts *counts, const struct xc_frame *frame, unsigned row);
/* The same for one macroblock. */
bool xc_modes_measure(struct xc_bits *bits, const struct xc_frame *frame, unsigned row, unsigned column);
/* What one component of a vector costs as its difference from what predicts it, -XC_MV_MAX to XC_MV_MAX, in units of
 * xc_cost. component: 0 row, 1 column. */
unsigned xc_vector_cost(const struct xc_frame_header *header, int component, int difference);
/* The version that reads on a machine with these bits of enum xc_cpu. */
xc_modes_read_fn *xc_modes_reader(unsigned cpu_features);
/* What false means. */
#define XC_MODES_UNCODABLE "a macroblock contradicts its frame or itself, or a motion vector is out of range"

#endif
