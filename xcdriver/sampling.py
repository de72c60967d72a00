# SPDX-License-Identifier: BSD-2-Clause
"""A sample of a film: some of its batches as raw pictures, taken while the film is read for the first time."""
import argparse
import math
import os
import shutil
import time

from xcdriver import graph
from xcdriver.processes import Failure
from xcdriver.sound import files

PLACES = 12


class Sample:
    """Some whole batches of a film, in a directory of their own. Its chunks have the numbers that they have in the
    film."""

    def __init__(self, work, source, options, is_wanted):
        """is_wanted: whether the sample has anything."""
        self.path = work.path / "probe"
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()
        self.work, self.lock, self.source = work, work.lock, source
        self.options = argparse.Namespace(**{**vars(options), "keep": True})  # intermediate files are looked at
        self.is_wanted, self.batches = is_wanted, []
        self.end = work.record["done"]  # the batches before this chunk have been taken, or not

    @property
    def layout(self):
        return self.work.layout

    def has(self, batch, is_last):
        """Whether a batch is wanted: those are that have one of some places of the film, at equal distances. All are of
        a film that has few of them. It depends on nothing but the film, and on how long its header says it is."""
        whole = self.layout.most * self.layout.chunk_frames
        distance = math.ceil(self.source.frames / whole) * whole / PLACES
        first = self.layout.frame(batch.start)
        end = first + whole if is_last else self.layout.frame(batch.stop)
        return self.is_wanted and any(first <= int((number + 0.5) * distance) < end for number in range(PLACES))

    def frames_read(self):
        return self.layout.frame(self.end + len(self.work.chunks()))

    def advance(self, splitter):
        """Moves the batches that have come to the sample's directory, or removes them."""
        end, film = self.end, splitter.film
        while self.work.chunk(end).exists():
            end += 1
        if not film:
            splitter.listen()  # so it is known to which batch the next chunk belongs
            end = self.layout.batch(end).start
        for batch in self.layout.batches(end, self.end) if end > self.end else []:
            is_taken = self.has(batch, film and end == film["chunks"] and batch.stop == end)
            self.batches += [batch] if is_taken else []
            for path in map(self.work.chunk, batch):
                if is_taken:
                    os.replace(path, self.path / path.name)
                else:
                    path.unlink()
        self.end = end

    def share(self, film):
        """Takes raw pictures from the work directory, which has all of the film, and leaves them there."""
        batches = self.layout.batches(film["chunks"])
        self.batches = [batch for batch in batches if self.has(batch, batch is batches[-1])]
        for chunk in (chunk for batch in self.batches for chunk in batch):
            (self.path / graph.raw(chunk)).symlink_to(self.work.chunk(chunk).resolve())

    def settle(self, film):
        """Notes what is known when the film has been read to its end. It may be much shorter than its header says."""
        self.chunks, self.frames = film["chunks"], film["frames"]
        tracks = [path for path in files(self.source, self.work) if path.suffix == ".mka"]
        self.tracks = sum(path.stat().st_size for path in tracks if path.exists())
        if self.is_wanted and not self.batches:
            raise Failure(f"{self.source.name}: has only {self.frames} frames, where its header says "
                          f"{self.source.frames}; ffmpeg -i ... -c copy OUT.mkv makes a file that says how many")

    @property
    def is_whole(self):
        """Whether the sample is the whole film."""
        return sum(map(len, self.batches)) == self.chunks

    def frames_of(self, chunk):
        """How many frames a chunk of the film has."""
        return self.layout.length(chunk, self.frames)

    def remove(self):
        shutil.rmtree(self.path)


def take(samples, splitters, most, on_wait):
    """Takes the samples of all sizes of a film while it is split. most: the splitters wait where so many raw chunks
    exist, of a longer film; 0: they do not. Returns whether all raw chunks are still there."""
    limits = [splitter.work.record["done"] + most - 1 for splitter in splitters]
    is_long = False
    while any([splitter.is_at_work() for splitter in splitters]):
        is_long = is_long or most and any(
            splitter.work.chunk(limit).exists() for splitter, limit in zip(splitters, limits))
        for sample, splitter in zip(samples, splitters) if is_long else []:
            sample.advance(splitter)
        time.sleep(0.05)
        on_wait()
    for sample, splitter in zip(samples, splitters):
        if is_long:
            sample.advance(splitter)
        else:
            sample.share(splitter.film)
        sample.settle(splitter.film)
    return not is_long
