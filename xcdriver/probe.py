# SPDX-License-Identifier: BSD-2-Clause
"""Encoding a sample of a film, fast and in part, to predict what the film will cost at a level.

libvpx searches as fast as it can then. Of all chunks only the anchors are encoded, and the other frames of every third
one: what they cost follows the anchors from chunk to chunk."""
import functools
import math
import types

from xcdriver import graph
from xcdriver.comparison import Comparison, compare
from xcdriver.ivf import bytes_by_kind
from xcdriver.levels import level_of_log_step
from xcdriver.makefile import makefile
from xcdriver.prediction import POWERS, Part, Prediction
from xcdriver.segment import make

# What films cost at a step of 31, for a first guess: bytes for each sample of the luma, or the loss of each frame.
USUAL_STEP, USUAL = 31, {"size": 0.02, "ssim": 0.018, "vmaf": 6}
LEAST, MOST = 6, 56  # levels that are tried
# What a thorough search costs, divided by the cost of a fast one; and how much of that saving the search has at each
# speed, as an exponent (docs/quality.md).
SAVING = {"key": 1., "size": 0.77, "ssim": 0.82, "vmaf": 0.75}
THOROUGHNESS = (1, 1, 0.9, 0.5, 0)
EACH = 4  # of so many chunks, one is encoded as a whole, beginning with the second one
FAST = ["ANCHORED_OPTIONS=-q rt", "ENGINE=local"]


def interpolated(known, chunk):
    """A value between those that are known by the number of a chunk."""
    before, after = (max((c for c in known if c <= chunk), default=None), min((c for c in known if c >= chunk),
                                                                              default=None))
    if before is None or after is None or before == after:
        return known[after if before is None else before]
    share = (chunk - before) / (after - before)
    return known[before] * (1 - share) + known[after] * share


def anchors(chunk):
    return f"{graph.stem(chunk)}-anchors.ivf"


class Probe:
    """Rounds of encoding a sample."""

    def __init__(self, sample, target, on_wait):
        self.sample, self.on_wait = sample, on_wait
        self.metric = target.metric if target.is_quality else "size"
        self.saving = SAVING[self.metric] ** THOROUGHNESS[sample.options.speed]

    def round(self, level, batches):
        """Encodes batches of the sample, or the beginnings of some, and returns the prediction that follows for one
        level."""
        batches = [list(batch) for batch in batches]
        whole = [chunk for batch in batches for chunk in batch[1::EACH] or batch]
        self.encode(level, whole, [chunk for batch in batches for chunk in batch])
        measure = self.sizes if self.metric == "size" else self.losses
        parts = [{} for _ in POWERS[self.metric]]
        for batch in batches:
            for part, costs in zip(parts, measure(batch, [chunk for chunk in whole if chunk in batch])):
                part.update(costs)
        return Prediction([Part(level, power, part) for power, part in zip(POWERS[self.metric], parts)],
                          self.sample.options.batch)

    def encode(self, level, whole, others):
        """Makes the chunks `whole`, and the anchors of `others`."""
        options = self.sample.options
        names = [*map(graph.finished, whole), *map(anchors, others)]
        text = makefile(self.sample.batches, options.batch, level, options.structure)
        make(self.sample, types.SimpleNamespace(makefile=text, goals=names), options, self.on_wait, lambda line: None,
             FAST)

    def sizes(self, batch, whole):
        """The bytes of each chunk of a batch: of its key frames, and of the others, which a thorough search would
        take."""
        ahead = {chunk: bytes_by_kind(self.sample.path / anchors(chunk)) for chunk in batch}
        ratio = {chunk: bytes_by_kind(self.sample.path / graph.finished(chunk))[1] / max(1, ahead[chunk][1])
                 for chunk in whole}
        return ({chunk: key * SAVING["key"] for chunk, (key, _) in ahead.items()},
                {chunk: rest * interpolated(ratio, chunk) * self.saving for chunk, (_, rest) in ahead.items()})

    def losses(self, batch, whole):
        """The loss of all frames of each chunk of a batch."""
        beginners = [functools.partial(Comparison, self.sample, [chunk], self.metric, self.sample.options.chunk,
                                       state=None if chunk == batch[0] else f"{graph.stem(chunk - 1)}-anchors.state")
                     for chunk in whole]
        found = compare(beginners, self.sample.options.jobs, self.on_wait)
        mean = {chunk: sum(frame[0] for frame in frames) / len(frames)
                for chunk, frames in zip(whole, found) if frames} or {whole[0]: 1.}
        return [{chunk: interpolated(mean, chunk) * self.saving * self.sample.frames_of(chunk)
                 for chunk in batch}]


def first_guess(metric, sample, cost):
    """The level at which a usual film would cost so much."""
    width, height = sample.source.size
    usual = USUAL[metric] * sample.frames * (width * height if metric == "size" else 1)
    return level_of_log_step(math.log(USUAL_STEP) + math.log(cost / usual) / POWERS[metric][-1])


def predict(sample, target, cost, on_wait, note):
    """The prediction for a film. Two chunks are encoded at a level that is guessed. They tell at which level the sample
    is encoded, and how costs depend on the level. If the sample is only a part of the film, it is encoded once more at
    the level that has been found. cost: that of the whole film."""
    probe = Probe(sample, target, on_wait)
    level, found = first_guess(probe.metric, sample, cost), None
    middle = sample.batches[len(sample.batches) // 2]
    for batches in [[middle[:2]], *[sample.batches] * (1 if sample.is_whole else 2)]:
        level = min(MOST, max(LEAST, round(level)))
        note(f"probing level {level}")
        better = probe.round(level, batches)
        found = better.refined(found) if found else better
        level = found.level(range(sample.chunks), cost)
    return found
