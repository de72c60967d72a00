# SPDX-License-Identifier: BSD-2-Clause
"""What an IVF file says without being decoded (docs/ivf.md)."""
import struct

from xcdriver.processes import Failure

HEADER, FRAME_HEADER = 32, 12  # bytes
NO_STATE = (0, int.from_bytes(b"DURA", "little"))  # in the place of the id of a state


def frames_shown(path):
    """Whether each frame of a file is shown."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        stream.seek(HEADER)
        while header := stream.read(FRAME_HEADER):
            length = struct.unpack_from("<I", header)[0] if len(header) == FRAME_HEADER else size
            if stream.tell() + length > size:
                raise Failure(f"{path}: is cut short")
            first = stream.read(min(length, 1))
            yield not first or bool(first[0] >> 4 & 1)  # show_frame of RFC 6386; a lost frame shows the last one
            stream.seek(length - len(first), 1)


def expects_state(path):
    """Whether a file names the state that its first frame must be decoded in."""
    with open(path, "rb") as stream:
        header = stream.read(HEADER)
    if len(header) < HEADER or header[:4] != b"DKIF":
        raise Failure(f"{path}: is no IVF file; make it again")
    return struct.unpack_from("<I", header, 28)[0] not in NO_STATE
