#include "encode/trellis.h"

#include <stdlib.h>
#include <string.h>

#include "bitstream/tables.h"

/* Where the coder stands between two coefficients: the context that the last level leaves to the next (section 13.3). Behind
 * a zero, the block cannot end. */
enum { AFTER_ZERO, AFTER_ONE, AFTER_MORE, CONTEXTS };

enum { MAX_CANDIDATES = 4 };

/* The best way to reach each context at one position. */
struct node {
    int64_t cost;
    int16_t level;   /* that leads here */
    uint8_t from;    /* context before it */
};

static int64_t square(int64_t x)
{
    return x * x;
}

static int64_t level_cost(const struct xc_trellis *t, int position, int context, bool may_end, int level)
{
    int magnitude = abs(level);
    int band = xc_coefficient_band[position];
    const uint16_t *table = t->costs->level[t->type][band][context][!may_end];
    int64_t bits = magnitude < XC_COSTED_LEVELS ? table[magnitude]
                                                : table[XC_COSTED_LEVELS] + (int64_t)xc_large_level_cost(magnitude);
    return t->lambda * (bits + (magnitude ? 256 : 0));
}

static int context_behind(int level)
{
    return level == 0 ? AFTER_ZERO : abs(level) == 1 ? AFTER_ONE : AFTER_MORE;
}

/* The nearest level, the next one towards zero, zero, and the hint. */
static int candidates(int16_t out[MAX_CANDIDATES], int coefficient, int factor, int hint)
{
    int magnitude = (abs(coefficient) + factor / 2) / factor;
    if (magnitude > XC_MAX_LEVEL) {
        magnitude = XC_MAX_LEVEL;
    }
    int sign = coefficient < 0 ? -1 : 1, count = 0;
    out[count++] = 0;
    if (magnitude > 0) {
        out[count++] = (int16_t)(sign * magnitude);
    }
    if (magnitude > 1) {
        out[count++] = (int16_t)(sign * (magnitude - 1));
    }
    if (hint && hint != sign * magnitude && (magnitude <= 1 || hint != sign * (magnitude - 1))) {
        out[count++] = (int16_t)hint;
    }
    return count;
}

/* One past the last coefficient, in zigzag order, for which anything but zero is a candidate. */
static int last_candidate(const struct xc_trellis *t, const int16_t coefficients[16], const int16_t *hint)
{
    int end = 16;
    while (end > t->first) {
        int at = xc_zigzag[end - 1];
        int factor = t->factor[end > 1];
        if (2 * abs(coefficients[at]) >= factor || (hint && hint[at])) {
            break;
        }
        end--;
    }
    return end;
}

/* Squared error of leaving out all coefficients from each position on. */
static void error_of_rest(int64_t rest[17], const int16_t coefficients[16], int first)
{
    rest[16] = 0;
    for (int i = 15; i >= first; i--) {
        rest[i] = rest[i + 1] + square(coefficients[xc_zigzag[i]]) * 256;
    }
}

/* Extends all ways that lead to a position by one level each. */
static void step(const struct xc_trellis *t, struct node to[CONTEXTS], const struct node from[CONTEXTS], int position,
                 bool at_start, int coefficient, int hint)
{
    int16_t levels[MAX_CANDIDATES];
    int factor = t->factor[position > 0];
    int count = candidates(levels, coefficient, factor, hint);
    for (int i = 0; i < CONTEXTS; i++) {
        to[i].cost = INT64_MAX;
    }
    for (int i = 0; i < count; i++) {
        int64_t error = square(coefficient - levels[i] * factor) * 256;
        struct node *target = &to[context_behind(levels[i])];
        for (int context = 0; context < CONTEXTS; context++) {
            if (from[context].cost == INT64_MAX) {
                continue;
            }
            bool may_end = at_start || context != AFTER_ZERO;
            int64_t cost = from[context].cost + error + level_cost(t, position, context, may_end, levels[i]);
            if (cost < target->cost) {
                *target = (struct node){ cost, levels[i], (uint8_t)context };
            }
        }
    }
}

int xc_trellis_block(const struct xc_trellis *t, int16_t levels[16], const int16_t coefficients[16], int context,
                     const int16_t *hint, int64_t *cost)
{
    struct node nodes[17][CONTEXTS];
    int64_t rest[17];
    int end = last_candidate(t, coefficients, hint);
    error_of_rest(rest, coefficients, t->first);
    memset(levels, 0, 16 * sizeof *levels);

    for (int i = 0; i < CONTEXTS; i++) {
        nodes[t->first][i].cost = i == context ? 0 : INT64_MAX;
    }
    int64_t best = rest[t->first] + t->lambda * t->costs->end[t->type][xc_coefficient_band[t->first]][context];
    int best_end = 0, best_context = 0;
    for (int i = t->first; i < end; i++) {
        int at = xc_zigzag[i];
        step(t, nodes[i + 1], nodes[i], i, i == t->first, coefficients[at], hint ? hint[at] : 0);
        for (int c = AFTER_ONE; c < CONTEXTS; c++) {
            if (nodes[i + 1][c].cost == INT64_MAX) {
                continue;
            }
            int64_t ending = i == 15 ? 0 : t->lambda * t->costs->end[t->type][xc_coefficient_band[i + 1]][c];
            int64_t total = nodes[i + 1][c].cost + rest[i + 1] + ending;
            if (total < best) {
                best = total;
                best_end = i + 1;
                best_context = c;
            }
        }
    }
    *cost += best;
    for (int i = best_end, c = best_context; i > t->first; i--) {
        levels[xc_zigzag[i - 1]] = nodes[i][c].level;
        c = nodes[i][c].from;
    }
    return best_end;
}

int64_t xc_block_cost(const struct xc_trellis *t, const int16_t levels[16], int tokens, const int16_t coefficients[16],
                      int context)
{
    int64_t cost = 0;
    bool may_end = true;
    for (int i = t->first; i < 16; i++) {
        int level = i < tokens ? levels[xc_zigzag[i]] : 0;
        cost += square(coefficients[xc_zigzag[i]] - level * t->factor[i > 0]) * 256;
        if (i < tokens) {
            cost += level_cost(t, i, context, may_end, level);
            context = context_behind(level);
            may_end = level != 0;
        }
    }
    int end = tokens ? tokens : t->first;
    return end == 16 ? cost : cost + t->lambda * t->costs->end[t->type][xc_coefficient_band[end]][context];
}
