/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/mode_cost.h"

#include "bitstream/modes.h"

/* What a value costs that is coded by a tree, whose probabilities are these. */
static uint16_t cost_of_leaf(const xc_tree *tree, const uint8_t *probabilities, int value)
{
    struct xc_bits bits = { .of = { 0 } };
    const struct xc_coder c = { .coding = XC_MEASURE, .bits = &bits, .kind = XC_BITS_MODES };
    xc_code_constant_tree(c, tree, probabilities, value);
    return (uint16_t)bits.of[XC_BITS_MODES];
}

static void fill_references(uint16_t cost[XC_REF_FRAMES], const struct xc_frame_header *h)
{
    const unsigned inter = xc_cost(h->intra_probability, 1), not_last = inter + xc_cost(h->last_probability, 1);
    cost[XC_REF_INTRA] = (uint16_t)xc_cost(h->intra_probability, 0);
    cost[XC_REF_LAST] = (uint16_t)(inter + xc_cost(h->last_probability, 0));
    cost[XC_REF_GOLDEN] = (uint16_t)(not_last + xc_cost(h->golden_probability, 0));
    cost[XC_REF_ALTREF] = (uint16_t)(not_last + xc_cost(h->golden_probability, 1));
}

void xc_mode_costs_fill(struct xc_mode_costs *costs, const struct xc_frame_header *h)
{
    *costs = (struct xc_mode_costs){ .skip = { 0 } };
    for (int i = 0; i < 2 && h->skip_enabled; i++) {
        costs->skip[i] = (uint16_t)xc_cost(h->skip_probability, i);
    }
    for (int i = 0; i < XC_SEGMENTS && h->update_segment_map; i++) {
        costs->segment[i] = cost_of_leaf(xc_segment_tree, h->segment_tree, i);
    }
    fill_references(costs->reference, h);
    for (int mode = XC_DC_PRED; mode <= XC_B_PRED; mode++) {
        costs->y_mode[mode] = cost_of_leaf(xc_y_mode_tree, h->probabilities.y_mode, mode);
    }
    for (int mode = XC_DC_PRED; mode <= XC_TM_PRED; mode++) {
        costs->uv_mode[mode] = cost_of_leaf(xc_uv_mode_tree, h->probabilities.uv_mode, mode);
    }
    for (int mode = 0; mode < XC_B_MODES; mode++) {
        costs->b_mode[mode] = cost_of_leaf(xc_b_mode_tree, xc_b_mode_probability, mode);
    }
    for (int component = 0; component < 2; component++) {
        for (int i = -XC_MV_MAX; i <= XC_MV_MAX; i++) {
            costs->vector[component][i + XC_MV_MAX] = (uint16_t)xc_vector_cost(h, component, i);
        }
    }
}

void xc_vector_costs_find(struct xc_vector_costs *costs, const struct xc_frame *frame, unsigned row, unsigned column,
                          unsigned reference)
{
    xc_near_vectors(&costs->near, frame, row, column, reference);
    /* Section 16.2: the modes hang on a tree that is a chain, in this order. Splits are at its end. */
    static const uint8_t chain[4] = { XC_ZEROMV, XC_NEARESTMV, XC_NEARMV, XC_NEWMV };
    unsigned before = 0;
    for (int i = 0; i < 4; i++) {
        const uint8_t probability = xc_mode_context_probability[costs->near.context[i]][i];
        costs->mode[chain[i] - XC_NEARESTMV] = (uint16_t)(before + xc_cost(probability, 0));
        before += xc_cost(probability, 1);
    }
}
