/* SPDX-License-Identifier: BSD-2-Clause */
/* What a macroblock is predicted from, chosen by rate and distortion once its references are known. The frame that is
 * rebased has a guess, made with other references. It competes with what costs few bits here: no motion, the
 * neighbours' motion, a vector close by, and intra prediction. */
#ifndef XC_ENCODE_CHOICE_H
#define XC_ENCODE_CHOICE_H

#include "encode/mode_cost.h"
#include "encode/residue_coder.h"

struct xc_choice {
    const struct xc_residue_coder *coder;
    struct xc_frame *frame; /* the recon's, with the probabilities that bits are counted with */
    struct xc_mode_costs costs;
};

void xc_choice_fill(struct xc_choice *choice, const struct xc_residue_coder *coder, struct xc_frame *frame);

/* Settles the modes of a macroblock, which has those of the guess, predicts it, and decides on its residue, which is
 * one of the two that are given as scratch. Those above and to the left of it must be settled and reconstructed. old:
 * the levels of the guess, as xc_decide_residue takes them. */
const struct xc_residue *xc_choose_prediction(struct xc_residue residues[2], const struct xc_choice *choice,
                                              const struct xc_coding_place *place, const int16_t *const old[XC_BLOCKS]);

#endif
