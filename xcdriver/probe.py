# SPDX-License-Identifier: BSD-2-Clause
"""Encoding a sample of a film, fast and in part, to predict what the film will cost at a level.

libvpx searches as fast as it can then. Of all chunks only the anchors are encoded, and the other frames of every fourth
one: what they cost follows the anchors from chunk to chunk."""
import functools
import math
import statistics
import types

from xcdriver import graph
from xcdriver.comparison import Comparison, compare
from xcdriver.interpolation import interpolated
from xcdriver.ivf import bytes_by_kind
from xcdriver.levels import level_of_log_step, log_step
from xcdriver.makefile import makefile
from xcdriver.prediction import POWERS, Part, Prediction
from xcdriver.segment import make

# What films cost at a level, for a first guess: bytes for each sample of the luma, of key frames and of all others, or
# the loss of each frame. These are about the means of the films of docs/quality.md.
USUAL_LEVEL, USUAL = 22, {"key": 0.25, "size": 0.0135, "ssim": 0.0125, "psnr": 3.6}
LEAST, MOST = 6, 56  # levels that are tried
# What a thorough search costs, divided by the cost of a fast one; and how much of that saving the search has at each
# speed, as an exponent (docs/quality.md).
SAVING = {"key": 1., "size": 0.82, "ssim": 0.83, "psnr": 0.81}
THOROUGHNESS = (1, 1, 0.9, 0.5, 0)
# Between the logarithms of steps: what was found at one says little about another. An SSIM is brought about by the last
# chunk (levels.py), so it may be farther; and so may that of a film of one chunk, and its size.
FAR = {"size": 0.6, "ssim": 0.9, "psnr": 0.6}
FAR_ALONE = {**FAR, "size": 0.9, "ssim": 1.2}
NEAR = 0.15  # the same: within that, a round keeps the level of the one before it, and what that has made
EACH = 4  # for a size, of so many chunks, one is encoded as a whole, beginning with the second one
FAST = ["ANCHORED_OPTIONS=-q rt", "ENGINE=local"]


def anchors(chunk):
    return f"{graph.stem(chunk)}-anchors.ivf"


def encode(sample, level, batches, names):
    """Makes files of these batches of a sample."""
    text = makefile(batches, sample.layout, level, sample.options.structure)
    make(sample, types.SimpleNamespace(makefile=text, goals=names), sample.options, lambda: None, lambda line: None,
         FAST)


class Probe:
    """Rounds of encoding a sample."""

    def __init__(self, sample, target):
        self.sample, self.target = sample, target
        self.metric = target.metric if target.is_quality else "size"
        self.saving = SAVING[self.metric] ** THOROUGHNESS[sample.options.speed]

    def round(self, level, batches):
        """Encodes batches of the sample, or the beginnings of some, and returns the prediction that follows for one
        level."""
        is_size, is_sample = self.metric == "size", batches is self.sample.batches
        if is_sample and is_size:
            whole = [chunk for batch in batches for chunk in batch[1::EACH] or batch]
        else:
            whole = [batch[len(batch) // 2 if is_sample else -1] for batch in batches]
        others = [chunk for batch in batches for chunk in batch] if is_size else []
        encode(self.sample, level, batches, [*map(graph.finished, whole), *map(anchors, others)])
        measure = self.sizes if is_size else self.losses
        parts = [{} for _ in POWERS[self.metric]]
        for batch in batches:
            for part, costs in zip(parts, measure(batch, [chunk for chunk in whole if chunk in batch])):
                part.update(costs)
        return Prediction([Part(level, power, part) for power, part in zip(POWERS[self.metric], parts)],
                          self.sample.layout)

    def sizes(self, batch, whole):
        """The bytes of each chunk of a batch: of its key frames, and of the others, which a thorough search would
        take."""
        ahead = {chunk: bytes_by_kind(self.sample.path / anchors(chunk)) for chunk in batch}
        around = self.around(batch, {chunk: rest for chunk, (_, rest) in ahead.items()})
        followers = {chunk: (frames := self.sample.frames_of(chunk)) - math.ceil(frames / graph.MINI_GOP)
                     for chunk in batch}
        # Of each follower, as a part of the bytes of anchors.
        each = {chunk: (bytes_by_kind(self.sample.path / graph.finished(chunk))[1] - ahead[chunk][1]) /
                max(1, around[chunk]) / followers[chunk] for chunk in whole if followers[chunk]} or {whole[0]: 0}
        return ({chunk: key * SAVING["key"] for chunk, (key, _) in ahead.items()},
                {chunk: (rest + around[chunk] * followers[chunk] * interpolated(each, chunk)) * self.saving
                 for chunk, (_, rest) in ahead.items()})

    def around(self, batch, sizes):
        """The sizes of a batch's anchors, to compare followers with. If chunks are so short that anchors are finer by
        turns (lib/chunk/policy.c), followers lie between two of them, so it is a mean."""
        if 2 * self.sample.options.chunk > graph.MINI_GOP:
            return sizes
        beside = {chunk: [sizes[other] for other in (chunk - 1, chunk + 1) if other in sizes] for chunk in batch}
        return {chunk: (sizes[chunk] + statistics.fmean(beside[chunk] or [sizes[chunk]])) / 2 for chunk in batch}

    def losses(self, batch, whole):
        """The loss of all frames of each chunk of a batch."""
        beginners = [functools.partial(Comparison, self.sample, [chunk], self.target.measured, 1,
                                       state=None if chunk == batch[0] else f"{graph.stem(chunk - 1)}-anchors.state")
                     for chunk in whole]
        found = compare(beginners, self.sample.options.jobs, lambda: None)
        mean = {chunk: sum(frame[self.target.column] for frame in frames) / len(frames)
                for chunk, frames in zip(whole, found) if frames} or {whole[0]: 1.}
        return [{chunk: interpolated(mean, chunk) * self.saving * self.sample.frames_of(chunk)
                 for chunk in batch}]


def usual(metric, sample):
    """A prediction without any knowledge of the film but how long it is, and how large its pictures are."""
    samples, chunks = math.prod(sample.source.size) if metric == "size" else 1, range(sample.chunks)
    parts = [{chunk: USUAL[metric] * samples * sample.frames_of(chunk) for chunk in chunks}]
    if metric == "size":
        parts = [{chunk: USUAL["key"] * samples * sample.layout.begins(chunk) for chunk in chunks}, *parts]
    return Prediction([Part(USUAL_LEVEL, power, costs) for power, costs in zip(POWERS[metric], parts)],
                      sample.layout)


def beginning(sample, metric):
    """Some chunks, of which the last is encoded as a whole. A key frame weighs on sizes, so it has to be a real one.
    How much others owe to its quality shows in the middle of a batch."""
    batch = sample.batches[len(sample.batches) // 2]
    return batch[:2] if metric == "size" else batch[:len(batch) // 2 + 1]


def rounds(sample, target):
    """What is encoded to find a level: some chunks, which tell at which level the sample is encoded, and how costs
    depend on the level; then the sample. For the quality of a short film, some chunks are enough, since its cost need
    not be known that well. The last ones are encoded once more if they were far from what was found."""
    some = [beginning(sample, target.metric if target.is_quality else "size")]
    if sample.is_whole and len(sample.batches) == 1:
        again = some if target.is_quality or sample.chunks <= len(some[0]) else sample.batches
        return [some, again]
    return [some, sample.batches, sample.batches]


def predict(sample, target, cost, on_round):
    """The prediction for a film. cost: that of the whole film. on_round: called with the level of each round."""
    probe, found, before, tried = Probe(sample, target), None, None, None
    level = usual(probe.metric, sample).level(range(sample.chunks), cost)
    far = (FAR_ALONE if sample.chunks == 1 else FAR)[probe.metric]
    for batches in rounds(sample, target):
        if before and before is not batches and len(batches) > 1:  # one batch of several says less about the film
            half = (log_step(level) - log_step(tried)) / 2
            level = level_of_log_step(log_step(tried) + max(-far, min(far, half)))
        wanted = min(MOST, max(LEAST, round(level)))
        distance = abs(log_step(wanted) - log_step(tried)) if before else math.inf
        if batches is before and distance < far:
            break
        tried, before = tried if distance < NEAR else wanted, batches
        on_round(tried)
        better = probe.round(tried, batches)
        found = better.refined(found) if found else better
        level = found.level(range(sample.chunks), cost)
    return found
