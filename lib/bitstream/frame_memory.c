/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/frame_memory.h"

#include <stdlib.h>

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
    enum xc_status status = xc_frame_reserve(frame, (size_t)mb_cols * mb_rows, 0, err);
    if (status) {
        return status;
    }
    frame->mb_cols = (uint16_t)mb_cols;
    frame->mb_rows = (uint16_t)mb_rows;
    frame->coefficient_count = 0;
    return XC_OK;
}
