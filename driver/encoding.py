"""A film becomes finished chunks, reel by reel."""
import contextlib
import math
import shutil

from driver.output import aspect_options
from driver.processes import Failure
from driver.reel import Reel, make
from driver.splitter import Splitter

# Chunks for each process in a reel, the part of the film that make gets at a time: so many that it hardly matters that
# the last ones of a reel wait for each other. While a reel is encoded, the next one is cut; of the rest of the film
# there are no raw pictures.
REEL = 16


def check_room(work, source, chunk_frames, most):
    """For what is uncompressed at a time, and about half as much again for states and streams."""
    frames = (source.frames or 0) - work.record["done"] * chunk_frames
    frames = min(frames, most * chunk_frames) if most else frames
    needed = frames * source.picture_size * 3 // 2 - sum(path.stat().st_size for path in work.chunks())
    free = shutil.disk_usage(work.path).free
    if needed > free:
        raise Failure(f"{work.path}: needs about {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free; "
                      "--work DIR works elsewhere")


class Encoding:
    """Of a film, reel by reel, while the next reel is cut."""

    def __init__(self, work, splitter, options, progress):
        self.work, self.splitter, self.options, self.progress = work, splitter, options, progress
        self.reel = None  # the one that make is at

    def frames_cut(self):
        return self.options.chunk * (self.work.record["done"] + len(self.work.chunks()))

    def frames_done(self):
        return self.options.chunk * self.reel.chunks_done(self.work.path)

    def on_wait(self):
        self.splitter.is_at_work()
        if self.reel:
            self.progress.frames = self.splitter.frames
        self.progress.show(self.frames_done if self.reel else self.frames_cut)

    def run(self, chunks):
        """Leaves the finished chunks of the whole film. chunks: how many are in a reel."""
        work, splitter = self.work, self.splitter
        begin = work.record["done"]
        if splitter.is_at_work():  # for the first reel, there is only that to wait for
            frames = splitter.frames and min(splitter.frames, self.options.chunk * (begin + chunks))
            self.progress.begin("splitting", frames, self.frames_cut())
        while begin < (end := splitter.wait_for(begin + chunks, self.on_wait)):
            work.update(aspect=aspect_options(work.chunk(begin)))
            begun, self.reel = self.reel, Reel(begin, end, self.options)
            if not begun:
                self.progress.begin("encoding", splitter.frames, self.frames_done())
            make(work, self.reel, self.options, self.on_wait)
            work.update(done=end)
            if not self.options.keep:
                work.remove_chunks()
            begin = end


def encode(work, source, options, progress):
    chunks = math.ceil(REEL * options.jobs / options.batch) * options.batch
    most = 0 if options.keep else min(2 * chunks, 99999999)  # more, eight digits cannot number
    if not options.keep:
        work.remove_chunks()  # an earlier run has kept them, or was killed; xc-split would wait for that
    check_room(work, source, options.chunk, most)
    with contextlib.ExitStack() as stack:
        splitter = Splitter(work, source, options.chunk, most, stack)
        Encoding(work, splitter, options, progress).run(chunks)
