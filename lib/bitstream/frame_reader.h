/* Parsing a frame step by step, for a decoder that wants the coefficients row by row and keeps no more than one row of them. */
#ifndef XC_BITSTREAM_FRAME_READER_H
#define XC_BITSTREAM_FRAME_READER_H

#include "bitstream/tokens.h"

enum { XC_MAX_PARTITIONS = 8 };

struct xc_frame_reader {
    struct xc_frame *frame;
    struct xc_bool_reader first, partition[XC_MAX_PARTITIONS];
    struct xc_token_context *above; /* owned; one per column */
};

/* Makes room for this many macroblocks, whose old values are lost if there was not enough, and blocks, whose values are kept. */
enum xc_status xc_frame_reserve(struct xc_frame *frame, size_t macroblocks, size_t blocks, struct xc_error *err);

/* Parses header and modes into *frame. On failure there is nothing to end. */
enum xc_status xc_frame_reader_begin(struct xc_frame_reader *reader, struct xc_frame *frame, const struct xc_state *state,
                                     const uint8_t *data, size_t size, struct xc_error *err);

/* Appends the coefficients of a row of macroblocks, in order; the caller may set frame->coefficient_count to 0 between rows. */
enum xc_status xc_frame_reader_row(struct xc_frame_reader *reader, unsigned row, struct xc_error *err);

/* Gives back what the reader owns and tells whether the data sufficed. */
enum xc_status xc_frame_reader_end(struct xc_frame_reader *reader, struct xc_error *err);

#endif
