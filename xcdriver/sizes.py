# SPDX-License-Identifier: BSD-2-Clause
"""How large the output is so far, and about how large it will be."""
import contextlib
import math

from xcdriver import graph
from xcdriver.sound import files


class Sizes:
    """Bytes of a film's finished chunks, and of its tracks."""

    def __init__(self, work, source):
        self.work, self.source = work, source
        self.known = {}  # of chunks that are finished, by number

    def look(self, chunks):
        """Notes which of these chunks have been finished."""
        for chunk in chunks:
            if chunk not in self.known:
                with contextlib.suppress(OSError):
                    self.known[chunk] = (self.work.path / graph.finished(chunk)).stat().st_size

    def forget(self, chunks):
        """These chunks are made again."""
        for chunk in chunks:
            self.known.pop(chunk, None)

    def of_tracks(self):
        total = 0
        for path in [] if self.source.piped else files(self.source, self.work):
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def so_far(self):
        """0 if no chunk is finished."""
        return sum(self.known.values()) + self.of_tracks() if self.known else 0

    def at_end(self, frames, frames_split):
        """An estimate, if it is known how many frames there will be, and how large chunks with a key frame and others
        are; else None."""
        if not frames:
            return None
        layout = self.work.layout
        film = self.work.record["film"]
        chunks = film["chunks"] if film else layout.chunks(frames)
        first = len(layout.batches(chunks))
        total = self.of_tracks() * max(1, frames / max(1, frames_split))
        for is_first, count in ((True, first), (False, chunks - first)):
            known = [size for chunk, size in self.known.items() if layout.begins(chunk) == is_first]
            if count and not known:
                return None
            total += math.fsum(known) * max(1, count / max(1, len(known)))
        return total
