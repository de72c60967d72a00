/* The modes and motion vectors of each macroblock, in both directions; RFC 6386 sections 10, 11, 16 and 17. */
#ifndef XC_BITSTREAM_MODES_H
#define XC_BITSTREAM_MODES_H

#include "bitstream/coder.h"

/* Walk a row of macroblocks' modes. When reading, macroblocks[].segment must hold the segment map in force before the
 * frame. Writing and counting return false if a vector is too far from its prediction to be coded, or a mode does not
 * fit its vector; they leave the frame as it is. */
void xc_modes_read(struct xc_bool_reader *reader, struct xc_frame *frame, unsigned row);
bool xc_modes_write(struct xc_bool_writer *writer, struct xc_frame *frame, unsigned row);
bool xc_modes_count(struct xc_branch_counts *counts, struct xc_frame *frame, unsigned row);
#define XC_MODES_UNCODABLE "a motion vector does not fit its mode or is out of range" /* what false means */

#endif
