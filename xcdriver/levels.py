# SPDX-License-Identifier: BSD-2-Clause
"""The level of each chunk, where a film has more than one.

A level is coarse: the next one makes a film about 4 % smaller. So a level with a fraction means a mixture of two."""
import bisect
import math

FINEST, COARSEST = 0, 63
# The quantizer's step at each level: that of Y AC (RFC 6386, 14.1) at the index that libvpx gives the level
# (vp8/encoder/onyx_if.c, q_trans).
STEPS = (4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 19, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39,
         41, 43, 45, 47, 49, 51, 53, 55, 57, 60, 64, 68, 72, 78, 84, 90, 96, 102, 108, 114, 122, 131, 140, 149, 158,
         167, 177, 189, 201, 213, 225, 239, 254, 269, 284)
LOG_STEPS = [math.log(step) for step in STEPS]
PART = 0.39  # of what the rest of the film costs
LEAST_WINDOW, LONG = 4, 32  # chunks; what is not longer has shorter windows


def log_step(level):
    """The logarithm of the step at a level, which may have a fraction."""
    below = min(COARSEST - 1, int(level))
    return LOG_STEPS[below] + (level - below) * (LOG_STEPS[below + 1] - LOG_STEPS[below])


def level_of_log_step(value):
    """The other way round; the nearest level if there is none."""
    above = min(COARSEST, max(1, bisect.bisect(LOG_STEPS, value)))
    low, high = LOG_STEPS[above - 1:above + 1]
    return min(COARSEST, max(FINEST, above - 1 + (value - low) / (high - low)))


def window_ends(costs, shortest):
    """Divides a film into windows that get cheaper towards its end. What came of one decides the level of the next. It
    depends on nothing but what the chunks are thought to cost, so that the result does not depend on how many processes
    there are. shortest: how many chunks a window has at least. More make VMAF cheaper, since for each window ffmpeg
    starts, which takes as long as to measure some frames. If it is 1, the last chunk is a window, however much it
    costs: it may be a short one with a key frame."""
    ends, left, least = [0], math.fsum(costs), max(shortest, min(LEAST_WINDOW, len(costs) // LONG))
    last = len(costs) - (shortest == 1)
    while ends[-1] < last:
        end, spent = ends[-1], 0.
        while end < last and (end - ends[-1] < least or spent < PART * left):
            spent += costs[end]
            end += 1
        ends.append(end)
        left -= spent
    if shortest > 1 and len(ends) > 2 and len(costs) - ends[-2] < shortest:
        del ends[-2]
    return sorted({*ends[1:], len(costs)})


class Levels:
    """Of all windows that have been decided: from which chunk on, to which, the level, and options of xc-enc that bring
    a window of one chunk to a cost, as the record has them."""

    def __init__(self, windows):
        self.windows = windows

    @property
    def fit(self):
        """Those options by the number of the chunk (graph.fit_options)."""
        return {first: options for first, _, _, options in self.windows if options}

    @property
    def end(self):
        """The chunk after the last window."""
        return self.windows[-1][1] if self.windows else 0

    @property
    def bound(self):
        """Why a target could not be met, if all windows have the last level that there is; otherwise None."""
        levels = {level for _, _, level, _ in self.windows}
        if levels == {COARSEST}:
            return f"all of it has level {COARSEST}, the coarsest, so no target makes it smaller; --scale does"
        if levels == {FINEST}:
            return f"all of it has level {FINEST}, the finest, so no target makes it better"
        return None

    def __str__(self):
        return "by window"

    def __call__(self, chunk):
        """Chunks after the last window get its level; they are not encoded with it."""
        first, _, level, _ = next((window for window in self.windows if window[0] <= chunk < window[1]),
                                  self.windows[-1])
        place = max(0, chunk - first)
        return int(min(COARSEST, max(FINEST, math.floor(level * (place + 1)) - math.floor(level * place))))
