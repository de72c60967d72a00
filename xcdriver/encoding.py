# SPDX-License-Identifier: BSD-2-Clause
"""From a film to finished chunks, segment by segment."""
import contextlib

from xcdriver import graph, room
from xcdriver.ceiling import Ceiling
from xcdriver.cut import Unfit
from xcdriver.cutter import Cutter
from xcdriver.measuring import measure, metrics_of
from xcdriver.sampling import Sample, take
from xcdriver.segment import Segment, make
from xcdriver.sizes import Sizes
from xcdriver.splitter import split
from xcdriver.steering import steering_of


class Encoding:
    """Encodes a film segment by segment, while the next segment is split into chunks."""

    def __init__(self, rung, splitter, steering, progress, publisher):
        """publisher: publishes batches as they are finished, or None."""
        self.work, self.splitter, self.options, self.progress = rung.work, splitter, rung.options, progress
        self.rung, self.publisher = rung, publisher
        self.place = rung.work.record["done"]  # the chunk that comes next
        self.steering, self.quality, self.ceiling = steering, steering.quality, rung.ceiling
        self.sizes = Sizes(rung.work, splitter.source)
        self.segment = None  # the one that is being encoded

    def frames_split(self):
        return self.work.layout.frame(self.work.chunks_split())

    def frames_done(self):
        return self.work.layout.frame(self.segment.chunks_done(self.work.path))

    def sizes_for(self, frames):
        self.sizes.look(range(self.segment.first, self.segment.end))
        return self.sizes.so_far(), self.sizes.at_end(frames, self.frames_split())

    def on_wait(self):
        self.splitter.is_at_work()
        if not self.segment:
            self.progress.show(self.frames_split)
            return
        if not self.steering.target and not self.ceiling:  # which may have chunks encoded once more
            self.publish()
        frames = self.splitter.frames  # an estimate may turn out to be wrong
        is_known = self.splitter.film or frames and frames >= self.frames_split()
        self.progress.frames = frames if is_known else None
        self.progress.show(self.frames_done, self.sizes_for)

    def publish(self):
        if self.publisher:
            self.publisher.advance(self.rung, self.segment.end, self.frames_split())

    def begin(self, first, end):
        """Begins with a segment."""
        self.steering.decide(first, self.progress.note)
        self.segment = Segment(first, end, self.options, self.steering, self.work, self.splitter.chunks_from)
        stage = f"encoding {self.rung.label}".strip()
        if self.progress.stage != stage:
            self.progress.begin(stage, self.splitter.frames, self.frames_done())

    def encode(self):
        """Makes the chunks of the segment, and measures them if that is wanted."""
        segment = self.segment
        self.make(segment)
        while self.ceiling and (overshoot := self.ceiling.overshoot(segment.end, self.progress.note)):
            self.encode_again(*overshoot)
        self.sizes.look(range(segment.first, segment.end))
        metrics = metrics_of(self.options, self.steering.target)
        if metrics:
            for part in measure(self.work, segment, metrics, self.options, self.steering.frames, self.on_wait):
                self.quality.add(*part)

    def make(self, segment):
        if segment.unfinished:
            self.progress.note(f"encoding the chunks {segment.first} to {segment.end - 1}")
            speed = [f"ANCHORED_OPTIONS=--speed {self.options.speed}"] if self.options.speed != graph.SPEED else []
            make(self.work, segment, self.options, self.on_wait, self.progress.interject, speed)

    def encode_again(self, chunks, level, fit):
        """Makes a batch of the segment once more; see Ceiling.change()."""
        parts = chunks[0], chunks[-1] + 1, self.options, self.steering, self.work, self.splitter.chunks_from
        Segment(*parts).remove(self.work.path)
        self.sizes.forget(chunks)
        self.ceiling.change(chunks, level, fit)
        self.make(Segment(*parts))

    def settle(self):
        """Notes that the segment is finished. A batch that is only begun will be gone through again by a later run."""
        segment = self.segment
        is_whole = self.work.layout.begins(segment.end) or self.splitter.film and (
            segment.end == self.splitter.film["chunks"])
        self.work.update(done=segment.end if is_whole else self.work.layout.batch(segment.end).start,
                         **self.quality.record())
        if is_whole and not self.options.keep:
            segment.clean(self.work.path)

    def wait_for(self, end):
        """Waits until the chunks below `end` exist, and the one after them, if it is in the same batch: an anchor is
        averaged with pictures of that, too. Returns the number after the last of them; where it is not known yet where
        scenes begin, after the last batch that is there as a whole."""
        end = self.splitter.wait_for(end, self.on_wait)
        if self.steering.chunks and not self.work.layout.begins(end):
            self.splitter.wait_for(end + 1, self.on_wait)
        film = self.splitter.film
        if film and self.steering.chunks:  # when it was probed, the film may have been longer
            self.steering.chunks = min(self.steering.chunks, film["chunks"])
        if not self.work.layout.at_scenes or film and end == film["chunks"] or end <= (self.steering.chunks or 0):
            return end
        return self.work.layout.batch(end).start

    def segments(self, chunks):
        """Makes the finished chunks of the whole film, at most `chunks` in a segment. A segment ends with a batch or a
        window. Yields after each one."""
        work, splitter = self.work, self.splitter
        begin = self.place
        self.sizes.look(range(begin))
        if splitter.is_at_work():  # the first segment must be split before anything can be encoded
            frames = splitter.frames and min(splitter.frames, self.options.chunk * (begin + chunks))
            self.progress.begin("splitting", frames, self.frames_split())
        while begin < (end := self.wait_for(min(work.layout.batch(begin).start + chunks,
                                                self.steering.window_end(begin)))):
            work.update(aspect=splitter.aspect(begin))
            self.begin(begin, end)
            self.encode()
            if end == self.steering.chunks and self.steering.correct(self.segment, self.progress.note):
                self.sizes.forget(range(begin, end))
                self.begin(begin, end)
                self.encode()
            self.settle()
            self.publish()
            if not self.options.keep:
                work.remove_chunks()
            begin = self.place = end
            yield


def run_all(encodings, chunks):
    """Encodes all sizes at once, segment by segment: always the one that is most behind. ffmpeg waits where a splitter
    has chunks enough, so all chunks of that one's next segment come without any progress of the others."""
    left = {encoding: encoding.segments(chunks) for encoding in encodings}
    while left:
        encoding = min(left, key=lambda one: one.place)
        if next(left[encoding], StopIteration) is StopIteration:
            del left[encoding]


def cut_or_say_why(work, source, options, progress, stack):
    """A Cutter for the film. None, with a word to the user, if the film has to be decoded here."""
    try:
        return Cutter(work, source, options.chunk, stack)
    except Unfit as reason:
        progress.interject(f"excamera: {source.name}: is decoded here: {reason}")
        return None


def splitters_of(rungs, source, progress, stack):
    """What splits the film for each size, or the Cutter that makes this unnecessary."""
    options = rungs[0].options
    cutter = options.decode == "there" and cut_or_say_why(rungs[0].work, source, options, progress, stack)
    if cutter:
        return [cutter]
    if room.has_no_raw_chunks(options):
        options.decode = "here"  # from now on
        room.check(rungs, has_raw_chunks=True)
    makes_room = room.makes_room(rungs)
    for rung in rungs if not makes_room else []:
        rung.work.discard_references()
    return split([rung.work for rung in rungs], source, [rung.source for rung in rungs],
                 [rung.scaling for rung in rungs] if rungs[0].step else None, options, room.most_chunks(options),
                 makes_room, stack)


def prepare(rungs, steerings, source, progress, stack):
    """Has targets know the levels that lead to them. Returns what splits the film for each size. For a sample, a film
    of which not all raw chunks may exist at a time is read once more, in all sizes."""
    if not any(steering.lacks_sample for steering in steerings):
        for steering in steerings:
            steering.prepare(progress, None)
        return splitters_of(rungs, source, progress, stack)
    with contextlib.ExitStack() as reading:
        splitters = splitters_of(rungs, source, progress, reading)
        progress.begin("probing", source.frames)
        samples = [Sample(rung.work, rung.source, rung.options, steering.lacks_sample)
                   for rung, steering in zip(rungs, steerings)]
        is_all = take(samples, splitters, room.most_chunks(rungs[0].options),
                      lambda: progress.show(samples[0].frames_read))
        if is_all:
            stack.push(reading.pop_all())
    for steering, sample in zip(steerings, samples):
        steering.prepare(progress, sample)
        sample.remove()
    if is_all:
        return splitters
    for rung in rungs:
        rung.work.update(film=None)  # its raw chunks are gone
    return splitters_of(rungs, source, progress, stack)


def encode(rungs, source, progress, publisher=None):
    """Makes the finished chunks of a film in all its sizes (ladder.py). source: the film before it is scaled.
    publisher: publishes them, or None. Returns the quality that was measured, of each size."""
    options = rungs[0].options
    if not options.keep:
        for rung in rungs:
            rung.work.remove_chunks()  # left by a run with --keep, or by one that was killed; xc-split counts them
    room.check(rungs, not room.has_no_raw_chunks(options))
    for rung in rungs:
        rung.ceiling = Ceiling(rung.work, rung.options) if options.max_bitrate else None
    steerings = [steering_of(rung.work, rung.source, rung.options, rung.target, rung.ceiling) for rung in rungs]
    with contextlib.ExitStack() as stack:
        splitters = prepare(rungs, steerings, source, progress, stack)
        if publisher:
            publisher.splitter = splitters[0]
        run_all([Encoding(*parts, progress, publisher) for parts in zip(rungs, splitters, steerings)],
                room.chunks_at_a_time(options))
    return [steering.quality for steering in steerings]
