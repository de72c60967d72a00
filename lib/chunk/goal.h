/* SPDX-License-Identifier: BSD-2-Clause */
/* Which levels are tried for a picture that is to reach a goal: a quality at the least cost, or a size at the best
 * quality. Levels are libvpx's, since those are all that it can be asked for.
 *
 * Two levels are tried at a time, so that two threads can do it, and what is tried never depends on the threads. Where
 * the last picture's goal was met is a good guess for the next one, so that mostly one pair is enough. */
#ifndef XC_CHUNK_GOAL_H
#define XC_CHUNK_GOAL_H

#include <stdbool.h>

enum { XC_TRIES = 2 }; /* at a time */

/* How far a try is from the goal: 0 or more where it is reached. In units of log2.h of whatever is limited. */
typedef int xc_margin;

struct xc_goal {
    bool finer_is_safer; /* so it is for a quality; for a size, coarser is */
    /* private; places are levels, counted from the least safe one */
    double guess;                 /* where the goal is just reached, for the next pair */
    double slope;                 /* of the margin, per place */
    int lowest_good, highest_bad; /* places that were tried; XC_MAX_CQ_LEVEL + 1 and -1: none */
    xc_margin good_margin, bad_margin;
    int pair[XC_TRIES];
    unsigned pairs; /* tried for this picture */
};

void xc_goal_init(struct xc_goal *goal, bool finer_is_safer);

/* Begins with a picture. changed: by how much its margins are greater than the last one's at the same level, as far as
 * that is known: by what a limit on size is larger. */
void xc_goal_begin(struct xc_goal *goal, xc_margin changed);
/* The next levels to try, which are different; false: it is settled. */
bool xc_goal_next(struct xc_goal *goal, unsigned levels[XC_TRIES]);
/* What came of them. Returns which of the two is the best of all that were tried for the picture so far, or -1: one
 * that was tried before. That is the least safe one that reaches the goal, or, if none does, the safest. */
int xc_goal_report(struct xc_goal *goal, const xc_margin margins[XC_TRIES]);

#endif
