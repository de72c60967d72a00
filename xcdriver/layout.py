# SPDX-License-Identifier: BSD-2-Clause
"""The layout of a film: which chunks are a batch, and so follow from one key frame."""
import bisect
import hashlib
import itertools
import math


class Layout:
    """A batch begins at each of some chunks, and wherever the batch before has `most` chunks. Batches are ranges of
    chunks, counted from the beginning of the film. The layout does not know where the film ends."""

    def __init__(self, most, starts=(0,)):
        """starts: in ascending order; the first one is the first chunk of the film."""
        self.most, self.starts = most, tuple(starts)
        lengths = (after - start for start, after in zip(self.starts, self.starts[1:]))
        # How many batches there are before each start.
        self.before = [0, *itertools.accumulate(-(-length // most) for length in lengths)]

    def __str__(self):
        """What tells it from other layouts, in a line; it is short, however many starts there are."""
        own = hashlib.sha256(repr(self.starts).encode()).hexdigest()[:16]
        return f"batches of {self.most} from chunk {self.first % self.most}" + ("" if self.is_regular else f", {own}")

    @property
    def is_regular(self):
        """Whether all batches but the last one of the film have the same number of chunks, as far as is known."""
        return len(self.starts) == 1

    @property
    def first(self):
        """The first chunk of the film."""
        return self.starts[0]

    def part(self, chunk):
        """Which of the starts is the last one up to a chunk, whose number may have a fraction."""
        return bisect.bisect_right(self.starts, chunk) - 1

    def number(self, chunk):
        """The number of the batch that a chunk belongs to."""
        part = self.part(chunk)
        return self.before[part] + (chunk - self.starts[part]) // self.most

    def numbered(self, number):
        """The batch with a number."""
        part = bisect.bisect_right(self.before, number) - 1
        begin = self.starts[part] + (number - self.before[part]) * self.most
        return range(begin, min([begin + self.most, *self.starts[part + 1:part + 2]]))

    def batch(self, chunk):
        """The batch that a chunk belongs to."""
        return self.numbered(self.number(chunk))

    def begins(self, chunk):
        """Whether a batch begins with this chunk."""
        return self.place(chunk) == 0

    def place(self, chunk):
        """The place of a chunk in its batch, from 0 on."""
        return (chunk - self.starts[self.part(chunk)]) % self.most

    def batches(self, end, begin=None):
        """The batches from that of the chunk `begin`, or the first one, to that of the chunk before `end`, which ends
        there, as the last one of a film does."""
        first, last = self.number(self.first if begin is None else begin), self.number(end - 1)
        whole = map(self.numbered, range(first, last + 1))
        return [range(batch.start, min(batch.stop, end)) for batch in whole]


class FilmLayout(Layout):
    """The same, and where chunks begin in the film. All have the same number of frames, but where they end at scene
    cuts: with each scene, a chunk and a batch begin. Scenes are found as the film is read."""

    def __init__(self, most, chunk_frames, at_scenes, scenes=((0, 0),)):
        """at_scenes: whether chunks end at scene cuts. scenes: those that are known; of each, the first chunk and the
        first frame, in ascending order."""
        super().__init__(most, [chunk for chunk, _ in scenes])
        self.chunk_frames, self.at_scenes, self.scenes = chunk_frames, at_scenes, [list(scene) for scene in scenes]

    def __str__(self):
        """It is the same before all scenes are known."""
        return f"batches of {self.most}" + (" and at scenes" if self.at_scenes else " from chunk 0")

    @property
    def is_regular(self):
        return not self.at_scenes

    def frame(self, chunk):
        """The first frame of a chunk, whose number may have a fraction."""
        first, frame = self.scenes[self.part(chunk)]
        return frame + (chunk - first) * self.chunk_frames

    def length(self, chunk, frames=None):
        """How many frames a chunk has. frames: how many the film has; None: it does not end within the chunk."""
        end = self.frame(chunk + 1)
        return (end if frames is None else min(end, frames)) - self.frame(chunk)

    def chunks(self, frames):
        """How many chunks there are in a film of so many frames."""
        first, frame = next((scene for scene in reversed(self.scenes) if scene[1] < frames), self.scenes[0])
        return first + math.ceil((frames - frame) / self.chunk_frames)

    def with_scenes(self, scenes):
        """This layout with some more scenes. Scenes that it has already may be among them."""
        both = sorted({tuple(scene) for scene in [*self.scenes, *scenes]})
        return FilmLayout(self.most, self.chunk_frames, self.at_scenes, both) if len(both) > len(self.scenes) else self
