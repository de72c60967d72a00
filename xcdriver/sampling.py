# SPDX-License-Identifier: BSD-2-Clause
"""A sample of a film: some of its batches as raw pictures, and what else has to be known before it is encoded."""
import argparse
import contextlib
import math
import subprocess

from xcdriver import graph, y4m
from xcdriver.processes import Failure, ending, log_in_memory, reason, started
from xcdriver.sound import files, splitting_command

MOST_SPANS = 12


def spans(batches):
    """Which of so many batches are taken: all, or some at equal distances."""
    count = min(batches, MOST_SPANS)
    return [int((number + 0.5) * batches / count) for number in range(count)]


class Sample:
    """Some whole batches of a film, in a directory of their own. Its chunks have the numbers that they have in the
    film."""

    def __init__(self, work, source, options):
        self.path = work.path / "probe"
        self.path.mkdir(exist_ok=True)
        self.work, self.lock, self.source, self.layout = work, work.lock, source, work.layout
        self.options = argparse.Namespace(**{**vars(options), "keep": True})  # intermediate files are looked at
        self.wanted = set(spans(len(self.layout.batches(math.ceil(source.frames / options.chunk)))))

    def read(self, on_wait):
        """Reads the film to its end. Afterwards, self.frames is how many frames it has, self.tracks how many bytes its
        tracks have, and self.batches which of its batches are there."""
        command = splitting_command(self.source, self.path)
        with log_in_memory() as log:
            with started(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                         pass_fds=[self.lock.fileno()]) as process, contextlib.suppress(ValueError):
                self.frames = 0
                self.take(process.stdout.buffer, on_wait)
                process.wait()
            log.seek(0)
            if not self.frames or not self.settle(self):
                raise Failure(f"{self.source.name}: cannot be converted: "
                              f"{reason(log.read()) or ending('ffmpeg', process.returncode)}")

    def share(self, frames):
        """Takes the raw pictures that are in the work directory, which has all of a film of so many frames."""
        self.frames = frames
        self.settle(self.work)
        for chunk in (chunk for batch in self.batches for chunk in batch):
            (self.path / graph.raw(chunk)).symlink_to(self.work.chunk(chunk).resolve())

    def settle(self, place):
        """Notes what there is. Returns whether that is something: the film may be much shorter than its header says.
        place: its path is the directory with the tracks."""
        tracks = [path for path in files(self.source, place) if path.suffix == ".mka"]
        self.tracks = sum(path.stat().st_size for path in tracks if path.exists())
        batches = self.layout.batches(self.chunks)
        self.batches = [batches[number] for number in sorted(self.wanted) if number < len(batches)]
        return self.batches

    @property
    def is_whole(self):
        """Whether the sample is the whole film."""
        return sum(map(len, self.batches)) == self.chunks

    @property
    def chunks(self):
        return math.ceil(self.frames / self.options.chunk)

    def frames_of(self, chunk):
        """How many frames a chunk of the film has."""
        return min(self.options.chunk, self.frames - chunk * self.options.chunk)

    def take(self, stream, on_wait):
        """Writes the chunks that are wanted."""
        size = self.options.chunk
        header = y4m.read_header(stream)
        with contextlib.ExitStack() as last:
            for frame in y4m.read_frames(stream, header):
                chunk, place = divmod(self.frames, size)
                if self.layout.number(chunk) in self.wanted:
                    if place == 0:
                        last.close()
                        out = last.enter_context(open(self.path / graph.raw(chunk), "wb"))
                        out.write(header.line)
                    out.write(frame)
                self.frames += 1
                on_wait()
