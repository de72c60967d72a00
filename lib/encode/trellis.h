/* Quantization by rate and distortion: of all ways to code a block, the one with the least sum of squared error plus what its
 * bits are worth. */
#ifndef XC_ENCODE_TRELLIS_H
#define XC_ENCODE_TRELLIS_H

#include "encode/token_cost.h"
#include "excamera/frame.h"

struct xc_trellis {
    const struct xc_token_costs *costs;
    int type;                   /* of the block, the first index of the costs */
    int first;                  /* first coefficient in zigzag order: 1 if Y2 has the DC */
    int16_t factor[2];          /* quantizer of the first coefficient, of the others */
    int64_t lambda;             /* what 1/256 bit is worth, in squared coefficient units times 256 */
};

/* Chooses levels for these coefficients (raster order, as dsp.fdct makes them). context: of the neighbours, 0 to 2. hint: levels
 * that are worth a try besides the nearest ones, or NULL. Returns the tokens (one past the last level, 0 if none) and adds what
 * the choice costs, as lambda weighs it, to *cost. */
int xc_trellis_block(const struct xc_trellis *trellis, int16_t levels[16], const int16_t coefficients[16], int context,
                     const int16_t *hint, int64_t *cost);

/* The same cost for given levels. */
int64_t xc_block_cost(const struct xc_trellis *trellis, const int16_t levels[16], int tokens, const int16_t coefficients[16],
                      int context);

#endif
