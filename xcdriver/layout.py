# SPDX-License-Identifier: BSD-2-Clause
"""The layout of a film: which chunks are a batch, and so follow from one key frame."""


class Layout:
    """Chunks and batches are counted from the beginning of the film. A batch is a range of chunks, `most` of them; only
    the last one of a film may be cut short, and the layout does not know where the film ends."""

    def __init__(self, most, first=0):
        """first: the first chunk of the film."""
        self.most, self.first = most, first

    def number(self, chunk):
        """The number of the batch that a chunk belongs to."""
        return (chunk - self.first) // self.most

    def numbered(self, number):
        """The batch with a number."""
        begin = self.first + number * self.most
        return range(begin, begin + self.most)

    def batch(self, chunk):
        """The batch that a chunk belongs to."""
        return self.numbered(self.number(chunk))

    def begins(self, chunk):
        """Whether a batch begins with this chunk."""
        return self.place(chunk) == 0

    def place(self, chunk):
        """The place of a chunk in its batch, from 0 on."""
        return chunk - self.batch(chunk).start

    def batches(self, end, begin=None):
        """The batches from that of the chunk `begin`, or the first one, to that of the chunk before `end`, which ends
        there, as the last one of a film does."""
        first, last = self.number(self.first if begin is None else begin), self.number(end - 1)
        whole = map(self.numbered, range(first, last + 1))
        return [range(batch.start, min(batch.stop, end)) for batch in whole]
