# SPDX-License-Identifier: BSD-2-Clause
"""The quality of a film, which is measured segment by segment, while there are raw pictures to compare with."""
import functools
import math

from xcdriver import graph, vmaf
from xcdriver.comparison import Comparison, compare
from xcdriver.target import PEAK


def metrics_of(options, target):
    """What has to be measured."""
    wanted = {"ssim"} if options.measure else set()
    return sorted(wanted | ({target.measured} if target and target.is_quality else set()))


class Quality:
    """What was measured of the parts of a film. It is a part of the record of the work, so it survives an
    interruption."""

    def __init__(self, work):
        # Of each segment: its first chunk, the chunk after its last, and of each metric how many frames were measured,
        # and the sums over them. What a power cut has damaged is encoded, and measured, again.
        done = work.record["done"]
        self.segments = [part for part in work.record.get("measured", []) if part["end"] <= done]

    def add(self, first, end, results):
        """results: the figures of each frame by metric."""
        sums = {metric: [len(frames), *map(math.fsum, zip(*frames))] for metric, frames in results.items() if frames}
        self.segments.append({"first": first, "end": end, **sums})

    def record(self):
        """What is to be in the record of the work."""
        return {"measured": self.segments} if self.segments else {}

    def total(self, metric, column):
        """The sum of a column of a metric over all segments: 0 is how many frames there are, 1 their loss, and 2, for
        SSIM, their mean squared error, and for VMAF, their drop (vmaf.figures())."""
        return math.fsum(part[metric][column] for part in self.segments if metric in part)

    def drop(self, first):
        """Forgets what was measured from this chunk on, because it is encoded again."""
        self.segments = [part for part in self.segments if part["first"] < first]

    def mean_until(self, metric, column, end):
        """The mean of a column of the chunks before this one; 0 if there are none."""
        parts = [part[metric] for part in self.segments if part["end"] <= end and metric in part]
        return sum(part[column] for part in parts) / max(1, sum(part[0] for part in parts))

    def has(self, metric):
        return self.total(metric, 0) > 0

    def loss(self, metric):
        """The mean of how far frames are from perfect."""
        return self.total(metric, 1) / self.total(metric, 0)

    @property
    def psnr(self):
        """That of the mean of all squared errors, in dB; None if there are none."""
        error = self.total("ssim", 2) / self.total("ssim", 0)
        return 10 * math.log10(PEAK / error) if error > 1e-7 else None


def beginner(work, chunks, first, metric, each):
    """A function that begins to compare the chunks of a batch, from the first one of a segment on. Chunks of the batch
    before it need not be decoded again if the state after them is there."""
    state = f"{graph.stem(first - 1)}-anchors.state"
    if chunks[0] < first and (work.path / state).exists():
        return functools.partial(Comparison, work, [chunk for chunk in chunks if chunk >= first], metric, each,
                                 state=state)
    return functools.partial(Comparison, work, chunks, metric, each, max(0, first - chunks[0]))


def measure(work, segment, metrics, options, frames, on_wait):
    """Measures a segment that is finished. frames: how many the film has; only VMAF needs to know. Returns what
    Quality.add() takes, for each batch or part of one, since a later run may go on after any batch."""
    each = vmaf.distance(frames, options.chunk) if "vmaf" in metrics else 1
    parts = work.layout.batches(segment.end, segment.start)
    found = {metric: compare([beginner(work, part, segment.first, metric, each) for part in parts],
                             options.jobs, on_wait) for metric in metrics}
    return [(max(part[0], segment.first), part[-1] + 1, {metric: found[metric][number] for metric in metrics})
            for number, part in enumerate(parts)]
