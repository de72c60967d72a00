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
    int64_t lambda[XC_SEGMENTS]; /* what 1/256 bit is worth, in squared samples times 256 */
};

void xc_residue_coder_fill(struct xc_residue_coder *coder, const struct xc_recon *recon,
                           const struct xc_picture *source, const struct xc_probabilities *probabilities);

/* Predicts a macroblock into the recon, finds the levels of its residue, and adds it. The levels go to *levels, in
 * coding order and without gaps, at most XC_BLOCKS of them, whose number is returned; mb->tokens and mb->skip follow.
 * above and left are the contexts around, and after, it. old: the macroblock's former levels by block, NULL for blocks
 * that had none; they are worth a try. */
size_t xc_code_macroblock(const struct xc_residue_coder *coder, struct xc_macroblock *mb, xc_block *levels,
                          unsigned row, unsigned column, struct xc_token_context *above, struct xc_token_context *left,
                          const int16_t *const old[XC_BLOCKS]);

#endif
