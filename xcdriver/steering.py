# SPDX-License-Identifier: BSD-2-Clause
"""Choosing the levels that bring a film to its target: first by a prediction, then by what finished chunks cost."""
import functools
import math

from xcdriver import graph, ivf, probe, vmaf_probe
from xcdriver.ivf import bytes_by_kind
from xcdriver.levels import Levels, level_of_log_step, log_step, window_ends
from xcdriver.measuring import Quality
from xcdriver.prediction import Prediction
from xcdriver.processes import Failure
from xcdriver.sound import container_of

# The farthest that the logarithm of the first window's step is from that of the last probe, since a quality does not
# follow a power that far, and those of other windows from that of the window before.
FIRST_FARTHEST = {"ssim": 0.8, "psnr": 0.8}
FARTHEST = {"vmaf": 1.2}
USUAL_FARTHEST = 1.5
VMAF_FINEST = 16  # what VMAF lacks to 100 hardly depends on levels that are finer
# A film that would miss its target by less goes on at the level that it has, since even levels are worth more: for each
# frame. A sampled VMAF knows no better.
SLACK = {"ssim": 0.0004, "vmaf": 0.25}
LAST_SLACK = {**SLACK, "ssim": 0.001}  # the same before the last window, which would have to make up for all of it
# A film that misses its target by more is corrected: for each frame, or as a part of its cost.
TOLERANCE = {"ssim": 0.0018, "vmaf": 0.7}
WHOLE_VMAF = 0.9  # the same where all frames were measured
USUAL_TOLERANCE = 0.025
# How much of a miss of quality is corrected, since the power may be higher there, and a sampled VMAF may be off by half
# a point.
CAUTION = {"ssim": 0.7, "psnr": 0.7, "vmaf": 0.7}
# What is ahead may differ from what came before. The less has been encoded, the less it says: the first chunk of a
# picture that stands still costs little beside its key frame.
DOUBT = {"size": 0.25, "bitrate": 0.25}
USUAL_DOUBT = 2.
LEAST_CHANGE = 0.02  # of the logarithm of the step: half of what lies between two levels
MOST_SSIM = 0.99999  # that a chunk is brought to


def check(source, options):
    """Raises Failure if this film cannot be brought to a target."""
    if source.piped:
        raise Failure("standard input: a target needs a film that can be read twice; save it to a file, or use -q")
    if not source.frames:
        raise Failure(f"{source.name}: its length is not known, which a target needs; ffmpeg -i ... -c copy OUT.mkv "
                      "makes a file that has it")
    if options.structure not in graph.ANCHORED:
        raise Failure(f"a target needs --structure {' or '.join(graph.ANCHORED)}; with {options.structure}, use -q")


class Steering:
    """The levels of a film. The record of the work has all that was decided, so a later run goes on with the same
    levels."""

    def __init__(self, work, source, options, target, ceiling):
        """ceiling: makes chunks coarser where they take more bits than can come in, or None."""
        self.work, self.source, self.options, self.target, self.ceiling = work, source, options, target, ceiling
        self.quality = Quality(work)
        self.chosen = Levels(work.record.get("levels", []))
        self.levels = ceiling.over(self.chosen) if ceiling else self.chosen
        self.kinds = {}  # bytes of finished chunks, by number

    @property
    def lacks_sample(self):
        """Whether no earlier run has made the prediction."""
        return "plan" not in self.work.record

    def prepare(self, progress, sample):
        """Makes the prediction, unless an earlier run has. sample: of the film, if there is one."""
        if self.lacks_sample:
            self.work.update(plan=self.probed(progress, sample))
        plan = self.work.record["plan"]
        self.chunks, self.frames, self.cost = plan["chunks"], plan["frames"], plan["cost"]
        if self.ceiling:
            self.ceiling.chunks = self.chunks
        self.prediction = Prediction.of_record(plan["prediction"], self.work.layout)
        level = self.prediction.level(range(self.chunks), self.cost)
        self.ends = window_ends([sum(self.prediction.costs(chunk, level)) for chunk in range(self.chunks)],
                                min(8, max(2, self.chunks // 6)) if self.target.metric == "vmaf" else 1)

    def probed(self, progress, sample):
        hidden = sum(math.ceil(sample.frames_of(chunk) / graph.MINI_GOP) for chunk in range(sample.chunks))
        cost = self.target.cost(sample.frames, hidden, self.source.timing.rate, sample.tracks,
                                bool(container_of(self.options.output)))
        predict = (vmaf_probe if self.target.metric == "vmaf" else probe).predict
        prediction = predict(sample, self.target, cost,
                             lambda level: progress.begin(f"probing level {level}", None))
        return {"chunks": sample.chunks, "frames": sample.frames, "cost": cost, "prediction": prediction.record()}

    def window_end(self, chunk):
        """The end of the window that a chunk is in. A film that is longer than it was when it was probed has one more
        window."""
        return next((end for end in self.ends if end > chunk), graph.LAST_CHUNK)

    def decide(self, chunk, note):
        """Chooses the level of the window that begins with this chunk, unless that was done before."""
        if chunk < self.chosen.end:
            return
        rest, factor = self.rest(chunk)
        level = self.near(self.level(chunk, rest, factor))
        fit = self.fit(chunk, level, rest, factor) if self.window_end(chunk) == chunk + 1 else []
        self.chosen.windows.append([chunk, self.window_end(chunk), level, fit])
        self.work.update(levels=self.chosen.windows)
        note(f"level {level:.2f} from chunk {chunk} on")

    def slack(self, chunk):
        """That of the whole film, when the level of the window is chosen that begins with this chunk."""
        slacks = LAST_SLACK if self.window_end(chunk) == self.chunks else SLACK
        return slacks.get(self.target.metric, 0) * self.frames

    def level(self, chunk, rest, factor):
        """The level of the window before, or the nearest one to that at which the chunks from this one on come to a
        cost, within the slack."""
        def level_of(cost):
            return self.prediction.level(range(chunk, self.chunks), cost, factor, self.limited(chunk))
        slack = self.slack(chunk)
        if slack and self.chosen.windows:
            return min(level_of(rest + slack), max(level_of(rest - slack), self.chosen.windows[-1][2]))
        return level_of(rest)

    def limited(self, first):
        """What the chunks from this one on can come to; see Prediction.level()."""
        return self.ceiling and functools.partial(self.ceiling.limited, first, rate=self.source.timing.rate)

    def fit(self, chunk, level, rest, factor):
        """Options of xc-enc that bring a chunk to a cost: to bytes, if it is one of the last two, or what follows it is
        cheaper; to an SSIM only if what follows is much cheaper, since what anchors lack takes many bytes to make good.
        The last chunk may be too short for both."""
        own, *others = (sum(self.prediction.costs(number, level, factor)) for number in range(chunk, self.chunks))
        cost = rest - math.fsum(others)
        cost = min(cost + self.slack(chunk), max(cost - self.slack(chunk), own))
        if self.ceiling:
            cost = min(cost, self.ceiling.room(chunk, self.source.timing.rate))
        ahead = math.fsum(others)
        if self.target.metric == "ssim" and ahead <= own / 2:
            loss = cost / self.work.layout.length(chunk, self.frames)
            return ["--fit-ssim", f"{min(MOST_SSIM, max(0, 1 - loss)):.6f}"]
        if not self.target.is_quality and (len(others) < 2 or ahead <= own):
            return ["--fit-bytes", str(max(1, round(cost) + ivf.HEADER))]
        return []

    def correct(self, segment, note):
        """After the last segment: if the film has missed its target, removes what was made of the last window, if that
        is this segment, chooses another level for it, and returns True. This is done once."""
        miss = sum(self.spent(self.chunks)) - self.cost
        metric = self.target.metric
        most = TOLERANCE[metric] * self.frames if metric in TOLERANCE else USUAL_TOLERANCE * self.cost
        if metric == "vmaf" and self.quality.total("vmaf", 0) == self.frames:
            most = WHOLE_VMAF * self.frames
        first, end, before, _ = self.chosen.windows[-1]
        if self.work.record.get("corrected") or abs(miss) <= most or segment.first != first:
            return False
        if self.ceiling and self.ceiling.has_raised(first) and miss < 0:  # it has as many bytes as it can have
            return False
        parts = [total - earlier for total, earlier in zip(self.spent(end), self.spent(first))]
        levels = {chunk: self.levels(chunk) for chunk in range(first, end)}
        factor = self.prediction.factor(levels, self.weight(end) - self.weight(first))
        cost = sum(parts)
        if metric == "vmaf":  # which the factor does not make the same as what was predicted
            cost = sum(sum(self.prediction.costs(chunk, level, factor)) for chunk, level in levels.items())
        level = self.near(self.prediction.level(range(first, end), cost - CAUTION.get(metric, 1) * miss, factor,
                                                self.limited(first)))
        if abs(log_step(level) - log_step(before)) < LEAST_CHANGE:
            return False
        segment.remove(self.work.path)
        self.kinds = {chunk: kinds for chunk, kinds in self.kinds.items() if chunk < first}
        self.chosen.windows[-1][2] = level
        self.quality.drop(first)
        if self.ceiling:
            self.ceiling.go_back(first)
        self.work.update(levels=self.chosen.windows, corrected=True)
        note(f"level {level:.2f} instead of {before:.2f} from chunk {first} on")
        return True

    def rest(self, chunk):
        """What the chunks from this one on may cost, and by which factor the prediction is wrong, after those before
        it."""
        if not chunk:
            return self.cost, 1.
        spent = self.spent(chunk)
        levels = {number: self.levels(number) for number in range(chunk)}
        ahead = sum(self.prediction.weight(number, self.levels(number)) for number in range(chunk, self.chunks))
        doubt = DOUBT.get(self.target.metric, USUAL_DOUBT)
        return self.cost - sum(spent), self.prediction.factor(levels, self.weight(chunk), doubt * ahead)

    def near(self, level):
        """A level not too far from what is known."""
        if self.chosen.windows:
            known, farthest = self.chosen.windows[-1][2], FARTHEST.get(self.target.metric, USUAL_FARTHEST)
        else:
            known, farthest = self.prediction.parts[-1].level, FIRST_FARTHEST.get(self.target.metric, USUAL_FARTHEST)
            level = max(level, VMAF_FINEST) if self.target.metric == "vmaf" else level
        low, high = log_step(known) - farthest, log_step(known) + farthest
        return round(level_of_log_step(min(high, max(low, log_step(level)))), 3)

    def spent(self, end):
        """What the finished chunks before this one have cost, in the parts of the prediction."""
        if self.target.is_quality:
            return [self.total(1 + self.target.column, end)]
        for chunk in range(end):
            if chunk not in self.kinds:
                self.kinds[chunk] = bytes_by_kind(self.work.path / graph.finished(chunk))
        return [sum(self.kinds[chunk][part] for chunk in range(end)) for part in (0, 1)]

    def total(self, column, end):
        """Of the frames before a chunk, what the mean of those that were measured leads to (Quality.total())."""
        return (self.quality.mean_until(self.target.measured, column, end) *
                min(self.frames, self.work.layout.frame(end)))

    def weight(self, end):
        """What the finished chunks before this one have come to, in the terms of Prediction.factor()."""
        return self.total(2, end) if self.target.metric == "vmaf" else self.spent(end)[-1]


class Constant:
    """The same for a film that has one level."""

    def __init__(self, work, level, ceiling):
        self.levels, self.quality, self.target = ceiling.over(level) if ceiling else level, Quality(work), None
        self.chunks = self.frames = None
        self.lacks_sample = False

    def prepare(self, progress, sample):
        pass

    def window_end(self, chunk):
        return graph.LAST_CHUNK

    def decide(self, chunk, note):
        pass

    def correct(self, segment, note):
        return False


def steering_of(work, source, options, target, ceiling):
    if target:
        return Steering(work, source, options, target, ceiling)
    return Constant(work, options.quality, ceiling)
