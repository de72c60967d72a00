# SPDX-License-Identifier: BSD-2-Clause
"""Reading Y4M films (8 bits, 4:2:0)."""
import re
import typing


class Header(typing.NamedTuple):
    """The first line of a Y4M file."""
    line: bytes    # as it stands in the file, with the newline
    width: int
    height: int
    aspect: tuple  # of a sample, across and down; (1, 1) if the file states none

    @property
    def picture_size(self):
        """Bytes of a picture, without the FRAME line before it."""
        return self.width * self.height + 2 * ((self.width + 1) // 2) * ((self.height + 1) // 2)


def read_header(stream):
    """Reads the first line of a stream. Raises ValueError if it is no Y4M header."""
    line = stream.readline()
    magic, *words = line.decode("ascii", "replace").split() or [""]
    fields = {word[0]: word[1:] for word in words}
    sizes = [re.fullmatch(r"0*([1-9]\d{0,4})", fields.get(tag, ""), re.ASCII) for tag in "WH"]
    if magic != "YUV4MPEG2" or not all(sizes):
        raise ValueError("is no Y4M film")
    aspect = re.fullmatch(r"0*([1-9]\d{0,8}):0*([1-9]\d{0,8})", fields.get("A", ""), re.ASCII)
    return Header(line, *(int(size[1]) for size in sizes), tuple(map(int, aspect.groups())) if aspect else (1, 1))


def read_frames(stream, header):
    """Yields each frame after the header, with its FRAME line. Stops at the end, or before a frame that is cut
    short."""
    while line := stream.readline():
        picture = stream.read(header.picture_size)
        if len(picture) < header.picture_size:
            return
        yield line + picture
