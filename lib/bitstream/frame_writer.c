/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame's bits from its parsed value. */
#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "bitstream/bytes.h"
#include "bitstream/frame.h"
#include "bitstream/frame_reader.h"
#include "bitstream/header.h"
#include "bitstream/modes.h"

enum {
    MAX_FIRST_PARTITION = (1 << 19) - 1,
    MAX_PARTITION = (1 << 24) - 1
}; /* section 9.1, 9.5: as wide as their fields */

/* What is not sent must be what the decoder already has. */
static bool probabilities_follow(const struct xc_frame_header *h, const struct xc_probabilities *before)
{
    struct xc_probabilities sent = *before;
    for (int i = 0; i < 4 * 8 * 3; i++) {
        const uint16_t mask = (&h->coefficient_sent[0][0][0])[i];
        for (int l = 0; l < 11; l++) {
            if (mask >> l & 1) {
                (&sent.coefficient[0][0][0][0])[i * 11 + l] = (&h->probabilities.coefficient[0][0][0][0])[i * 11 + l];
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 19; j++) {
            if (h->mv_sent[i] >> j & 1) {
                sent.mv[i][j] = h->probabilities.mv[i][j];
            }
        }
    }
    if (h->y_modes_sent) {
        memcpy(sent.y_mode, h->probabilities.y_mode, sizeof sent.y_mode);
    }
    if (h->uv_modes_sent) {
        memcpy(sent.uv_mode, h->probabilities.uv_mode, sizeof sent.uv_mode);
    }
    return memcmp(&sent, &h->probabilities, sizeof sent) == 0;
}

/* Header and modes, after room for the bytes that tell their size. */
static enum xc_status write_first_partition(struct xc_bytes *bytes, const struct xc_frame *frame, struct xc_error *err)
{
    struct xc_bool_writer writer;
    struct xc_frame_header header = frame->header; /* the walk stores what it has written */
    size_t start = header.key_frame ? XC_KEY_FRAME_START_SIZE : XC_FRAME_TAG_SIZE;
    if (!xc_bytes_reserve(bytes, start)) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a frame");
    }
    bytes->size = start;
    xc_bool_writer_start(&writer, bytes);
    xc_header_code((struct xc_coder){ .coding = XC_WRITE, .writer = &writer }, &header);
    for (unsigned row = 0; row < frame->mb_rows; row++) {
        if (!xc_modes_write(&writer, frame, row)) {
            return xc_fail(err, XC_ERR_ARGUMENT, XC_MODES_UNCODABLE);
        }
    }
    size_t size = xc_bool_writer_finish(&writer);
    if (writer.failed) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a frame");
    }
    if (size > MAX_FIRST_PARTITION) {
        return xc_fail(err, XC_ERR_UNSUPPORTED, "the first partition would need %zu bytes; VP8 has room for %d", size,
                       MAX_FIRST_PARTITION);
    }
    xc_frame_start_write(bytes->data, &header, (uint32_t)size);
    return XC_OK;
}

static void write_tokens(struct xc_bool_writer *writers, const struct xc_frame *frame, struct xc_token_context *above)
{
    unsigned mask = (1u << frame->header.log2_token_partitions) - 1;
    const struct xc_macroblock *mb = frame->macroblocks;
    for (unsigned row = 0; row < frame->mb_rows; row++) {
        struct xc_token_context left = { 0 };
        for (unsigned column = 0; column < frame->mb_cols; column++, mb++) {
            xc_tokens_write(&writers[row & mask], &frame->header, mb,
                            (const xc_block *)frame->coefficients + mb->coefficients, &above[column], &left);
        }
    }
}

/* Partition sizes, then the partitions. */
static enum xc_status append_partitions(struct xc_bytes *bytes, const struct xc_bytes *partitions, unsigned count,
                                        struct xc_error *err)
{
    for (unsigned i = 0; i + 1 < count; i++) {
        size_t size = partitions[i].size;
        if (size > MAX_PARTITION) {
            return xc_fail(err, XC_ERR_UNSUPPORTED, "token partition %u would need %zu bytes; VP8 has room for %d", i,
                           size, MAX_PARTITION);
        }
        if (!xc_bytes_reserve(bytes, 3)) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for a frame");
        }
        xc_put_le(bytes->data + bytes->size, 3, size);
        bytes->size += 3;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!xc_bytes_reserve(bytes, partitions[i].size)) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for a frame");
        }
        memcpy(bytes->data + bytes->size, partitions[i].data, partitions[i].size);
        bytes->size += partitions[i].size;
    }
    return XC_OK;
}

static enum xc_status write_partitions(struct xc_bytes *bytes, const struct xc_frame *frame, struct xc_error *err)
{
    unsigned count = 1u << frame->header.log2_token_partitions;
    struct xc_bool_writer writers[XC_MAX_PARTITIONS];
    struct xc_bytes partitions[XC_MAX_PARTITIONS] = { 0 };
    struct xc_token_context *above = calloc(frame->mb_cols, sizeof *above);
    if (!above) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a row of contexts");
    }
    for (unsigned i = 0; i < count; i++) {
        xc_bool_writer_start(&writers[i], &partitions[i]);
    }
    write_tokens(writers, frame, above);
    free(above);
    bool failed = false;
    for (unsigned i = 0; i < count; i++) {
        xc_bool_writer_finish(&writers[i]);
        failed |= writers[i].failed;
    }
    enum xc_status status = failed ? xc_fail(err, XC_ERR_MEMORY, "out of memory for a frame")
                                   : append_partitions(bytes, partitions, count, err);
    for (unsigned i = 0; i < count; i++) {
        xc_bytes_clear(&partitions[i]);
    }
    return status;
}

enum xc_status xc_frame_serialize(struct xc_bytes *bytes, const struct xc_frame *frame, const struct xc_state *state,
                                  struct xc_error *err)
{
    bytes->size = 0;
    enum xc_status status = xc_frame_check_complete(frame, err);
    if (status) {
        return status;
    }
    if (!probabilities_follow(&frame->header, xc_probabilities_before(&frame->header, state))) {
        return xc_fail(err, XC_ERR_ARGUMENT, "the frame relies on probabilities that neither it nor the state has");
    }
    if ((status = write_first_partition(bytes, frame, err)) || (status = write_partitions(bytes, frame, err))) {
        bytes->size = 0;
    }
    return status;
}
