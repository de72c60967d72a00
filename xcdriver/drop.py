# SPDX-License-Identifier: BSD-2-Clause
"""How VMAF depends on the level.

VMAF itself follows no law: what it lacks to 100 depends on the motion, and it is clipped there. But the drop, by which
a frame scores less than a perfect copy of it would, not clipped, depends on the level in the same way in all films."""
import bisect
import statistics

from xcdriver.interpolation import interpolated, shares

LEVELS = (0, 16, 22, 28, 34, 40, 46, 52, 58, 63)
# The mean drop of a film's frames, compared with that at level 46: means of eight clips (docs/quality.md). At level 0,
# it is a guess.
CURVE = (0.15, 0.325, 0.397, 0.5, 0.635, 0.793, 1, 1.217, 1.542, 1.805)
KEY, FIRST = 0.3, 0.8  # the drop of a film's first frame, and of a batch's first chunk, as a part of the usual one
KEY_LEAST = 2.57  # the loss of a perfect copy without motion
LIVELY = 0.03  # by this part the drop is larger where a perfect copy scores 1 more, since more moves


def along(values, level):
    """The value at a level, between those at LEVELS."""
    above = min(len(LEVELS) - 1, max(1, bisect.bisect(LEVELS, level)))
    share = (level - LEVELS[above - 1]) / (LEVELS[above] - LEVELS[above - 1])
    return values[above - 1] * (1 - share) + values[above] * share


def loss(least, drop):
    return min(100., max(0., least + drop))


def lively(least):
    return 1 + LIVELY * (KEY_LEAST - least)


class Drops:
    """The loss of VMAF, as a part of a prediction; see prediction.Part."""
    power = 1.  # above 0: what is coarser costs more

    def __init__(self, level, drops, leasts, frames):
        """drops: of some chunks, by number, those of some frames at this level. leasts: of more chunks, of some frames
        the loss that a perfect copy has, below 0 where that scores more than 100. frames: how many the film has."""
        self.level, self.drops, self.leasts, self.frames = level, drops, leasts, frames
        self.still = {chunk: [drop / self.liveliness(chunk) for drop in some] for chunk, some in drops.items()}
        self.usual, self.near, self.means = {}, {}, {}

    @classmethod
    def of_record(cls, part):
        drops, leasts = ({int(chunk): some for chunk, some in part[name].items()} for name in ("drops", "leasts"))
        return cls(part["level"], drops, leasts, part["frames"])

    def record(self):
        return {"level": self.level, "drops": self.drops, "leasts": self.leasts, "frames": self.frames}

    def scale(self, level):
        return along(CURVE, level) / along(CURVE, self.level)

    def liveliness(self, chunk):
        """In proportion to which drops are, as the mean of some chunks nearby."""
        return statistics.fmean(lively(least) for near in shares(self.leasts, chunk) for least in self.leasts[near])

    def mean_loss(self, chunk, scale):
        """Of a chunk of which losses of perfect copies are known, if drops are so many times as large."""
        drops = [scale * drop for near in shares(self.still, chunk) for drop in self.still[near]]
        return statistics.fmean([loss(least, lively(least) * drop) for least in self.leasts[chunk] for drop in drops])

    def mean_losses(self, scale):
        if len(self.means) > 2:  # it is asked for chunk by chunk, and the first ones have another scale
            self.means.clear()
        if scale not in self.means:
            self.means[scale] = {chunk: self.mean_loss(chunk, scale) for chunk in self.leasts}
        return self.means[scale]

    def usual_drop(self, chunk):
        """The mean of a chunk's frames at the level of the sample, if it is not the first of its batch."""
        if chunk not in self.usual:
            still = {other: statistics.fmean(drops) for other, drops in self.still.items()}
            self.usual[chunk] = interpolated(still, chunk) * self.liveliness(chunk)
        return self.usual[chunk]

    def cost(self, chunk, level, layout, factor=1.):
        """factor: how many times the drops that were expected there are."""
        scale, count = factor * self.scale(level), layout.length(chunk, self.frames)
        if chunk not in self.near:
            self.near[chunk] = shares(self.leasts, chunk)
        losses = self.mean_losses(scale * (FIRST if layout.begins(chunk) else 1))
        mean = sum(losses[other] * share for other, share in self.near[chunk].items())
        if chunk:
            return count * mean
        return (count - 1) * mean + loss(KEY_LEAST, KEY * scale * self.usual_drop(chunk))

    def weight(self, chunk, level, layout):
        """What the factor is measured by: the drops of all frames."""
        part = FIRST if layout.begins(chunk) else 1
        return part * layout.length(chunk, self.frames) * self.scale(level) * self.usual_drop(chunk)
