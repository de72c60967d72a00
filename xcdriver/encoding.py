# SPDX-License-Identifier: BSD-2-Clause
"""From a film to finished chunks, segment by segment."""
import contextlib
import math
import shutil

from xcdriver import graph
from xcdriver.cut import Unfit
from xcdriver.cutter import Cutter
from xcdriver.measuring import measure, metrics_of
from xcdriver.processes import Failure
from xcdriver.sampling import MOST_SPANS
from xcdriver.segment import Segment, make
from xcdriver.sizes import Sizes
from xcdriver.splitter import Splitter
from xcdriver.steering import steering_of

# Chunks per process in a segment, which is what one run of make encodes. At the end of a segment some processes are
# idle; with so many chunks that hardly matters. While a segment is encoded, the next one is split into chunks. Of the
# rest of the film no raw pictures exist.
SEGMENT = 16


def check_room(work, source, chunk_frames, most):
    """Raises Failure if the disk is too full for the raw pictures that exist at a time, and half as much again for
    states and streams."""
    frames = (source.frames or 0) - work.record["done"] * chunk_frames
    frames = min(frames, most * chunk_frames) if most else frames
    needed = frames * source.picture_size * 3 // 2 - sum(path.stat().st_size for path in work.chunks())
    free = shutil.disk_usage(work.path).free
    if needed > free:
        raise Failure(f"{work.path}: needs about {needed / 1e6:.0f} MB, but only {free / 1e6:.0f} MB are free; "
                      "choose another directory with --work DIR")


class Encoding:
    """Encodes a film segment by segment, while the next segment is split into chunks."""

    def __init__(self, work, splitter, steering, options, progress):
        self.work, self.splitter, self.options, self.progress = work, splitter, options, progress
        self.steering, self.quality = steering, steering.quality
        self.sizes = Sizes(work, splitter.source, options.batch)
        self.segment = None  # the one that is being encoded

    def frames_split(self):
        return self.options.chunk * self.work.chunks_split()

    def frames_done(self):
        return self.options.chunk * self.segment.chunks_done(self.work.path)

    def sizes_for(self, frames):
        self.sizes.look(range(self.segment.first, self.segment.end))
        return self.sizes.so_far(), self.sizes.at_end(frames, self.options.chunk, self.frames_split())

    def on_wait(self):
        self.splitter.is_at_work()
        if not self.segment:
            self.progress.show(self.frames_split)
            return
        frames = self.splitter.frames  # an estimate may turn out to be wrong
        is_known = self.splitter.film or frames and frames >= self.frames_split()
        self.progress.frames = frames if is_known else None
        self.progress.show(self.frames_done, self.sizes_for)

    def begin(self, first, end):
        """Begins with a segment."""
        is_first = not self.segment
        self.steering.decide(first, self.progress.note)
        self.segment = Segment(first, end, self.options, self.steering, self.work.path, self.splitter.chunks_from)
        if is_first:
            self.progress.begin("encoding", self.splitter.frames, self.frames_done())

    def encode(self):
        """Makes the chunks of the segment, and measures them if that is wanted."""
        segment = self.segment
        if segment.unfinished:
            self.progress.note(f"encoding the chunks {segment.first} to {segment.end - 1}")
            speed = [f"ANCHORED_OPTIONS=--speed {self.options.speed}"] if self.options.speed != graph.SPEED else []
            make(self.work, segment, self.options, self.on_wait, self.progress.interject, speed)
        self.sizes.look(range(segment.first, segment.end))
        metrics = metrics_of(self.options, self.steering.target)
        if metrics:
            for part in measure(self.work, segment, metrics, self.options, self.steering.frames, self.on_wait):
                self.quality.add(*part)

    def settle(self):
        """Notes that the segment is finished. A batch that is only begun will be gone through again by a later run."""
        segment = self.segment
        is_whole = segment.end % self.options.batch == 0 or self.splitter.film and (
            segment.end == self.splitter.film["chunks"])
        self.work.update(done=segment.end if is_whole else segment.end - segment.end % self.options.batch,
                         **self.quality.record())
        if is_whole and not self.options.keep:
            segment.clean(self.work.path)

    def run(self, chunks):
        """Makes the finished chunks of the whole film, `chunks` in a segment."""
        work, splitter = self.work, self.splitter
        begin = work.record["done"]
        self.sizes.look(range(begin))
        if splitter.is_at_work():  # the first segment must be split before anything can be encoded
            frames = splitter.frames and min(splitter.frames, self.options.chunk * (begin + chunks))
            self.progress.begin("splitting", frames, self.frames_split())
        while begin < (end := splitter.wait_for(min(begin + chunks, self.steering.window_end(begin)), self.on_wait)):
            work.update(aspect=splitter.aspect(begin))
            self.begin(begin, end)
            self.encode()
            if end == self.steering.chunks and self.steering.correct(self.segment, self.progress.note):
                self.sizes.forget(range(begin, end))
                self.begin(begin, end)
                self.encode()
            self.settle()
            if not self.options.keep:
                work.remove_chunks()
            begin = end


def chunks_at_a_time(options):
    """The chunks of a segment: whole batches."""
    return math.ceil(SEGMENT * options.jobs / options.batch) * options.batch


def cut_or_say_why(work, source, options, progress, stack):
    """A Cutter for the film. None, with a word to the user, if the film has to be decoded here."""
    try:
        return Cutter(work, source, options.chunk, stack)
    except Unfit as reason:
        progress.interject(f"excamera: {source.name}: is decoded here: {reason}")
        return None


def begin_to_split(work, source, options, most, progress, stack):
    """Begins to make the chunks of a film. most: of them at a time, or 0."""
    cutter = options.decode == "there" and cut_or_say_why(work, source, options, progress, stack)
    return cutter or Splitter(work, source, options.chunk, most, stack, options.allow_damaged)


def encode(work, source, options, target, progress):
    """Makes the finished chunks of a film in the work directory. target: what they are to come to, or None. Returns the
    quality that was measured."""
    chunks = chunks_at_a_time(options)
    most = 0 if options.keep else min(2 * chunks, graph.LAST_CHUNK)  # xc-split takes no larger number
    if not options.keep:
        work.remove_chunks()  # left by an earlier run with --keep, or by one that was killed; xc-split counts them
    check_room(work, source, options.chunk, most and max(most, MOST_SPANS * options.batch if target else 0))
    steering = steering_of(work, source, options, target)
    is_short = not most or (source.frames or 0) <= most * options.chunk
    with contextlib.ExitStack() as stack:
        splitter = begin_to_split(work, source, options, most, progress, stack) if is_short else None
        steering.prepare(progress, splitter)
        splitter = splitter or begin_to_split(work, source, options, most, progress, stack)
        Encoding(work, splitter, steering, options, progress).run(chunks)
    return steering.quality
