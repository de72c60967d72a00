# SPDX-License-Identifier: BSD-2-Clause
"""How VMAF depends on the level.

VMAF itself follows no law: what it lacks to 100 depends on the motion, and it is clipped there. But the drop, by which
a frame scores less than a perfect copy of it would, not clipped, depends on the level in the same way in all films."""
import bisect
import math
import statistics

from xcdriver.interpolation import interpolated, shares

LEVELS = (0, 16, 22, 28, 34, 40, 46, 52, 58, 63)
# The mean drop of a film's frames, compared with that at level 46: means of eight clips (docs/quality.md). At level 0,
# it is a guess.
CURVE = (0.15, 0.325, 0.397, 0.5, 0.635, 0.793, 1, 1.217, 1.542, 1.805)
KEY, FIRST = 0.3, 0.8  # the drop of a film's first frame, and of a batch's first chunk, as a part of the usual one
KEY_LEAST = 2.57  # the loss of a perfect copy without motion
# Where more moves, frames drop more: in proportion to this power of the motion, and of a little more, so that it is
# not 0 where nothing moves. In the eight clips the power is between 0 and 0.6. So that of a film is near to the usual
# one as long as it does not have chunks enough that say otherwise.
USUAL_POWER, LITTLE = 0.25, 0.3


def along(values, level):
    """The value at a level, between those at LEVELS."""
    above = min(len(LEVELS) - 1, max(1, bisect.bisect(LEVELS, level)))
    share = (level - LEVELS[above - 1]) / (LEVELS[above] - LEVELS[above - 1])
    return values[above - 1] * (1 - share) + values[above] * share


def loss(least, drop):
    return min(100., max(0., least + drop))


def around(known, chunk):
    """All that is known of the chunks nearby."""
    return [value for near in shares(known, chunk) for value in known[near]]


def motion(least):
    """About that of a picture whose perfect copy lacks so much to 100 (vmaf.perfect()), and the little."""
    return max(0., KEY_LEAST - least) / 1.4 + LITTLE


def power_of_motion(pairs):
    """The power of the motion that drops follow. pairs: of some chunks, the logarithms of motion and drop. It is that
    of least squares, with the usual power counting like chunks whose logarithms of motion vary by 1."""
    if not pairs:
        return USUAL_POWER
    mean_motion, mean_drop = map(statistics.fmean, zip(*pairs))
    square = math.fsum((moved - mean_motion) ** 2 for moved, _ in pairs)
    both = math.fsum((moved - mean_motion) * (drop - mean_drop) for moved, drop in pairs)
    return (both + USUAL_POWER) / (square + 1)


class Drops:
    """The loss of VMAF, as a part of a prediction; see prediction.Part."""
    power = 1.  # above 0: what is coarser costs more

    def __init__(self, level, drops, leasts, frames):
        """drops: of some chunks, by number, those of some frames at this level. leasts: of more chunks, of some frames
        the loss that a perfect copy has, below 0 where that scores more than 100. frames: how many the film has."""
        self.level, self.drops, self.leasts, self.frames = level, drops, leasts, frames
        self.power_of_motion = power_of_motion([
            (statistics.fmean(math.log(motion(least)) for least in around(leasts, chunk)),
             math.log(statistics.fmean(some))) for chunk, some in drops.items() if statistics.fmean(some) > 0])
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

    def lively(self, least):
        return motion(least) ** self.power_of_motion

    def liveliness(self, chunk):
        """In proportion to which drops are, as the mean of some chunks nearby."""
        return statistics.fmean(map(self.lively, around(self.leasts, chunk)))

    def mean_loss(self, chunk, scale):
        """Of a chunk of which losses of perfect copies are known, if drops are so many times as large."""
        drops = around(self.still, chunk)
        return statistics.fmean([loss(least, scale * self.lively(least) * drop)
                                 for least in self.leasts[chunk] for drop in drops])

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
