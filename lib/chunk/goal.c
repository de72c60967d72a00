/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/goal.h"

#include "base/log2.h"
#include "excamera/quantizer.h"

enum { PLACES = XC_MAX_CQ_LEVEL + 1, NONE_GOOD = PLACES, NONE_BAD = -1 };

/* How far apart the levels of a pair are: so far that the goal mostly lies between them, and so near that it hardly
 * matters which of them is kept. */
enum { SPREAD = 4 };

/* What one level changes, before anything is known of the picture: some 6 % of its size, or of its error. */
#define FIRST_SLOPE (XC_LOG2_ONE * 0.08)

void xc_goal_init(struct xc_goal *g, bool finer_is_safer)
{
    *g = (struct xc_goal){ .finer_is_safer = finer_is_safer, .guess = PLACES / 2., .slope = FIRST_SLOPE };
}

static double clamp_place(double place)
{
    return place < 0 ? 0 : place > PLACES - 1 ? PLACES - 1 : place;
}

void xc_goal_begin(struct xc_goal *g, xc_margin changed)
{
    g->guess = clamp_place(g->guess - changed / g->slope);
    g->lowest_good = NONE_GOOD;
    g->highest_bad = NONE_BAD;
    g->pairs = 0;
}

/* A picture is settled when the best level is known, or nearly so: the next picture starts from where the goal is. */
static bool is_settled(const struct xc_goal *g)
{
    if (g->lowest_good == NONE_GOOD) {
        return g->highest_bad == PLACES - 1;
    }
    return g->lowest_good - g->highest_bad <= SPREAD || g->lowest_good - g->guess <= 2 * SPREAD;
}

/* Where the next pair begins: so that the guess lies within it. If tries have missed the goal already, the pair is
 * moved to the safe side, more each time. */
static int first_of_pair(const struct xc_goal *g)
{
    const int first = (int)(g->guess + 0.5) - SPREAD / 2;
    const int least = g->highest_bad + 1, most = g->lowest_good - 1 - SPREAD;
    if (g->lowest_good == NONE_GOOD && g->pairs) {
        const int moved = first + SPREAD * (int)g->pairs;
        return moved > least ? moved : least;
    }
    return first > most ? most : first < least ? least : first;
}

bool xc_goal_next(struct xc_goal *g, unsigned levels[XC_TRIES])
{
    if (g->pairs && is_settled(g)) {
        return false;
    }
    int first = first_of_pair(g);
    first = first > PLACES - 1 - SPREAD ? PLACES - 1 - SPREAD : first < 0 ? 0 : first;
    for (int i = 0; i < XC_TRIES; i++) {
        g->pair[i] = first + i * SPREAD;
        levels[i] = (unsigned)(g->finer_is_safer ? PLACES - 1 - g->pair[i] : g->pair[i]);
    }
    g->pairs++;
    return true;
}

/* What the tries say about the slope, and about where the goal is. Of noise in them, a slope is not believed that is
 * far from what is usual. */
static void learn(struct xc_goal *g, const xc_margin margins[XC_TRIES])
{
    const double slope = (double)(margins[1] - margins[0]) / SPREAD;
    if (slope > FIRST_SLOPE / 4 && slope < FIRST_SLOPE * 8) {
        g->slope = slope;
    }
    const int nearer = margins[0] >= 0 ? 0 : 1;
    g->guess = clamp_place(g->pair[nearer] - margins[nearer] / g->slope);
}

int xc_goal_report(struct xc_goal *g, const xc_margin margins[XC_TRIES])
{
    int best = -1;
    for (int i = XC_TRIES - 1; i >= 0; i--) {
        if (margins[i] >= 0 && g->pair[i] < g->lowest_good) {
            g->lowest_good = g->pair[i];
            best = i;
        }
    }
    for (int i = 0; i < XC_TRIES; i++) {
        if (margins[i] < 0 && g->pair[i] > g->highest_bad && g->pair[i] < g->lowest_good) {
            g->highest_bad = g->pair[i];
            best = g->lowest_good == NONE_GOOD ? i : best;
        }
    }
    learn(g, margins);
    return best;
}
