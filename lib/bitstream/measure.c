/* SPDX-License-Identifier: BSD-2-Clause */
/* What a frame's bits are spent on: the walk that writes them, adding up what each would cost. */
#include <stdlib.h>

#include "bitstream/frame.h"
#include "bitstream/header.h"
#include "bitstream/modes.h"
#include "bitstream/tokens.h"
#include "excamera/bits.h"

static void measure_header(struct xc_bits *bits, const struct xc_frame *frame)
{
    struct xc_frame_header header = frame->header; /* the walk stores what it has measured */
    xc_header_code((struct xc_coder){ .coding = XC_MEASURE, .bits = bits, .kind = XC_BITS_HEADER }, &header);
    const unsigned start = header.key_frame ? XC_KEY_FRAME_START_SIZE : XC_FRAME_TAG_SIZE;
    const unsigned sizes = 3 * ((1u << header.log2_token_partitions) - 1);
    bits->of[XC_BITS_HEADER] += (uint64_t)(start + sizes) * 8 * XC_BITS_ONE;
}

static void add(struct xc_bits *sum, const struct xc_bits *bits)
{
    for (int i = 0; i < XC_BIT_KINDS; i++) {
        sum->of[i] += bits->of[i];
    }
}

enum xc_status xc_frame_measure(const struct xc_frame *frame, struct xc_bits *bits, struct xc_bits *macroblocks,
                                struct xc_error *err)
{
    *bits = (struct xc_bits){ { 0 } };
    enum xc_status status = xc_frame_check_complete(frame, err);
    if (status) {
        return status;
    }
    struct xc_token_context *above = calloc(frame->mb_cols, sizeof *above);
    if (!above) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a row of contexts");
    }
    measure_header(bits, frame);
    for (unsigned row = 0; !status && row < frame->mb_rows; row++) {
        struct xc_token_context left = { 0 };
        for (unsigned column = 0; !status && column < frame->mb_cols; column++) {
            const size_t index = (size_t)row * frame->mb_cols + column;
            const struct xc_macroblock *mb = &frame->macroblocks[index];
            struct xc_bits own = { { 0 } };
            if (!xc_modes_measure(&own, frame, row, column)) {
                status = xc_fail(err, XC_ERR_ARGUMENT, XC_MODES_UNCODABLE);
                break;
            }
            xc_tokens_measure(&own, &frame->header, mb, (const xc_block *)frame->coefficients + mb->coefficients,
                              &above[column], &left);
            add(bits, &own);
            if (macroblocks) {
                macroblocks[index] = own;
            }
        }
    }
    free(above);
    return status;
}
