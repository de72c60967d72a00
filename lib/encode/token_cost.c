/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/token_cost.h"

#include "bitstream/cost.h"
#include "bitstream/tokens.h"

enum { LARGEST_CATEGORY = 5 }; /* the levels from XC_COSTED_LEVELS on */

unsigned xc_large_level_cost(int magnitude)
{
    return xc_extra_cost(LARGEST_CATEGORY, magnitude);
}

/* The costs of one block type, band and context. */
static void fill_levels(uint16_t level[2][XC_COSTED_LEVELS + 1], const struct xc_frame_header *header, int type,
                        int band, int context)
{
    const unsigned goes_on = xc_cost(header->probabilities.coefficient[type][band][context][0], 1);
    for (int magnitude = 0; magnitude <= XC_COSTED_LEVELS; magnitude++) {
        unsigned cost = xc_level_cost(header, type, band, context, magnitude);
        if (magnitude == XC_COSTED_LEVELS) {
            cost -= xc_large_level_cost(magnitude);
        }
        level[1][magnitude] = (uint16_t)cost;
        level[0][magnitude] = (uint16_t)(cost + goes_on);
    }
}

void xc_token_costs_fill(struct xc_token_costs *costs, const struct xc_probabilities *probabilities)
{
    const struct xc_frame_header header = { .probabilities = *probabilities };
    for (int type = 0; type < XC_BLOCK_TYPES; type++) {
        for (int band = 0; band < XC_BANDS; band++) {
            for (int context = 0; context < XC_CONTEXTS; context++) {
                const uint8_t end = probabilities->coefficient[type][band][context][0];
                costs->end[type][band][context] = (uint16_t)xc_cost(end, 0);
                fill_levels(costs->level[type][band][context], &header, type, band, context);
            }
        }
    }
}
