/* SPDX-License-Identifier: BSD-2-Clause */
/* Quantization by rate and distortion: of all ways to code a block, the one with the least sum of squared error plus
 * what its bits are worth. */
#ifndef XC_ENCODE_TRELLIS_H
#define XC_ENCODE_TRELLIS_H

#include "dsp/dsp.h"
#include "encode/token_cost.h"
#include "excamera/frame.h"

struct xc_trellis {
    const struct xc_dsp *dsp;
    const struct xc_token_costs *costs;
    int type;          /* of the block, the first index of the costs */
    int first;         /* first coefficient in zigzag order: 1 if Y2 has the DC */
    int16_t factor[2]; /* quantizer of the first coefficient, of the others */
    int64_t lambda;    /* what 1/256 bit is worth, in squared coefficient units times 256 */
};

struct xc_block_choice {
    int tokens;        /* one past the last level in zigzag order, 0 if there is none */
    int64_t cost;      /* of these levels, error and bits, as lambda weighs them */
    int64_t zero_cost; /* the error alone, were there none */
};

/* Chooses levels for these coefficients (raster order, as dsp.fdct makes them); if there are none, levels is left
 * alone. context: of the neighbours, 0 to 2. hint: levels that are worth a try besides the nearest ones, or NULL. */
struct xc_block_choice xc_trellis_block(const struct xc_trellis *trellis, int16_t levels[16],
                                        const int16_t coefficients[16], int context, const int16_t *hint);

#endif
