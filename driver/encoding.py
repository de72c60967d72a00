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
    """What is uncompressed at a time, and about half as much again for states and streams."""
    frames = source.frames or 0
    needed = (min(frames, most * chunk_frames) if most else frames) * source.picture_size * 3 // 2
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
        return self.options.chunk * len(list(self.work.path.glob("*.y4m")))

    def frames_done(self):
        return self.options.chunk * self.reel.chunks_done(self.work.path)

    def on_wait(self):
        self.splitter.is_at_work()
        self.progress.frames = self.splitter.frames
        self.progress.show(self.frames_done if self.reel else self.frames_cut)

    def run(self, chunks):
        """Leaves the finished chunks of the whole film. chunks: how many are in a reel."""
        work = self.work
        begin = work.record["done"]
        while begin < (end := self.splitter.wait_for(begin + chunks, self.on_wait)):
            work.update(aspect=aspect_options(work.chunk(begin)))
            begun, self.reel = self.reel, Reel(begin, end, self.options)
            if not begun:
                self.progress.begin("encoding", self.splitter.frames, self.frames_done())
            make(work, self.reel, self.options, self.on_wait)
            work.update(done=end)
            if not self.options.keep:
                work.remove_chunks()
            begin = end


def encode(work, source, options, progress):
    chunks = math.ceil(REEL * options.jobs / options.batch) * options.batch
    most = 0 if options.keep else 2 * chunks
    if not work.has_begun():
        check_room(work, source, options.chunk, most)
    elif not options.keep:
        work.remove_chunks()  # an earlier run may have been told to keep them
    with contextlib.ExitStack() as stack:
        splitter = Splitter(work, source, options.chunk, most, stack)
        if splitter.is_at_work():
            progress.begin("splitting", splitter.frames)
        Encoding(work, splitter, options, progress).run(chunks)
