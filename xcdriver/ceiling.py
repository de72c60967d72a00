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
MOST_LESS = 40  # percent, by which a chunk that is brought to a size gets smaller at its level
NEARLY = 0.95  # of what there is, which a chunk is brought to
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
    if options.target:
        parser.error("--max-bitrate and --target exclude each other: a quality takes the bits that it needs; choose "
                     "-q, --size or --bitrate")
    wanted = [options.bitrate, *(step.bitrate for step in options.ladder or [])]
    if any(bitrate and bitrate > options.max_bitrate for bitrate in wanted):
        parser.error("--max-bitrate is less than the bitrate that is wanted on average")


class Levels:
    """The level of each chunk: one that was chosen without a limit, or a coarser one."""

    def __init__(self, chosen, raised):
        """chosen: a level, or those of a target. raised: see Ceiling."""
        self.chosen, self.raised = chosen, {}
        for first, (end, level, fit) in raised.items():
            self.change(range(int(first), end), level, fit)

    def change(self, chunks, level, fit):
        self.raised.update(dict.fromkeys(chunks, (level, fit)))

    @property
    def fit(self):
        """See graph.fit_options()."""
        return {**getattr(self.chosen, "fit", {}), **{chunk: fit for chunk, (_, fit) in self.raised.items()}}

    def __str__(self):
        return f"{self.chosen} or coarser"

    def __call__(self, chunk):
        return self.raised[chunk][0] if chunk in self.raised else graph.level_of(self.chosen, chunk)


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


def bits_of(frame):
    return 8 * (frame.size - ivf.FRAME_HEADER)


def smaller(fit, frames, fits):
    """Options that bring a chunk to a size that fits, if those that it has did not; None if its size does not follow
    them any more. fits: a function that tells that, from the part of its bits that it keeps."""
    size = ivf.HEADER + sum(frame.size for frame in frames)
    parts = (1 - percent / 100 for percent in range(1, MOST_LESS + 1))
    part = next((part for part in parts if fits(part=part)), None)
    wanted = part and round(part * size)
    return ["--fit-bytes", str(wanted)] if wanted and wanted < int(fit[-1]) else None


class Ceiling:
    """Looks at the batches of a film. Where windows of a target (levels.py) end within a batch, its parts are looked at
    one by one. The record of the work has what was found, so a later run goes on with it: `end`, the chunk before which
    all is as it stays; what is left there, and the least that was; and what was `raised`, by the first chunk: the chunk
    after the last one, the level, and options that bring a single chunk to a size."""

    def __init__(self, work, options):
        self.work, self.options = work, options
        self.capacity = options.max_bitrate * options.buffer
        self.chunks = None  # of the film, where a target has to know that
        self.state = work.record.get("ceiling") or {
            "end": 0, "left": self.capacity, "least": self.capacity, "raised": {}}
        self.known = {0: (self.capacity, self.capacity), self.state["end"]: self.here()}  # what before() has found

    def here(self):
        """What is left at the end of what stays, and the least that was."""
        return self.state["left"], self.state["least"]

    def over(self, chosen):
        """The levels that come of those that were chosen without a limit."""
        self.levels = Levels(chosen, self.state["raised"])
        return self.levels

    def frames(self, chunks):
        """The frames of each of some finished chunks."""
        return [list(ivf.frames(self.work.path / graph.finished(chunk))) for chunk in chunks]

    @property
    def step(self):
        """The bits that come in from one picture to the next. Some chunk must be finished."""
        return self.options.max_bitrate / float(ivf.header(self.work.path / graph.finished(0)).rate)

    def before(self, chunk):
        """What is left before a chunk, and the least that was. All chunks before it must be finished."""
        if chunk not in self.known:
            frames = [(bits_of(frame), frame.is_shown) for own in self.frames(range(chunk)) for frame in own]
            self.known[chunk] = drain(self.capacity, frames, self.capacity, self.step)
        return self.known[chunk]

    def simulate(self, chunks, frames, wanted=None, part=1.):
        """What is left, and the least that was, after some chunks, or if all had another level, or a part of their
        bits. frames: of each."""
        expected = []
        for chunk, own in zip(chunks, frames):
            distance = 0 if wanted is None else log_step(wanted) - log_step(self.levels(chunk))
            factors = [part * math.exp(power * distance) for power in POWERS["size"]]
            expected += [(bits_of(frame) * factors[not frame.is_key], frame.is_shown) for frame in own]
        return drain(self.state["left"], expected, self.capacity, self.step)

    def reserve(self, end, step):
        """What has to be left before the chunk `end`; nothing after the film. Within a batch, half of what comes in
        until its end may still be lacking."""
        if end == self.chunks:
            return 0.
        batch = self.work.layout.batch(end - 1)
        coming = (self.work.layout.frame(batch.stop) - self.work.layout.frame(end)) * step
        return max(0., min(self.before(batch.start)[0], RESERVE * self.capacity) - coming / 2)

    def overshoot(self, end, note):
        """Looks at the batches before the chunk `end`, which are finished, until one of them does not fit. Returns its
        chunks and the level and the options that it needs, or None."""
        while self.state["end"] < end:
            chunks = range(self.state["end"], min(self.work.layout.batch(self.state["end"]).stop, end))
            frames, reserve = self.frames(chunks), self.reserve(chunks[-1] + 1, self.step)

            def fits(wanted=None, part=1.):
                left, least = self.simulate(chunks, frames, wanted, part)
                return least >= 0 and left >= reserve
            levels, fit = sorted(set(map(self.levels, chunks))), self.levels.fit.get(chunks[0])
            if not fits() and (levels[0] < COARSEST or fit):
                size = fit and smaller(fit, frames[0], fits)
                better = levels[0] if size else next(filter(fits, range(levels[0] + 1, COARSEST)), COARSEST)
                note(f"level {better} instead of {' and '.join(map(str, levels))} for the chunks {chunks[0]} to "
                     f"{chunks[-1]}" + (f", of {size[-1]} bytes" if size else ""))
                return chunks, better, size or []
            left, least = self.simulate(chunks, frames)
            self.state.update(end=chunks[-1] + 1, left=left, least=min(self.state["least"], least))
            self.known[self.state["end"]] = self.here()
            self.work.update(ceiling=self.state)
        return None

    def change(self, chunks, level, fit):
        """Gives a batch another level, and options. What was made of it must have been removed before."""
        self.state["raised"][str(chunks[0])] = [chunks[-1] + 1, level, fit]
        self.levels.change(chunks, level, fit)
        self.work.update(ceiling=self.state)

    def has_raised(self, first):
        """Whether some chunk has got coarser, from the chunk `first` on."""
        return any(chunk >= first for chunk in self.levels.raised)

    def go_back(self, first):
        """Forgets what was found from a chunk on, since it is encoded again."""
        left, least = self.before(first)
        self.known = {chunk: what for chunk, what in self.known.items() if chunk <= first}
        raised = {chunk: what for chunk, what in self.state["raised"].items() if int(chunk) < first}
        self.state = {"end": first, "left": left, "least": least, "raised": raised}
        self.levels.raised = Levels(None, raised).raised
        self.work.update(ceiling=self.state)

    def room(self, chunk, rate):
        """About how many bytes a chunk can take. rate: frames per second."""
        step = self.options.max_bitrate / float(rate)
        income = step * self.work.layout.length(chunk)
        return NEARLY * max(0., self.before(chunk)[0] + income - self.reserve(chunk + 1, step)) / 8

    def limited(self, first, costs, rate):
        """About how many bytes the rest of the film can come to, from the chunk `first` on, if without a limit it had
        these costs: of each chunk, the bytes of key frames and of all others."""
        left, total = self.before(first)[0], 0.
        income = self.options.max_bitrate / float(rate)
        for batch in self.work.layout.batches(first + len(costs), first):
            chunks = range(max(first, batch.start), batch.stop)
            came, went, part = left, 0., 1.
            reserve = min(left, RESERVE * self.capacity) if batch.stop < first + len(costs) else 0.
            for chunk in chunks:
                key, others = costs[chunk - first]
                part = min(part, came / max(1., went + 8 * key))
                came, went = came + income * self.work.layout.length(chunk), went + 8 * (key + others)
                part = min(part, came / max(1., went))
            part = max(0., min(part, (came - reserve) / max(1., went)))
            left, total = min(self.capacity, came - part * went), total + part * went / 8
        return total

    def told(self):
        """What came of it, for the last line."""
        least = self.state["least"] / self.options.max_bitrate
        limit = f"{self.options.max_bitrate / 1000:g} kbit/s with a buffer of {self.options.buffer:g} s"
        return f"within {limit} ({least:.3f} s to spare)" if least >= 0 else \
            f"beyond {limit} (a frame comes {-least:.3f} s too late)"
