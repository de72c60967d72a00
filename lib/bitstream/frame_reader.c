#include "bitstream/frame_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "bitstream/header.h"
#include "bitstream/modes.h"

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
    frame->mb_cols = (uint16_t)((width + 15) / 16);
    frame->mb_rows = (uint16_t)((height + 15) / 16);
    size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    enum xc_status status = xc_frame_reserve(frame, count, 0, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        frame->macroblocks[i].segment = h->key_frame ? 0 : state->segment_map[i];
    }
    frame->coefficient_count = 0;
    return XC_OK;
}

/* Section 9.5: the sizes of all token partitions but the last stand before them. */
static enum xc_status find_partitions(struct xc_frame_reader *r, const uint8_t *data, size_t size, struct xc_error *err)
{
    unsigned count = 1u << r->frame->header.log2_token_partitions;
    size_t sizes = 3 * (count - 1);
    if (size < sizes) {
        return xc_fail(err, XC_ERR_FORMAT, "the frame ends inside its partition sizes");
    }
    const uint8_t *next = data + sizes, *end = data + size;
    for (unsigned i = 0; i < count; i++) {
        size_t left = (size_t)(end - next);
        size_t length = i + 1 < count ? (size_t)xc_get_le(data + 3 * (size_t)i, 3) : left;
        if (length > left) {
            return xc_fail(err, XC_ERR_FORMAT, "token partition %u has %zu bytes, but %zu are left", i, length, left);
        }
        xc_bool_start(&r->partition[i], next, length);
        next += length;
    }
    return XC_OK;
}

enum xc_status xc_frame_reader_begin(struct xc_frame_reader *r, struct xc_frame *frame, const struct xc_state *state,
                                     const uint8_t *data, size_t size, struct xc_error *err)
{
    struct xc_frame_header *h = &frame->header;
    if (frame->opened) {
        xc_frame_reader_end(frame->reader, NULL); /* nobody wanted the rest */
    }
    *r = (struct xc_frame_reader){ .frame = frame };
    *h = (struct xc_frame_header){ 0 };
    uint32_t first_size;
    enum xc_status status = xc_frame_start_read(h, &first_size, data, size, err);
    if (status) {
        return status;
    }
    if (!h->key_frame && state->width == 0) {
        return xc_fail(err, XC_ERR_FORMAT, "an interframe without a key frame before it");
    }
    size_t start = h->key_frame ? XC_KEY_FRAME_START_SIZE : XC_FRAME_TAG_SIZE;
    if (first_size > size - start) {
        return xc_fail(err, XC_ERR_FORMAT, "the first partition has %u bytes, but %zu are left", first_size,
                       size - start);
    }

    xc_bool_start(&r->first, data + start, first_size);
    h->probabilities = *xc_probabilities_before(h, state);
    h->segment_tree[0] = h->segment_tree[1] = h->segment_tree[2] = 255;
    xc_header_code((struct xc_coder){ .coding = XC_READ, .reader = &r->first }, h);
    if (h->copy_to_golden == 3 || h->copy_to_altref == 3) {
        return xc_fail(err, XC_ERR_FORMAT, "a reference is to be copied from nowhere");
    }
    if ((status = find_partitions(r, data + start + first_size, size - start - first_size, err)) ||
        (status = xc_frame_prepare(frame, state, err))) {
        return status;
    }
    r->above = calloc(frame->mb_cols, sizeof *r->above);
    return r->above ? XC_OK : xc_fail(err, XC_ERR_MEMORY, "out of memory for a row of contexts");
}

void xc_frame_reader_modes(struct xc_frame_reader *r, unsigned row)
{
    r->mv_too_far |= !xc_modes_read(&r->first, r->frame, row);
}

size_t xc_frame_reader_tokens(struct xc_frame_reader *r, unsigned row, xc_block *levels, size_t first)
{
    const struct xc_frame *frame = r->frame;
    struct xc_bool_reader *bits = &r->partition[row & ((1u << frame->header.log2_token_partitions) - 1)];
    struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols];
    struct xc_token_context left = { 0 };
    xc_block *next = levels + first;
    memset(next, 0, sizeof *next);
    for (unsigned column = 0; column < frame->mb_cols; column++, mb++) {
        mb->coefficients = (uint32_t)(next - levels);
        next = xc_tokens_read(bits, &frame->header.probabilities, mb, next, &r->above[column], &left);
    }
    return (size_t)(next - levels);
}

enum xc_status xc_frame_reader_end(struct xc_frame_reader *r, struct xc_error *err)
{
    free(r->above);
    r->above = NULL;
    r->frame->opened = false;
    bool overrun = xc_bool_overrun(&r->first);
    for (unsigned i = 0; i < 1u << r->frame->header.log2_token_partitions; i++) {
        overrun |= xc_bool_overrun(&r->partition[i]);
    }
    if (r->mv_too_far) {
        return xc_fail(err, XC_ERR_FORMAT, "a motion vector points 4096 samples away or farther");
    }
    return overrun ? xc_fail(err, XC_ERR_FORMAT, "a partition ends before its symbols do") : XC_OK;
}

enum xc_status xc_frame_open(struct xc_frame *frame, const struct xc_state *state, const uint8_t *data, size_t size,
                             struct xc_error *err)
{
    if (!frame->reader && !(frame->reader = malloc(sizeof *frame->reader))) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for reading a frame");
    }
    enum xc_status status = xc_frame_reader_begin(frame->reader, frame, state, data, size, err);
    if (status) {
        return status;
    }
    for (unsigned row = 0; row < frame->mb_rows; row++) {
        xc_frame_reader_modes(frame->reader, row);
    }
    frame->opened = true;
    return frame->reader->mv_too_far ? xc_frame_reader_end(frame->reader, err) : XC_OK;
}

enum xc_status xc_frame_complete(struct xc_frame *frame, struct xc_error *err)
{
    enum xc_status status = XC_OK;
    if (!frame->opened) {
        return XC_OK;
    }
    for (unsigned row = 0; !status && row < frame->mb_rows; row++) {
        status = xc_frame_reserve(frame, 0, frame->coefficient_count + xc_frame_row_blocks(frame), err);
        if (!status) {
            frame->coefficient_count =
                xc_frame_reader_tokens(frame->reader, row, frame->coefficients, frame->coefficient_count);
        }
    }
    enum xc_status end = xc_frame_reader_end(frame->reader, status ? NULL : err);
    return status ? status : end;
}

enum xc_status xc_frame_parse(struct xc_frame *frame, const struct xc_state *state, const uint8_t *data, size_t size,
                              struct xc_error *err)
{
    enum xc_status status = xc_frame_open(frame, state, data, size, err);
    return status ? status : xc_frame_complete(frame, err);
}

void xc_frame_clear(struct xc_frame *frame)
{
    if (frame->opened) {
        xc_frame_reader_end(frame->reader, NULL);
    }
    free(frame->reader);
    free(frame->macroblocks);
    free(frame->coefficients);
    *frame = XC_FRAME_INIT;
}

bool xc_data_is_key_frame(const uint8_t *data, size_t size)
{
    return size >= XC_FRAME_TAG_SIZE && !(data[0] & 1);
}

bool xc_data_is_shown(const uint8_t *data, size_t size)
{
    return size >= XC_FRAME_TAG_SIZE && (data[0] >> 4 & 1);
}
