# SPDX-License-Identifier: BSD-2-Clause
"""The authors' runs: what they have published, and the model of them."""
import bisect
import json
import pathlib
import statistics

from latency.chance import Film, runs
from latency.schedule import Crowd, no_traffic
from latency.tasks import film_steps, tasks_of

# The authors' runs. They encoded the film in four parts of 880 or 896 chunks, each in a region of its own, five times.
# Their published figure is the median of the slowest part, interpolated to SSIM 20 dB between two qualities.

PARTS, REPEATS, WORKERS = 4, 5, 880
PUBLISHED = {1: 28.8, 2: 53.0, 4: 85.5, 8: 110.5, 16: 156.6}  # seconds, 4K Sintel at SSIM 20 dB, 3,552 chunks
# Spread.content by batch size, measured by bench/paper-spread.py. The finer the quantizer, the more content matters.
CONTENT = {1: 0.256, 2: 0.328, 4: 0.353, 8: 0.367, 16: 0.384}
ENC_ALONE = 10.7  # seconds that an xc-enc takes if it begins when the others have ended


class Paper:
    """The authors' data. Figures are averages over the two qualities of each configuration."""

    def __init__(self, path):
        data = json.loads(pathlib.Path(path).read_text())["configs"]
        self.configs = {size: list(data[f"[6,{size}]"].values()) for size in PUBLISHED}

    def finish(self, size, position):
        return statistics.mean(quality["finish_by_position"][str(position)] for quality in self.configs[size])

    def state(self, size, position, name):
        """The median of the seconds in a state at a position, interpolated if that position was not recorded."""
        def at(which):
            return statistics.mean(quality["median_state_seconds_by_position"][str(which)].get(name, 0)
                                   for quality in self.configs[size])
        known = sorted(map(int, self.configs[size][0]["median_state_seconds_by_position"]))
        if position in known:
            return at(position)
        high = bisect.bisect(known, position)
        left, right = known[high - 1], known[high]
        return at(left) + (at(right) - at(left)) * (position - left) / (right - left)

    def hop(self, position, sizes):
        """How many seconds a chunk is finished after the chunk before it, in batches of these sizes. From position 4 on
        only the serial step matters, so there is one figure for all those positions. The last chunk is left out,
        because it writes no state."""
        positions = [position] if position < 4 else range(4, max(sizes))
        return statistics.median(self.finish(size, at) - self.finish(size, at - 1)
                                 for size in sizes for at in positions if at < size - 1)

    def medians(self, size):
        """How long the steps take, for each position. A worker is in XCEncRunState for vpxenc, for xc-enc and for the
        rebasing xc-enc, and the data have only one median for all of these. So vpxenc's time is that of position 0,
        where there is nothing else. xc-enc's time follows from position 1, where the median lies half-way between
        the two. The time of rebasing is taken from the other sizes only."""
        vpxenc = self.state(size, 0, "XCEncRunState")
        enc = 2 * self.state(size, min(1, size - 1), "XCEncRunState") - vpxenc
        others = [other for other in PUBLISHED if other != size]
        # XCEncDumpState includes compressing the state and starting to send it, before the worker continues.
        return [{"vpxenc": vpxenc, "terminate-chunk": self.state(size, position, "XCEncDumpState"), "dump": 0,
                 "enc": enc, "rebase": self.hop(position, others) if position > 1 else 0} for position in range(size)]

    def film(self, size):
        """A run of the authors, as our classic graph."""
        tasks, medians = tasks_of(film_steps("classic", WORKERS, size)), self.medians(size)
        positions = [chunk % size for chunk in range(WORKERS)]
        launched = sorted(range(WORKERS), key=positions.__getitem__)
        rank = {chunk: number for number, chunk in enumerate(launched)}
        begin = [self.state(size, position, "launch") + self.state(size, position, "XCEncSettingsState")
                 for position in range(size)]
        closing = [self.state(size, position, "XCEncFinishState") for position in range(size)]
        return Film(tasks, [medians[positions[task.chunk]][task.kind] for task in tasks],
                    [rank[task.chunk] for task in tasks], [closing[position] for position in positions],
                    crowd=Crowd(self.finish(size, min(1, size - 1)), ENC_ALONE / medians[0]["enc"]),
                    begin=[begin[position] for position in positions], traffic=no_traffic(tasks))


def published_total(film, spread, seed):
    """The authors' figure for one film, whose parts differ in content."""
    return max(statistics.median(max(run.ends) for run in part) for part in runs(film, spread, seed, PARTS, REPEATS))
