/* SPDX-License-Identifier: BSD-2-Clause */
/* Activity masking: the eye sees errors less where much goes on, so a bit is worth more squared error there. */
#ifndef XC_ENCODE_MASKING_H
#define XC_ENCODE_MASKING_H

#include "dsp/dsp.h"
#include "excamera/picture.h"

enum { XC_WEIGHT_ONE = 256 };

/* Sets weights[i], for each macroblock of the picture, row by row, to what lambda is multiplied by there, in units of
 * 1 / XC_WEIGHT_ONE. */
void xc_masking_weights(uint16_t *weights, const struct xc_dsp *dsp, const struct xc_picture *picture);

#endif
