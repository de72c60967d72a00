/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing a frame step by step, for a decoder that wants to keep no more than a few rows of coefficients. */
#ifndef XC_BITSTREAM_FRAME_READER_H
#define XC_BITSTREAM_FRAME_READER_H

#include "bitstream/modes.h"
#include "bitstream/tokens.h"

enum { XC_MAX_PARTITIONS = 8 };

struct xc_frame_reader {
    struct xc_bool_reader first, partition[XC_MAX_PARTITIONS];
    unsigned partitions;            /* how many of partition there are */
    unsigned partitions_read;       /* how many of these rows of macroblocks read from */
    struct xc_token_context *above; /* owned; one per column */
    const uint8_t *segment_map;     /* the state's; NULL in a key frame, which starts from all zeros */
    xc_modes_read_fn *read_modes;   /* the versions for this machine */
    xc_tokens_read_fn *read_tokens;
    bool mv_too_far;        /* so the modes are not all there */
    unsigned complete_rows; /* rows whose tokens xc_frame_complete has read */
};

/* Parses the header into *frame and sizes it. The state must stay as it is until the last row's modes are read.
 * cpu_features: bits of enum xc_cpu that may be made use of. On failure there is nothing to end. */
enum xc_status xc_frame_reader_begin(struct xc_frame_reader *reader, struct xc_frame *frame,
                                     const struct xc_state *state, const uint8_t *data, size_t size,
                                     unsigned cpu_features, struct xc_error *err);

/* How many blocks a row may need, one more than there can be: reading zeroes the next one before it knows whether there
 * is one. */
static inline size_t xc_frame_row_blocks(const struct xc_frame *frame)
{
    return (size_t)frame->mb_cols * XC_BLOCKS + 1;
}

/* Parse a row of macroblocks into *frame, which is the one that was begun or has taken over its header, size and
 * macroblocks. Rows come in order, and the modes of a row before its tokens. The levels go to levels, from the index
 * first on, where there is room for xc_frame_row_blocks; returns the index after them. */
void xc_frame_reader_modes(struct xc_frame_reader *reader, struct xc_frame *frame, unsigned row);
size_t xc_frame_reader_tokens(struct xc_frame_reader *reader, struct xc_frame *frame, unsigned row, xc_block *levels,
                              size_t first);

/* Gives back what the reader owns and tells whether the data sufficed and made sense. */
enum xc_status xc_frame_reader_end(struct xc_frame_reader *reader, struct xc_error *err);

#endif
