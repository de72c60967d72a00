/* SPDX-License-Identifier: BSD-2-Clause */
/* What a frame's bits are spent on. */
#ifndef EXCAMERA_BITS_H
#define EXCAMERA_BITS_H

#include <stdint.h>

#include "excamera/error.h"
#include "excamera/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

enum xc_bit_kind {
    XC_BITS_HEADER,        /* the frame header, but for the next kind */
    XC_BITS_PROBABILITIES, /* updates of probabilities in it */
    XC_BITS_SEGMENTS,      /* which segment each macroblock is in */
    XC_BITS_SKIPS,         /* which macroblocks have no coefficients */
    XC_BITS_MODES,         /* references, prediction modes and partitionings */
    XC_BITS_VECTORS,       /* motion vectors */
    XC_BITS_Y2,            /* coefficients, from here on */
    XC_BITS_Y,
    XC_BITS_U,
    XC_BITS_V,
    XC_BIT_KINDS
};

/* In units of 1/256 bit: a symbol of the boolean coder costs log2(1 / its probability) bits. */
enum { XC_BITS_ONE = 256 };
struct xc_bits {
    uint64_t of[XC_BIT_KINDS];
};

/* Sets *bits to what a complete frame costs, and macroblocks[0 .. mb_rows x mb_cols - 1], unless macroblocks is NULL,
 * to what each of its macroblocks does. The whole is what xc_frame_serialize writes, but for some bytes: each partition
 * ends with up to three bytes that round it up, and the frame begins with 3, or 10, bytes and the sizes of all token
 * partitions but one, 3 bytes each, which are not coded and counted as header. XC_ERR_ARGUMENT: as
 * xc_frame_serialize. */
enum xc_status xc_frame_measure(const struct xc_frame *frame, struct xc_bits *bits, struct xc_bits *macroblocks,
                                struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
