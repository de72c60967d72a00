/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/trellis.h"

#include <stdlib.h>
#include <string.h>

#include "bitstream/tables.h"

/* Where the coder stands between two coefficients: the context that the last level leaves to the next (section 13.3).
 * After a zero, the block cannot end. */
enum { AFTER_ZERO, AFTER_ONE, AFTER_MORE, CONTEXTS };

/* The best way to reach each context at one position. */
struct node {
    int64_t cost;
    int16_t level; /* that leads here */
    uint8_t from;  /* context before it */
};

/* No way leads here; sums with it do not overflow. */
#define NEVER (INT64_MAX / 2)

static int64_t square(int64_t x)
{
    return x * x;
}

/* One position, for all levels that are tried there. */
struct step {
    const struct xc_trellis *trellis;
    const uint16_t *costs[CONTEXTS]; /* by magnitude */
    const struct node *from;
    struct node *to;
    int coefficient, factor;
};

static int64_t bits(const uint16_t *costs, int magnitude)
{
    return magnitude < XC_COSTED_LEVELS ? costs[magnitude]
                                        : costs[XC_COSTED_LEVELS] + (int64_t)xc_large_level_cost(magnitude);
}

/* Extends all ways that lead to the position by this level, which leaves that context. */
static inline void try_level(const struct step *s, int level, int context)
{
    int64_t error = square(s->coefficient - level * s->factor) * 256;
    struct node *to = &s->to[context];
    for (int from = 0; from < CONTEXTS; from++) {
        int64_t cost = s->from[from].cost + error + s->trellis->lambda * bits(s->costs[from], abs(level));
        if (cost < to->cost) {
            *to = (struct node){ cost, (int16_t)level, (uint8_t)from };
        }
    }
}

static inline void try_nonzero(const struct step *s, int level)
{
    try_level(s, level, abs(level) == 1 ? AFTER_ONE : AFTER_MORE);
}

/* Zero, the nearest level, the next one towards zero, and the hint. */
static void try_levels(const struct step *s, int hint)
{
    int magnitude = (abs(s->coefficient) + s->factor / 2) / s->factor;
    if (magnitude > XC_MAX_LEVEL) {
        magnitude = XC_MAX_LEVEL;
    }
    int nearest = s->coefficient < 0 ? -magnitude : magnitude, smaller = s->coefficient < 0 ? nearest + 1 : nearest - 1;
    try_level(s, 0, AFTER_ZERO);
    if (magnitude > 0) {
        try_nonzero(s, nearest);
    }
    if (magnitude > 1) {
        try_nonzero(s, smaller);
    }
    if (hint && hint != nearest && (magnitude <= 1 || hint != smaller)) {
        try_nonzero(s, hint);
    }
}

static struct step step_at(const struct xc_trellis *t, struct node nodes[][CONTEXTS], int position, int coefficient)
{
    const bool at_start = position == t->first;
    struct step s = { .trellis = t,
                      .from = nodes[position],
                      .to = nodes[position + 1],
                      .coefficient = coefficient,
                      .factor = t->factor[position > 0] };
    for (int context = 0; context < CONTEXTS; context++) {
        const bool may_end = at_start || context != AFTER_ZERO;
        s.costs[context] = t->costs->level[t->type][xc_coefficient_band[position]][context][!may_end];
        s.to[context].cost = NEVER;
    }
    return s;
}

static int64_t end_cost(const struct xc_trellis *t, int position, int context)
{
    return position == 16 ? 0 : t->lambda * t->costs->end[t->type][xc_coefficient_band[position]][context];
}

/* Writes the levels of the way that ends at this position and context. */
static void trace_back(int16_t levels[16], struct node nodes[][CONTEXTS], int first, int end, int context)
{
    memset(levels, 0, 16 * sizeof *levels);
    for (int i = end; i > first; i--) {
        const struct node *node = &nodes[i][context];
        levels[xc_zigzag[i - 1]] = node->level;
        context = node->from;
    }
}

/* tried: the coefficients, one bit each in raster order, for which anything but zero is. */
static struct xc_block_choice search(const struct xc_trellis *t, int16_t levels[16], const int16_t coefficients[16],
                                     int context, const int16_t *hint, unsigned tried, struct xc_block_choice best)
{
    struct node nodes[17][CONTEXTS];
    int best_context = 0, end = 16;
    int64_t rest = best.zero_cost; /* error of leaving out all coefficients from a position on */
    while (!(tried >> xc_zigzag[end - 1] & 1)) {
        end--;
    }
    for (int i = 0; i < CONTEXTS; i++) {
        nodes[t->first][i].cost = i == context ? 0 : NEVER;
    }
    for (int i = t->first; i < end; i++) {
        const int at = xc_zigzag[i];
        const struct step s = step_at(t, nodes, i, coefficients[at]);
        rest -= square(coefficients[at]) * 256;
        if (!(tried >> at & 1)) {
            try_level(&s, 0, AFTER_ZERO);
            continue;
        }
        try_levels(&s, hint ? hint[at] : 0);
        for (int c = AFTER_ONE; c < CONTEXTS; c++) {
            int64_t total = nodes[i + 1][c].cost + rest + end_cost(t, i + 1, c);
            if (total < best.cost) {
                best.cost = total;
                best.tokens = i + 1;
                best_context = c;
            }
        }
    }
    if (best.tokens) {
        trace_back(levels, nodes, t->first, best.tokens, best_context);
    }
    return best;
}

struct xc_block_choice xc_trellis_block(const struct xc_trellis *t, int16_t levels[16], const int16_t coefficients[16],
                                        int context, const int16_t *hint)
{
    uint32_t energy, ignored;
    unsigned tried = t->dsp->significant(coefficients, t->factor[0], t->factor[1], &energy);
    if (hint) {
        tried |= t->dsp->significant(hint, 1, 1, &ignored);
    }
    if (t->first) {
        energy -= (uint32_t)(coefficients[0] * coefficients[0]);
        tried &= ~1u;
    }
    struct xc_block_choice none = { .zero_cost = (int64_t)energy * 256 };
    none.cost = none.zero_cost + end_cost(t, t->first, context);
    return tried ? search(t, levels, coefficients, context, hint, tried, none) : none;
}
