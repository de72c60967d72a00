# SPDX-License-Identifier: BSD-2-Clause
"""--max-bitrate: the pictures of a film that streams come in time.

The model is the leaky bucket, as in the buffer of a player (RFC 6386 has none; ISO/IEC 14496-10, annex C, describes
such a one). It is full when the film begins. It is filled at the bitrate, and holds what comes in so many seconds. Each
frame leaves it whole when it is shown, a hidden one with the shown one after it. It must never lack a part of a frame.

A batch that takes more than there is gets a coarser level, and is encoded again. Batches are looked at in order, so
what becomes of them depends on nothing but the film."""
import argparse
import math

from xcdriver import graph, ivf
from xcdriver.levels import COARSEST, log_step
from xcdriver.prediction import POWERS

BUFFER = 2  # seconds
LEAST_BUFFER, MOST_BUFFER = 0.1, 600
RESERVE = 0.5  # of the buffer, which a batch leaves to the key frame of the next one


def seconds(text):
    """A type of argument: the length of the buffer."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not LEAST_BUFFER <= value <= MOST_BUFFER:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from {LEAST_BUFFER} to {MOST_BUFFER}")
    return value


def check(parser, options):
    """Refuses what does not go together."""
    if options.max_bitrate is None:
        if options.buffer is not None:
            parser.error("--buffer is for --max-bitrate")
        return
    options.buffer = options.buffer or BUFFER
    if options.quality is None or any(step.bitrate for step in options.ladder or []):
        parser.error("--max-bitrate makes levels coarser where it must, so it needs the level of all else: -q")


class Levels:
    """The level of each chunk: that of the film, or a coarser one for a whole batch."""

    def __init__(self, level, raised, work):
        self.level, self.raised, self.work = level, raised, work

    def __str__(self):
        return f"{self.level} or coarser"

    def __call__(self, chunk):
        return self.raised.get(str(self.work.layout.number(chunk)), self.level)


def drain(left, frames, capacity, step):
    """What is left in a bucket after some frames, and the least that was left, below 0 if something came too late.
    frames: pairs of bits and whether the frame is shown. step: bits that come in until the next picture."""
    least = left
    for bits, is_shown in frames:
        left -= bits
        least = min(least, left)
        if is_shown:
            left = min(capacity, left + step)
    return left, least


class Ceiling:
    """Looks at the batches of a film. The record of the work has what was found, so a later run goes on with it."""

    def __init__(self, work, options):
        self.work, self.options = work, options
        self.capacity = options.max_bitrate * options.buffer
        self.state = work.record.get("ceiling") or {
            "batches": 0, "left": self.capacity, "least": self.capacity, "raised": {}}
        self.levels = Levels(options.quality, self.state["raised"], work)

    @property
    def end(self):
        """The chunk before which all is as it stays."""
        return self.work.layout.numbered(self.state["batches"]).start

    def frames(self, chunks):
        """All frames of some chunks, and the bits that come in from one to the next."""
        paths = [self.work.path / graph.finished(chunk) for chunk in chunks]
        return ([frame for path in paths for frame in ivf.frames(path)],
                self.options.max_bitrate / float(ivf.header(paths[0]).rate))

    def simulate(self, frames, step, level, wanted):
        """What is left, and the least that was, if these frames of one level had another one."""
        distance = log_step(wanted) - log_step(level)
        factors = [math.exp(power * distance) for power in POWERS["size"]]
        return drain(self.state["left"], [(8 * (frame.size - ivf.FRAME_HEADER) * factors[not frame.is_key],
                                           frame.is_shown) for frame in frames], self.capacity, step)

    def fits(self, left, least):
        return least >= 0 and left >= min(self.state["left"], RESERVE * self.capacity)

    def overshoot(self, end, note):
        """Looks at the batches before the chunk `end`, which are finished, until one of them does not fit. Returns its
        chunks and the level that it needs, or None."""
        for chunks in self.work.layout.batches(end, self.end):
            level, (frames, step) = self.levels(chunks[0]), self.frames(chunks)
            left, least = self.simulate(frames, step, level, level)
            if not self.fits(left, least) and level < COARSEST:
                better = next((other for other in range(level + 1, COARSEST) if self.fits(
                    *self.simulate(frames, step, level, other))), COARSEST)
                note(f"level {better} instead of {level} for the chunks {chunks[0]} to {chunks[-1]}")
                return chunks, better
            self.state.update(batches=self.state["batches"] + 1, left=left, least=min(self.state["least"], least))
            self.work.update(ceiling=self.state)
        return None

    def coarsen(self, chunks, level):
        """Gives a batch another level. What was made of it must have been removed before."""
        self.state["raised"][str(self.work.layout.number(chunks[0]))] = level
        self.work.update(ceiling=self.state)

    def told(self):
        """What came of it, for the last line."""
        least = self.state["least"] / self.options.max_bitrate
        result = f"{least:.3f} s left" if least >= 0 else f"{-least:.3f} s too late"
        return f"at most {self.options.max_bitrate / 1000:g} kbit/s with {self.options.buffer:g} s: {result}"
