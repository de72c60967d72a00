/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/frame.h"

#include <stdlib.h>

#include "bitstream/frame_memory.h"
#include "bitstream/frame_reader.h"
#include "excamera/cpu.h"
#include "bitstream/header.h"

void xc_frame_make_empty(struct xc_frame *frame)
{
    if (frame->opened) {
        xc_frame_reader_end(frame->reader, NULL);
    }
    frame->opened = false;
    frame->header = (struct xc_frame_header){ 0 };
    frame->mb_cols = frame->mb_rows = 0;
    frame->coefficient_count = 0;
}

void xc_frame_clear(struct xc_frame *frame)
{
    xc_frame_make_empty(frame);
    free(frame->reader);
    free(frame->macroblocks);
    free(frame->coefficients);
    *frame = (struct xc_frame)XC_FRAME_INIT;
}

/* Ends the reading of an opened frame, of which nothing is left where it made no sense. */
static enum xc_status close_frame(struct xc_frame *frame, struct xc_error *err)
{
    frame->opened = false;
    enum xc_status status = xc_frame_reader_end(frame->reader, err);
    if (status) {
        xc_frame_make_empty(frame);
    }
    return status;
}

enum xc_status xc_frame_open(struct xc_frame *frame, const struct xc_state *state, const uint8_t *data, size_t size,
                             struct xc_error *err)
{
    xc_frame_make_empty(frame);
    if (!frame->reader && !(frame->reader = malloc(sizeof *frame->reader))) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for reading a frame");
    }
    enum xc_status status = xc_frame_reader_begin(frame->reader, frame, state, data, size, xc_cpu_features(), err);
    if (status) {
        xc_frame_make_empty(frame);
        return status;
    }
    for (unsigned row = 0; row < frame->mb_rows; row++) {
        xc_frame_reader_modes(frame->reader, frame, row);
    }
    frame->opened = true;
    return frame->reader->mv_too_far ? close_frame(frame, err) : XC_OK;
}

enum xc_status xc_frame_complete(struct xc_frame *frame, struct xc_error *err)
{
    if (!frame->opened) {
        return XC_OK;
    }
    struct xc_frame_reader *r = frame->reader;
    for (; r->complete_rows < frame->mb_rows; r->complete_rows++) {
        enum xc_status status = xc_frame_reserve(frame, 0, frame->coefficient_count + xc_frame_row_blocks(frame), err);
        if (status) {
            return status;
        }
        frame->coefficient_count =
            xc_frame_reader_tokens(r, frame, r->complete_rows, frame->coefficients, frame->coefficient_count);
    }
    return close_frame(frame, err);
}

enum xc_status xc_frame_parse(struct xc_frame *frame, const struct xc_state *state, const uint8_t *data, size_t size,
                              struct xc_error *err)
{
    enum xc_status status = xc_frame_open(frame, state, data, size, err);
    if (!status && (status = xc_frame_complete(frame, err))) {
        xc_frame_make_empty(frame);
    }
    return status;
}

enum xc_status xc_frame_check_complete(const struct xc_frame *frame, struct xc_error *err)
{
    if (frame->mb_rows == 0) {
        return xc_fail(err, XC_ERR_ARGUMENT, "there is nothing in the frame");
    }
    return frame->opened ? xc_fail(err, XC_ERR_ARGUMENT, "the frame is opened only, not complete") : XC_OK;
}

enum xc_status xc_frame_check_size(const struct xc_frame *frame, const struct xc_state *state, struct xc_error *err)
{
    const unsigned mb_cols = (state->width + 15u) / 16, mb_rows = (state->height + 15u) / 16;
    if (frame->header.key_frame || (frame->mb_cols == mb_cols && frame->mb_rows == mb_rows)) {
        return XC_OK;
    }
    return xc_fail(err, XC_ERR_MISMATCH, "a frame of %ux%u macroblocks in a state of %ux%u", frame->mb_cols,
                   frame->mb_rows, mb_cols, mb_rows);
}

bool xc_data_is_key_frame(const uint8_t *data, size_t size)
{
    return size >= XC_FRAME_TAG_SIZE && !(data[0] & 1);
}

bool xc_data_is_shown(const uint8_t *data, size_t size)
{
    return size >= XC_FRAME_TAG_SIZE && (data[0] >> 4 & 1);
}
