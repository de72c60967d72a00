#include "bitstream/frame.h"

#include <stdlib.h>

#include "bitstream/frame_reader.h"
#include "bitstream/header.h"

enum xc_status xc_frame_reserve(struct xc_frame *frame, size_t macroblocks, size_t blocks, struct xc_error *err)
{
    if (frame->macroblock_capacity < macroblocks) {
        free(frame->macroblocks);
        frame->macroblock_capacity = 0;
        frame->macroblocks = calloc(macroblocks, sizeof *frame->macroblocks);
        if (!frame->macroblocks) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for %zu macroblocks", macroblocks);
        }
        frame->macroblock_capacity = macroblocks;
    }
    if (frame->coefficient_capacity < blocks) {
        size_t capacity = blocks + frame->coefficient_capacity / 2;
        xc_block *grown = realloc(frame->coefficients, capacity * sizeof *grown);
        if (!grown) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for %zu blocks of coefficients", capacity);
        }
        frame->coefficients = grown;
        frame->coefficient_capacity = capacity;
    }
    return XC_OK;
}

enum xc_status xc_frame_prepare(struct xc_frame *frame, const struct xc_state *state, struct xc_error *err)
{
    const struct xc_frame_header *h = &frame->header;
    unsigned width = h->key_frame ? h->width : state->width, height = h->key_frame ? h->height : state->height;
    const unsigned mb_cols = (width + 15) / 16, mb_rows = (height + 15) / 16;
    const size_t count = (size_t)mb_cols * mb_rows;
    enum xc_status status = xc_frame_reserve(frame, count, 0, err);
    if (status) {
        return status;
    }
    frame->mb_cols = (uint16_t)mb_cols;
    frame->mb_rows = (uint16_t)mb_rows;
    for (size_t i = 0; i < count; i++) {
        frame->macroblocks[i].segment = h->key_frame ? 0 : state->segment_map[i];
    }
    frame->coefficient_count = 0;
    return XC_OK;
}

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
