/* SPDX-License-Identifier: BSD-2-Clause */
/* What coefficients cost to code, for deciding which to code. */
#ifndef XC_ENCODE_TOKEN_COST_H
#define XC_ENCODE_TOKEN_COST_H

#include <stdint.h>

#include "excamera/state.h"

/* Levels from here on cost about the same but for their extra bits. */
enum { XC_COSTED_LEVELS = 67, XC_MAX_LEVEL = 2048 };

/* In 1/256 bit, by block type, band and context of the neighbours (RFC 6386 section 13.3). */
struct xc_token_costs {
    /* Of a level's magnitude with its sign, where an end of block could stand in its place ([0]), and after a zero,
     * where it could not ([1]). Magnitudes beyond the table: its last entry, plus xc_large_level_cost. */
    uint16_t level[XC_BLOCK_TYPES][XC_BANDS][XC_CONTEXTS][2][XC_COSTED_LEVELS + 1];
    uint16_t end[XC_BLOCK_TYPES][XC_BANDS][XC_CONTEXTS];
};

void xc_token_costs_fill(struct xc_token_costs *costs, const struct xc_probabilities *probabilities);

/* What a magnitude of XC_COSTED_LEVELS or more costs beyond the table's last entry: its extra bits. */
unsigned xc_large_level_cost(int magnitude);

#endif
