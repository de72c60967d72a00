# SPDX-License-Identifier: BSD-2-Clause
"""The quality of a film, which is measured segment by segment, while there are raw pictures to compare with."""
import math
import os
import time

from xcdriver import graph
from xcdriver.comparison import PEAK, Comparison


class Quality:
    """What was measured of a film's segments. It is a part of the record of the work, so it survives an
    interruption."""

    def __init__(self, work):
        self.work = work
        # Of each segment: its first chunk, the chunk after its last, frames, and the sums over them of SSIM and of the
        # mean squared error. What a power cut has damaged is encoded, and measured, again.
        done = work.record["done"]
        self.segments = [part for part in work.record.get("measured", []) if part[1] <= done]

    def add(self, first, end, frames):
        """What is to be added to the record."""
        sums = [math.fsum(column) for column in zip(*frames)]
        self.segments.append([first, end, len(frames), *sums])
        return {"measured": self.segments}

    @property
    def frames(self):
        return sum(part[2] for part in self.segments)

    @property
    def ssim(self):
        return math.fsum(part[3] for part in self.segments) / self.frames

    @property
    def psnr(self):
        """That of the mean of all squared errors, in dB; None if there are none."""
        error = math.fsum(part[4] for part in self.segments) / self.frames
        return 10 * math.log10(PEAK / error) if error > 1e-7 else None


def measured(work, batches, jobs, on_wait):
    """Compares finished batches with their raw pictures. Returns the figures of each frame, in order."""
    waiting, running, done = list(enumerate(batches)), {}, {}
    jobs = min(jobs, len(os.sched_getaffinity(0)))
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, batch = waiting.pop(0)
                running[number] = Comparison(work.path, batch, work.lock.fileno())
            for number in [number for number, one in running.items() if one.has_ended()]:
                done[number] = running[number].frames()
                running.pop(number).close()
            time.sleep(0.05 if running else 0)
            on_wait()
    finally:
        for one in running.values():
            one.close()
    return [frame for _, frames in sorted(done.items()) for frame in frames]


def measure(work, quality, segment, options, on_wait):
    """Measures a segment that is finished. Returns what is to be added to the record."""
    batches = graph.batches(segment.first, segment.end - 1, options.batch)
    frames = measured(work, batches, options.jobs, on_wait)
    return quality.add(segment.first, segment.end, frames)
