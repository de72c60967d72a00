/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/token_cost.h"

#include "bitstream/cost.h"
#include "bitstream/tables.h"

static unsigned extra_cost(const struct xc_token_category *category, int magnitude)
{
    unsigned cost = 0;
    for (int i = 0; i < category->bits; i++) {
        cost += xc_cost(category->probability[i], (magnitude - category->base) >> (category->bits - 1 - i) & 1);
    }
    return cost;
}

unsigned xc_large_level_cost(int magnitude)
{
    return extra_cost(&xc_token_category[5], magnitude);
}

/* The walk down the token tree for a magnitude, RFC 6386 section 13.2, from the node behind "not end of block", and the
 * sign's bit. */
static unsigned magnitude_cost(const uint8_t p[11], int magnitude)
{
    if (magnitude == 0) {
        return xc_cost(p[1], 0);
    }
    unsigned cost = xc_cost(p[1], 1) + xc_cost(p[2], magnitude > 1) + xc_cost(128, 0);
    if (magnitude == 1) {
        return cost;
    }
    cost += xc_cost(p[3], magnitude > 4);
    if (magnitude <= 4) {
        cost += xc_cost(p[4], magnitude > 2);
        return magnitude > 2 ? cost + xc_cost(p[5], magnitude > 3) : cost;
    }
    int category = 0;
    while (category < 5 && magnitude >= xc_token_category[category + 1].base) {
        category++;
    }
    cost += xc_cost(p[6], category >= 2);
    if (category < 2) {
        cost += xc_cost(p[7], category);
    } else {
        cost += xc_cost(p[8], category >= 4) + xc_cost(p[9 + (category >= 4)], category & 1);
    }
    return category < 5 ? cost + extra_cost(&xc_token_category[category], magnitude) : cost;
}

void xc_token_costs_fill(struct xc_token_costs *costs, const struct xc_probabilities *probabilities)
{
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 8; j++) {
            for (int k = 0; k < 3; k++) {
                const uint8_t *p = probabilities->coefficient[i][j][k];
                unsigned goes_on = xc_cost(p[0], 1);
                costs->end[i][j][k] = (uint16_t)xc_cost(p[0], 0);
                for (int magnitude = 0; magnitude <= XC_COSTED_LEVELS; magnitude++) {
                    unsigned cost = magnitude_cost(p, magnitude);
                    costs->level[i][j][k][1][magnitude] = (uint16_t)cost;
                    costs->level[i][j][k][0][magnitude] = (uint16_t)(cost + goes_on);
                }
            }
        }
    }
}
