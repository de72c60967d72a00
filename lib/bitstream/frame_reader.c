/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/frame_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "bitstream/frame_memory.h"
#include "bitstream/header.h"

/* Section 9.5: the sizes of all token partitions but the last stand before them. As in libvpx (setup_token_decoder in
 * its vp8/decoder/decodeframe.c), partitions may be missing at the end: where no bytes are left, a size means nothing
 * and the partition is empty. That does no harm unless a row of macroblocks reads from it, which xc_frame_reader_end
 * notices. */
static enum xc_status find_partitions(struct xc_frame_reader *r, const uint8_t *data, size_t size, struct xc_error *err)
{
    const unsigned count = r->partitions;
    size_t sizes = 3 * (count - 1);
    if (size < sizes) {
        return xc_fail(err, XC_ERR_FORMAT, "the frame ends inside its partition sizes");
    }
    const uint8_t *next = data + sizes, *end = data + size;
    for (unsigned i = 0; i < count; i++) {
        size_t left = (size_t)(end - next);
        size_t length = left && i + 1 < count ? (size_t)xc_get_le(data + 3 * (size_t)i, 3) : left;
        if (length > left) {
            return xc_fail(err, XC_ERR_FORMAT, "token partition %u has %zu bytes, but %zu are left", i, length, left);
        }
        if (left && !length) {
            return xc_fail(err, XC_ERR_FORMAT, "token partition %u is empty, but %zu bytes follow it", i, left);
        }
        xc_bool_reader_start(&r->partition[i], next, length);
        next += length;
    }
    return XC_OK;
}

enum xc_status xc_frame_reader_begin(struct xc_frame_reader *r, struct xc_frame *frame, const struct xc_state *state,
                                     const uint8_t *data, size_t size, unsigned cpu_features, struct xc_error *err)
{
    struct xc_frame_header *h = &frame->header;
    *r = (struct xc_frame_reader){ 0 };
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

    /* The first partition's size says where the next one begins. As in libvpx, its last symbols may come from there. */
    xc_bool_reader_start(&r->first, data + start, size - start);
    h->probabilities = *xc_probabilities_before(h, state);
    h->segment_tree[0] = h->segment_tree[1] = h->segment_tree[2] = 255;
    xc_header_code((struct xc_coder){ .coding = XC_READ, .reader = &r->first }, h);
    if (h->copy_to_golden == 3 || h->copy_to_altref == 3) {
        return xc_fail(err, XC_ERR_FORMAT, "a reference is to be copied from nowhere");
    }
    r->partitions = 1u << h->log2_token_partitions;
    if ((status = find_partitions(r, data + start + first_size, size - start - first_size, err)) ||
        (status = xc_frame_prepare(frame, state, err))) {
        return status;
    }
    r->segment_map = h->key_frame ? NULL : state->segment_map;
    r->read_modes = xc_modes_reader(cpu_features);
    r->read_tokens = xc_tokens_reader(cpu_features);
    r->partitions_read = r->partitions < frame->mb_rows ? r->partitions : frame->mb_rows;
    r->above = calloc(frame->mb_cols, sizeof *r->above);
    return r->above ? XC_OK : xc_fail(err, XC_ERR_MEMORY, "out of memory for a row of contexts");
}

void xc_frame_reader_modes(struct xc_frame_reader *r, struct xc_frame *frame, unsigned row)
{
    const size_t first = (size_t)row * frame->mb_cols;
    for (unsigned column = 0; column < frame->mb_cols; column++) {
        frame->macroblocks[first + column].segment = r->segment_map ? r->segment_map[first + column] : 0;
    }
    r->mv_too_far |= !r->read_modes(&r->first, frame, row);
}

size_t xc_frame_reader_tokens(struct xc_frame_reader *r, struct xc_frame *frame, unsigned row, xc_block *levels,
                              size_t first)
{
    struct xc_bool_reader *bits = &r->partition[row & (r->partitions - 1)];
    struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols];
    struct xc_token_context left = { 0 };
    xc_block *next = levels + first;
    memset(next, 0, sizeof *next);
    for (unsigned column = 0; column < frame->mb_cols; column++, mb++) {
        mb->coefficients = (uint32_t)(next - levels);
        next = r->read_tokens(bits, &frame->header.probabilities, mb, next, &r->above[column], &left);
    }
    return (size_t)(next - levels);
}

enum xc_status xc_frame_reader_end(struct xc_frame_reader *r, struct xc_error *err)
{
    free(r->above);
    r->above = NULL;
    bool overrun = xc_bool_reader_overrun(&r->first);
    for (unsigned i = 0; i < r->partitions_read; i++) {
        overrun |= xc_bool_reader_overrun(&r->partition[i]);
    }
    if (r->mv_too_far) {
        return xc_fail(err, XC_ERR_FORMAT, "a motion vector points 4096 samples away or farther");
    }
    return overrun ? xc_fail(err, XC_ERR_FORMAT, "a partition ends before its symbols do") : XC_OK;
}
