# SPDX-License-Identifier: BSD-2-Clause
"""The outermost elements of a WebM or Matroska file (RFC 9559), which are enough to cut it between clusters."""
import typing

# IDs with their length markers, as they stand in the file (RFC 8794 and RFC 9559).
HEADER, SEGMENT, INFO, TRACKS, CLUSTER, TIMESTAMP = (
    0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0xE7)
ENDLESS_SEGMENT = SEGMENT.to_bytes(4, "big") + b"\x01" + b"\xff" * 7  # its size is not known


class Element(typing.NamedTuple):
    """Places are counted in bytes from the beginning of the file."""
    id: int
    begin: int
    data: int  # where its data begin
    end: int   # None if its size is not known


def number(stream, with_marker):
    """A number of variable length. None if the file ends before or in it, or, for a size, if it is not known."""
    first = stream.read(1)
    length = 9 - first[0].bit_length() if first and first[0] else 0
    rest = stream.read(length - 1) if length > 1 else b""
    if not length or len(rest) < length - 1:
        return None
    value = int.from_bytes(first + rest, "big")
    if with_marker:
        return value
    mask = (1 << 7 * length) - 1
    return None if value & mask == mask else value & mask


def elements(stream, begin, end=None):
    """The elements from a place on, one after another, as far as they are whole. The last one may have no end."""
    while end is None or begin < end:
        stream.seek(begin)
        name, size = number(stream, True), number(stream, False)
        if name is None:
            return
        found = Element(name, begin, stream.tell(), None if size is None else stream.tell() + size)
        yield found
        if found.end is None:
            return
        begin = found.end


def inside(stream):
    """The elements of the file's segment, as far as it has been written."""
    for outer in elements(stream, 0):
        if outer.id == SEGMENT:
            yield from elements(stream, outer.data, outer.end)


def time_of(stream, cluster):
    """When a cluster begins, in the unit of the file, which is a millisecond if ffmpeg has written it."""
    for element in elements(stream, cluster.data, cluster.end):
        if element.id == TIMESTAMP:
            stream.seek(element.data)
            return int.from_bytes(stream.read(element.end - element.data), "big")
    return None


def first_cluster(stream):
    """The first cluster of a file; None if it has none. What comes before it says how to decode what follows."""
    return next((element for element in inside(stream) if element.id == CLUSTER), None)


def first_time(path):
    """When the first cluster of a file begins, as time_of says."""
    with open(path, "rb") as stream:
        return time_of(stream, first_cluster(stream))


class Clusters:
    """Those of a file that grows, such as ffmpeg writes it, with the time of each. look() finds new ones."""

    def __init__(self, path):
        self.path, self.found = path, []  # pairs: an element, and its time

    def look(self):
        if not self.path.exists():
            return
        size = self.path.stat().st_size
        with open(self.path, "rb") as stream:
            following = elements(stream, self.found[-1][0].end) if self.found else inside(stream)
            for element in following:
                if element.end is None or element.end > size:
                    return
                if element.id == CLUSTER:
                    self.found.append((element, time_of(stream, element)))

    def write(self, out, first, end):
        """Writes a file that has only some of the clusters, with what all of them need."""
        with open(self.path, "rb") as stream:
            header = next(elements(stream, 0))
            needed = [header, *(element for element in inside(stream) if element.id in (INFO, TRACKS))]
            clusters = [element for element, _ in self.found[first:end]]
            for element in [*needed, *clusters]:
                stream.seek(element.begin)
                out.write(stream.read(element.end - element.begin))
                if element is header:
                    out.write(ENDLESS_SEGMENT)
