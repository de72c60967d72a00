# SPDX-License-Identifier: BSD-2-Clause
"""What the chunks of a film will cost at a level: bytes, or the loss of their frames (target.py)."""
import math
import statistics

from xcdriver.drop import Drops
from xcdriver.interpolation import interpolated
from xcdriver.levels import COARSEST, FINEST, level_of_log_step, log_step

# The power of the quantizer's step that costs follow, as a first guess: from the films of docs/quality.md. Key frames
# depend less on it than all other frames, so they are a part of their own.
POWERS = {"size": (-0.3, -0.8), "ssim": (0.58,), "psnr": (0.8,)}
# The distance of the logarithms of steps from which on two rounds say more about the power than the first guess does.
TELLING = 0.35
NEARLY = 0.99  # of what a film can take at most


class Part:
    """A part of the costs of some chunks, at one level."""

    def __init__(self, level, power, costs):
        """costs: by the number of the chunk."""
        self.level, self.power, self.costs = level, power, costs
        self.guesses = {}  # of chunks that are not among them

    @classmethod
    def of_record(cls, part):
        return cls(part["level"], part["power"], {int(chunk): cost for chunk, cost in part["costs"].items()})

    def record(self):
        return {"level": self.level, "power": self.power, "costs": self.costs}

    def cost(self, chunk, level, layout, is_rare=False, factor=1.):
        """Of a chunk that is not known, what those in the same place of the batches around it lead to, or the mean of
        all, by how many frames they have. is_rare: the cost is that of a key frame, which most chunks do not have, so
        nothing is expected of a place that is not known. factor: how many times what was expected it costs."""
        known = self.costs.get(chunk, self.guesses.get(chunk))
        if known is None:
            place = layout.place(chunk)
            each = {other: cost if is_rare else cost / layout.length(other) for other, cost in self.costs.items()}
            alike = {other: cost for other, cost in each.items() if layout.place(other) == place}
            known = interpolated(alike, chunk) if alike else 0 if is_rare else statistics.fmean(each.values())
            known = self.guesses[chunk] = known if is_rare else known * layout.length(chunk)
        return factor * known * math.exp(self.power * (log_step(level) - log_step(self.level)))

    def weight(self, chunk, level, layout):
        """What the factor is measured by."""
        return self.cost(chunk, level, layout)

    def refined(self, other):
        """This part with the power that leads from another one, which is the same at another level, or a part of that,
        to it; but the less that says, the more with the power of the other one."""
        distance = log_step(self.level) - log_step(other.level)
        both = self.costs.keys() & other.costs.keys()
        costs = [sum(part.costs[chunk] for chunk in both) for part in (self, other)]
        if not distance or min(costs) <= 0:
            return Part(self.level, other.power, self.costs)
        low, high = sorted((self.power / 3, self.power * 3))
        power = min(high, max(low, math.log(costs[0] / costs[1]) / distance))
        known = costs[0] / sum(self.costs.values())
        share = distance ** 2 / (distance ** 2 + TELLING ** 2) * math.sqrt(known)
        return Part(self.level, share * power + (1 - share) * other.power, self.costs)


class Prediction:
    """Of all chunks. The last part may be wrong by a factor, which is found out when chunks have been encoded."""

    def __init__(self, parts, layout):
        self.parts, self.layout = parts, layout

    @classmethod
    def of_record(cls, record, layout):
        return cls([(Drops if "drops" in part else Part).of_record(part) for part in record], layout)

    def record(self):
        return [part.record() for part in self.parts]

    def refined(self, other):
        """With the powers that lead from another round to this one."""
        return Prediction([one.refined(two) for one, two in zip(self.parts, other.parts)], self.layout)

    def costs(self, chunk, level, factor=1.):
        *keys, rest = self.parts
        return [*(part.cost(chunk, level, self.layout, True) for part in keys),
                rest.cost(chunk, level, self.layout, factor=factor)]

    def weight(self, chunk, level):
        """What the factor is measured by: the cost of the last part, or what that follows from."""
        return self.parts[-1].weight(chunk, level, self.layout)

    def factor(self, levels, weight, doubt=0.):
        """How many times the last part of the prediction finished chunks have come to. levels: by their numbers.
        weight: what was found there. doubt: a weight for which the prediction is taken to be right, beside that."""
        expected = sum(self.weight(chunk, level) for chunk, level in levels.items()) + doubt
        return (weight + doubt) / expected if expected > 0 else 1.

    def level(self, chunks, cost, factor=1., limited=None):
        """The level at which these chunks will cost so much; it may have a fraction. limited: a function from the costs
        of all chunks, as lists of their parts, to what they can come to together; None: there is no limit."""
        total = limited or (lambda costs: sum(map(sum, costs)))

        def total_at(level):
            return total([self.costs(chunk, level, factor) for chunk in chunks])

        def excess(level):
            return (total_at(level) - cost) * (1 if self.parts[-1].power > 0 else -1)
        if limited:  # what is at the limit anyway need not be tried at levels that are finer still
            cost = min(cost, NEARLY * total_at(FINEST))
        low, high = log_step(FINEST), log_step(COARSEST)
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if excess(level_of_log_step(middle)) < 0 else (low, middle)
        return round(level_of_log_step(low), 3)
