# SPDX-License-Identifier: BSD-2-Clause
"""Where the raw pictures come from: raw chunks, or the film as it is, in pieces that steps decode (docs/lambda.md)."""
import typing

from xcdriver import sources
from xcdriver.graph import AFTER


class Source(typing.NamedTuple):
    """What is uploaded, and what it takes to decode it. docs/notes/latency.md names where the numbers come from."""
    uplink: float = 0        # Mb/s of the workstation; 0: the source is in the store already
    frames: float = 6        # pictures of a chunk
    fps: float = 24          # pictures per second
    source_rate: float = 20  # Mb/s of the film
    source_key: float = 48   # pictures from one key frame of the film to the next
    decode: float = 0        # CPU seconds for a picture that is decoded; 0: raw chunks are uploaded
    unpack: float = 0        # CPU seconds more for a picture of the chunk: it is converted and written

    @property
    def after(self):
        """How many pictures of the next chunk are made with a chunk. After a batch there are none, but that saves
        little."""
        return min(AFTER, self.frames)

    def pieces(self, chunk, chunks):
        """The numbers of the pieces that a chunk is decoded from: it needs the pictures before and after it, too."""
        begin, end = chunk * self.frames, (chunk + 1) * self.frames + self.after
        return range(int(max(0, begin - 1) // self.source_key),
                     1 + int(min(end, chunks * self.frames - 1) // self.source_key))

    def steps(self, chunks):
        """What has the steps that make the raw pictures of a film with so many chunks."""
        if not self.decode:
            return sources.GivenChunks()
        return sources.Pieces([[f"{piece}.nut" for piece in self.pieces(chunk, chunks)] for chunk in range(chunks)])

    @property
    def pictures(self):
        """How many pictures the films near a chunk have (graph.some_near), by their names without the chunk's."""
        return {"-first.y4m": 1, "-last.y4m": 1, "-next.y4m": self.after}

    def piece_size(self):
        return self.source_key / self.fps * self.source_rate * 1e6 / 8

    def decoding(self, chunk, chunks):
        """CPU seconds for a chunk. Decoding begins at the key frame before it."""
        first = self.pieces(chunk, chunks)[0] * self.source_key
        decoded = min((chunk + 1) * self.frames + self.after + 1, chunks * self.frames) - first
        return self.decode * decoded + self.unpack * (self.frames + self.after)
