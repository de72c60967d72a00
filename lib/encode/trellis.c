/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/trellis.h"

#include <stdlib.h>
#include <string.h>

#include "bitstream/tables.h"

/* Where the coder stands between two coefficients: the context that the last level leaves to the next (section 13.3).
 * After a zero, the block cannot end. */
enum { AFTER_ZERO, AFTER_ONE, AFTER_MORE, CONTEXTS };

/* How the best way to a context at some position comes there. */
struct node {
    int16_t level; /* the last one */
    uint8_t from;  /* context before it */
};

/* No way leads here; sums with it do not overflow. */
#define NEVER (INT64_MAX / 2)

static int64_t square(int64_t x)
{
    return x * x;
}

/* A search under way. */
struct search {
    const struct xc_trellis *trellis;
    int64_t cost[CONTEXTS]; /* of the best ways so far */
    struct node nodes[16][CONTEXTS];
};

/* One position, for all levels that are tried there. */
struct step {
    const struct xc_trellis *trellis;
    const uint16_t *costs[CONTEXTS]; /* by magnitude */
    int64_t from[CONTEXTS];          /* costs before the position */
    int64_t *to;                     /* costs after it */
    struct node *nodes;
    int coefficient, factor;
    bool last; /* no position after it is looked at */
};

static int64_t bits(const uint16_t *costs, int magnitude)
{
    return magnitude < XC_COSTED_LEVELS ? costs[magnitude]
                                        : costs[XC_COSTED_LEVELS] + (int64_t)xc_large_level_cost(magnitude);
}

static const uint16_t *costs_at(const struct xc_trellis *t, int position, int context)
{
    const bool may_end = position == t->first || context != AFTER_ZERO;
    return t->costs->level[t->type][xc_coefficient_band[position]][context][!may_end];
}

/* Extends the best way that leads to the position by this level, which leaves that context. */
static inline void try_level(const struct step *s, int level, int context)
{
    const int magnitude = abs(level);
    int64_t least = s->from[0] + s->trellis->lambda * bits(s->costs[0], magnitude);
    unsigned best = 0;
    for (unsigned from = 1; from < CONTEXTS; from++) {
        const int64_t cost = s->from[from] + s->trellis->lambda * bits(s->costs[from], magnitude);
        best = cost < least ? from : best;
        least = cost < least ? cost : least;
    }
    least += square(s->coefficient - level * s->factor) * 256;
    if (least < s->to[context]) {
        s->to[context] = least;
        s->nodes[context] = (struct node){ (int16_t)level, (uint8_t)best };
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
    if (!s->last) { /* no block ends with a zero */
        try_level(s, 0, AFTER_ZERO);
    }
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

static void pass_tried(struct search *s, int position, int coefficient, int hint, bool last)
{
    const struct xc_trellis *t = s->trellis;
    struct step step = { .trellis = t,
                         .to = s->cost,
                         .nodes = s->nodes[position],
                         .coefficient = coefficient,
                         .factor = t->factor[position > 0],
                         .last = last };
    for (int context = 0; context < CONTEXTS; context++) {
        step.costs[context] = costs_at(t, position, context);
        step.from[context] = s->cost[context];
        s->cost[context] = NEVER;
    }
    try_levels(&step, hint);
}

/* A position where only zero is tried. */
static void pass_zero(struct search *s, int position, int64_t error)
{
    int64_t least = NEVER;
    unsigned best = 0;
    for (unsigned from = 0; from < CONTEXTS; from++) {
        if (s->cost[from] < NEVER) {
            const int64_t cost = s->cost[from] + s->trellis->lambda * costs_at(s->trellis, position, (int)from)[0];
            best = cost < least ? from : best;
            least = cost < least ? cost : least;
        }
    }
    s->nodes[position][AFTER_ZERO] = (struct node){ 0, (uint8_t)best };
    s->cost[AFTER_ZERO] = least + error;
    s->cost[AFTER_ONE] = s->cost[AFTER_MORE] = NEVER;
}

static int64_t end_cost(const struct xc_trellis *t, int position, int context)
{
    return position == 16 ? 0 : t->lambda * t->costs->end[t->type][xc_coefficient_band[position]][context];
}

/* Whether none of the ways so far can become a better choice: they only grow. */
static bool is_hopeless(const struct search *s, int64_t best)
{
    return s->cost[AFTER_ZERO] >= best && s->cost[AFTER_ONE] >= best && s->cost[AFTER_MORE] >= best;
}

/* Writes the levels of the way that ends before this position, in this context. */
static void trace_back(int16_t levels[16], const struct search *s, int end, int context)
{
    memset(levels, 0, 16 * sizeof *levels);
    for (int i = end - 1; i >= s->trellis->first; i--) {
        const struct node *node = &s->nodes[i][context];
        levels[xc_zigzag[i]] = node->level;
        context = node->from;
    }
}

/* tried: the coefficients, one bit each in raster order, for which anything but zero is. */
static struct xc_block_choice search(const struct xc_trellis *t, int16_t levels[16], const int16_t coefficients[16],
                                     int context, const int16_t *hint, unsigned tried, struct xc_block_choice best)
{
    struct search s;
    s.trellis = t;
    s.cost[0] = s.cost[1] = s.cost[2] = NEVER;
    int best_context = 0;
    int64_t rest = best.zero_cost; /* error of leaving out all coefficients from a position on */
    s.cost[context] = 0;
    for (int i = t->first; tried && !is_hopeless(&s, best.cost); i++) {
        const int at = xc_zigzag[i];
        const int64_t error = square(coefficients[at]) * 256;
        rest -= error;
        if (!(tried >> at & 1)) {
            pass_zero(&s, i, error);
            continue;
        }
        tried &= ~(1u << at);
        pass_tried(&s, i, coefficients[at], hint ? hint[at] : 0, !tried);
        for (int c = AFTER_ONE; c < CONTEXTS; c++) {
            const int64_t total = s.cost[c] + rest + end_cost(t, i + 1, c);
            if (total < best.cost) {
                best.cost = total;
                best.tokens = i + 1;
                best_context = c;
            }
        }
    }
    if (best.tokens) {
        trace_back(levels, &s, best.tokens, best_context);
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
