/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame header in both directions; RFC 6386 section 9, in the order of section 19.2. */
#ifndef XC_BITSTREAM_HEADER_H
#define XC_BITSTREAM_HEADER_H

#include "bitstream/coder.h"

/* The bytes before the first partition (section 9.1). */
enum { XC_FRAME_TAG_SIZE = 3, XC_KEY_FRAME_START_SIZE = 10 };

/* Reads them; *first_partition becomes the size of the first partition. */
enum xc_status xc_frame_start_read(struct xc_frame_header *header, uint32_t *first_partition, const uint8_t *data,
                                   size_t size, struct xc_error *err);
/* Writes them, 3 or 10 bytes, into start, and returns how many. */
size_t xc_frame_start_write(uint8_t start[XC_KEY_FRAME_START_SIZE], const struct xc_frame_header *header,
                            uint32_t first_partition);

/* Walks the header at the start of the first partition. When reading, header->probabilities must hold those in force
 * before the frame (xc_probabilities_before). */
void xc_header_code(struct xc_coder c, struct xc_frame_header *header);

/* The probabilities in force when the frame begins: the state's, or the defaults for a key frame. */
const struct xc_probabilities *xc_probabilities_before(const struct xc_frame_header *header,
                                                       const struct xc_state *state);

#endif
