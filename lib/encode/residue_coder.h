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

/* lambda: as a part of libvpx's. */
void xc_residue_coder_fill(struct xc_residue_coder *coder, const struct xc_recon *recon,
                           const struct xc_picture *source, const struct xc_probabilities *probabilities, double lambda,
                           const uint16_t *lambda_weight);

/* What 1/256 bit of this macroblock is worth, in squared samples times 256. */
int64_t xc_residue_lambda(const struct xc_residue_coder *coder, const struct xc_macroblock *mb, unsigned row,
                          unsigned column);

/* Where a macroblock is: its place, and the contexts before it. */
struct xc_coding_place {
    unsigned row, column;
    struct xc_token_context above, left;
};

/* A residue that is decided but not yet in the frame. */
struct xc_residue {
    uint8_t tokens[XC_BLOCKS];           /* as in struct xc_macroblock */
    xc_block levels[XC_BLOCKS];          /* of the blocks with tokens */
    struct xc_token_context above, left; /* after the macroblock */
};

bool xc_residue_is_empty(const struct xc_residue *residue);

/* Predicts a macroblock into the recon and decides on its residue. old: its former levels by block, NULL for blocks
 * that had none; they are worth a try. Returns what the macroblock costs without its modes: its squared error and the
 * bits of its levels, as lambda weighs them, in squared samples times 256. Or, as soon as that is certain to be limit
 * or more, returns some value from limit on; then there is no residue. */
int64_t xc_decide_residue(struct xc_residue *residue, const struct xc_residue_coder *coder,
                          const struct xc_macroblock *mb, const struct xc_coding_place *place,
                          const int16_t *const old[XC_BLOCKS], int64_t limit);

/* Adds a residue to a macroblock whose prediction is in the recon; with B_PRED, its luma must have been decided last.
 * The levels go to *levels, in coding order and without gaps, at most XC_BLOCKS of them, whose number is returned;
 * mb->tokens and mb->skip follow. */
size_t xc_put_residue(const struct xc_residue *residue, const struct xc_residue_coder *coder, struct xc_macroblock *mb,
                      unsigned row, unsigned column, xc_block *levels);

/* What is decided for good. Residue of intra prediction is worth more than its bits say: what is predicted next builds
 * on it (libvpx, vp8_optimize_b). */
void xc_decide_final_residue(struct xc_residue *residue, const struct xc_residue_coder *coder,
                             const struct xc_macroblock *mb, const struct xc_coding_place *place,
                             const int16_t *const old[XC_BLOCKS]);

#endif
