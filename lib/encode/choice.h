/* SPDX-License-Identifier: BSD-2-Clause */
/* What a macroblock is predicted from, chosen by rate and distortion once its references are known. The frame that is
 * rebased has a guess, made with other references. It competes with what costs few bits here: no motion, the
 * neighbours' motion, a vector close by, and intra prediction. */
#ifndef XC_ENCODE_CHOICE_H
#define XC_ENCODE_CHOICE_H

#include "encode/residue_coder.h"

struct xc_choice {
    const struct xc_residue_coder *coder;
    struct xc_frame *frame; /* the recon's, with the probabilities that bits are counted with */
};

/* Settles the modes of a macroblock, which has those of the guess. Those above and to the left of it must be settled
 * and reconstructed. above, left: the contexts around it; old: the levels of the guess, as xc_code_macroblock takes
 * them. Returns whether the guess stays. The recon's picture at the macroblock is used as scratch. */
bool xc_choose_prediction(const struct xc_choice *choice, unsigned row, unsigned column, struct xc_token_context above,
                          struct xc_token_context left, const int16_t *const old[XC_BLOCKS]);

#endif
