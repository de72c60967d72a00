/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion compensation with pmaddubsw, which weighs two samples at once: what the versions for each register width
 * share.
 *
 * The taps of a filter form pairs: 2 and 4, 1 and 3, 0 and 5 (or 2 and 3 if there are no others). The instruction
 * saturates at 32767, which products of one pair never reach. The sum of the first two pairs does only where the
 * result is far beyond 255 anyway, and the third pair, never negative, cannot bring it back. */
#ifndef XC_DSP_X86_MC_H
#define XC_DSP_X86_MC_H

#include <stdint.h>

static const int8_t sixtap_weights[8][3][2] = {
    { { 0, 0 }, { 0, 0 }, { 0, 0 } },       { { 123, -1 }, { -6, 12 }, { 0, 0 } },
    { { 108, -8 }, { -11, 36 }, { 2, 1 } }, { { 93, -6 }, { -9, 50 }, { 0, 0 } },
    { { 77, -16 }, { -16, 77 }, { 3, 3 } }, { { 50, -9 }, { -6, 93 }, { 0, 0 } },
    { { 36, -11 }, { -8, 108 }, { 1, 2 } }, { { 12, -6 }, { -1, 123 }, { 0, 0 } },
};
static const int8_t bilinear_weights[8][3][2] = {
    { { 0, 0 } },   { { 112, 16 } }, { { 96, 32 } }, { { 80, 48 } },
    { { 64, 64 } }, { { 48, 80 } },  { { 32, 96 } }, { { 16, 112 } },
};

/* Where the samples of each pair lie, for eight results, in 16 bytes from two before the first. */
static const uint8_t taps_2_4[16] = { 2, 4, 3, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8, 10, 9, 11 };
static const uint8_t taps_1_3[16] = { 1, 3, 2, 4, 3, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8, 10 };
static const uint8_t taps_0_5[16] = { 0, 5, 1, 6, 2, 7, 3, 8, 4, 9, 5, 10, 6, 11, 7, 12 };
static const uint8_t taps_2_3[16] = { 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10 };

#endif
