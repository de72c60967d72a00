/* SPDX-License-Identifier: BSD-2-Clause */
/* Which levels a macroblock gets, once its prediction is settled. */
#ifndef XC_ENCODE_RESIDUE_CODER_H
#define XC_ENCODE_RESIDUE_CODER_H

#include "bitstream/tokens.h"
#include "recon/recon.h"
#include "encode/token_cost.h"

/* What is the same for all macroblocks of a frame. */
struct xc_residue_coder {
    const struct xc_recon *recon;
    const struct xc_picture *source;
    struct xc_token_costs costs;
    int64_t lambda[XC_SEGMENTS];   /* what 1/256 bit is worth, in squared samples times 256, before it is weighed */
    const uint16_t *lambda_weight; /* of each macroblock (masking.h) */
};

void xc_residue_coder_fill(struct xc_residue_coder *coder, const struct xc_recon *recon,
                           const struct xc_picture *source, const struct xc_probabilities *probabilities,
                           const uint16_t *lambda_weight);

/* What 1/256 bit of this macroblock is worth, in squared samples times 256. */
int64_t xc_residue_lambda(const struct xc_residue_coder *coder, const struct xc_macroblock *mb, unsigned row,
                          unsigned column);

/* What a macroblock would cost, predicted as it says: its squared error and the bits of its levels, as lambda weighs
 * them, in squared samples times 256. mb->tokens and mb->skip follow. The recon's picture at the macroblock is used as
 * scratch. Parameters as of xc_code_macroblock, whose contexts stay as they are. */
int64_t xc_cost_macroblock(const struct xc_residue_coder *coder, struct xc_macroblock *mb, unsigned row,
                           unsigned column, struct xc_token_context above, struct xc_token_context left,
                           const int16_t *const old[XC_BLOCKS]);

/* Predicts a macroblock into the recon, finds the levels of its residue, and adds it. The levels go to *levels, in
 * coding order and without gaps, at most XC_BLOCKS of them, whose number is returned; mb->tokens and mb->skip follow.
 * above and left are the contexts around, and after, it. old: the macroblock's former levels by block, NULL for blocks
 * that had none; they are worth a try. */
size_t xc_code_macroblock(const struct xc_residue_coder *coder, struct xc_macroblock *mb, xc_block *levels,
                          unsigned row, unsigned column, struct xc_token_context *above, struct xc_token_context *left,
                          const int16_t *const old[XC_BLOCKS]);

#endif
