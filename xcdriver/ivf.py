# SPDX-License-Identifier: BSD-2-Clause
"""What an IVF file says without being decoded (docs/ivf.md)."""
import struct
import typing
from fractions import Fraction

from xcdriver.processes import Failure

HEADER, FRAME_HEADER = 32, 12  # bytes


class Header(typing.NamedTuple):
    width: int
    height: int
    rate: Fraction  # frames per second


def header(path):
    with open(path, "rb") as stream:
        width, height, frames, per = struct.unpack_from("<HHII", stream.read(HEADER), 12)
    return Header(width, height, Fraction(frames, per))


class Frame(typing.NamedTuple):
    size: int  # in bytes, with its header
    is_key: bool
    is_shown: bool


def frames(path):
    """The frames of a file. A lost frame, of no bytes, shows the picture before it again."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        stream.seek(HEADER)
        while header := stream.read(FRAME_HEADER):
            length = struct.unpack_from("<I", header)[0] if len(header) == FRAME_HEADER else size
            if stream.tell() + length > size:
                raise Failure(f"{path}: is cut short")
            tag = stream.read(min(length, 1))  # RFC 6386, section 9.1
            yield Frame(FRAME_HEADER + length, bool(tag) and not tag[0] & 1, not tag or bool(tag[0] >> 4 & 1))
            stream.seek(length - len(tag), 1)


def bytes_by_kind(path):
    """The bytes of key frames, and those of all other frames."""
    sums = [0, 0]
    for frame in frames(path):
        sums[not frame.is_key] += frame.size
    return sums


def move(path, units):
    """Adds to the timestamp of each frame of a file, in place."""
    with open(path, "r+b") as stream:
        stream.seek(HEADER)
        while header := stream.read(FRAME_HEADER):
            length, time = struct.unpack("<IQ", header)
            stream.seek(-8, 1)
            stream.write(struct.pack("<Q", time + units))
            stream.seek(length, 1)
