/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect_frame.h"

const char *const dissect_y_modes[] = { "DC_PRED",   "V_PRED", "H_PRED", "TM_PRED", "B_PRED",
                                        "NEARESTMV", "NEARMV", "ZEROMV", "NEWMV",   "SPLITMV" };
const char *const dissect_b_modes[] = { "B_DC_PRED", "B_TM_PRED", "B_VE_PRED", "B_HE_PRED", "B_LD_PRED",
                                        "B_RD_PRED", "B_VR_PRED", "B_VL_PRED", "B_HD_PRED", "B_HU_PRED" };
const char *const dissect_split_modes[] = { "LEFT4X4", "ABOVE4X4", "ZERO4X4", "NEW4X4" };
const char *const dissect_references[] = { "CURRENT_FRAME", "LAST_FRAME", "GOLDEN_FRAME", "ALTREF_FRAME" };
const char *const dissect_bit_kinds[XC_BIT_KINDS] = {
    "header", "probabilities", "segments", "skips", "modes", "vectors", "y2", "y", "u", "v"
};

const int16_t *dissect_levels(const struct xc_frame *frame, const struct xc_macroblock *mb, int block)
{
    if (!mb->tokens[block]) {
        return NULL;
    }
    /* In coding order Y2 comes first. */
    size_t index = mb->coefficients;
    if (block != XC_BLOCK_Y2) {
        index += mb->tokens[XC_BLOCK_Y2] != 0;
        for (int i = 0; i < block; i++) {
            index += mb->tokens[i] != 0;
        }
    }
    const int16_t *levels = frame->coefficients[index];
    for (int i = 0; i < 16; i++) {
        if (levels[i]) {
            return levels;
        }
    }
    return NULL;
}

double dissect_bits(uint64_t bits)
{
    return (double)bits / XC_BITS_ONE;
}
