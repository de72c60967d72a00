/* The eight directional modes of 4x4 intra prediction, as SIMD sees them: smooth the samples around the block, then put each where
 * the mode wants it. RFC 6386 section 12.3. */
#ifndef XC_DSP_INTRA4_H
#define XC_DSP_INTRA4_H

#include <stdint.h>

#include "excamera/frame.h"

/* The samples around the block, from bottom left by the corner P to the far right; the first and the last repeat beyond. */
enum { EDGE_L = 1, EDGE_K, EDGE_J, EDGE_I, EDGE_P, EDGE_A, EDGE_B, EDGE_C, EDGE_D, EDGE_E, EDGE_F, EDGE_G, EDGE_H, EDGE = 16 };

/* Per sample of the block: i for the mean of edge samples i - 1, i and i + 1 (weights 1 2 1), TWO + i for that of i and i + 1. */
enum { TWO = 16 };

static const uint8_t intra4_layout[XC_B_MODES][16] = {
    [XC_B_VE_PRED] = {6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9},
    [XC_B_HE_PRED] = {4, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1},
    [XC_B_LD_PRED] = {7, 8, 9, 10, 8, 9, 10, 11, 9, 10, 11, 12, 10, 11, 12, 13},
    [XC_B_RD_PRED] = {5, 6, 7, 8, 4, 5, 6, 7, 3, 4, 5, 6, 2, 3, 4, 5},
    [XC_B_VR_PRED] = {TWO + 5, TWO + 6, TWO + 7, TWO + 8, 5, 6, 7, 8, 4, TWO + 5, TWO + 6, TWO + 7, 3, 5, 6, 7},
    [XC_B_VL_PRED] = {TWO + 6, TWO + 7, TWO + 8, TWO + 9, 7, 8, 9, 10, TWO + 7, TWO + 8, TWO + 9, 11, 8, 9, 10, 12},
    [XC_B_HD_PRED] = {TWO + 4, 5, 6, 7, TWO + 3, 4, TWO + 4, 5, TWO + 2, 3, TWO + 3, 4, TWO + 1, 2, TWO + 2, 3},
    [XC_B_HU_PRED] = {TWO + 3, 3, TWO + 2, 2, TWO + 2, 2, TWO + 1, 1, TWO + 1, 1, TWO, TWO, TWO, TWO, TWO, TWO},
};

#endif
