# SPDX-License-Identifier: BSD-2-Clause
"""What the frames of a film say: sizes, kinds, quantizers, and what their bits are spent on."""
import contextlib
import json
import struct
import subprocess

from xcdriver.ivf import HEADER
from xcdriver.processes import Failure, ending, log_in_memory, parse_json, reason, run, started
from xcdriver.rate import fraction

KEY, HIDDEN, SHOWN = range(3)  # kinds of frames, by the same numbers in page.js

# The kinds of bits that xc-dissect counts, in the groups that the page shows.
GROUPS = {"headers": ("header", "probabilities"), "modes": ("segments", "skips", "modes"), "vectors": ("vectors",),
          "coefficients": ("y2", "y", "u", "v")}


@contextlib.contextmanager
def lines_of(argv, **more):
    """The lines that a command prints, one after the other. Raises Failure at the end if it has failed."""
    with log_in_memory() as log, started(argv, stdout=subprocess.PIPE, stderr=log, **more) as process:
        yield process
        if process.wait():
            log.seek(0)
            raise Failure(reason(log.read()) or ending(argv[0], process.returncode))


def video_of(path, scratch):
    """The video of a film as an IVF file, and its frame rate, which the header of an IVF file from ffmpeg lacks."""
    with open(path, "rb") as start:
        if start.read(4) == b"DKIF":
            return path, None
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name,avg_frame_rate",
               "-of", "json", f"file:{path}"]
    found = parse_json(command, run(command)).get("streams")
    codec = found[0].get("codec_name") if found else None
    if codec != "vp8":
        raise Failure(f"{path}: its video is {codec}, not vp8" if codec else f"{path}: has no video")
    ivf = scratch / "film.ivf"
    run(["ffmpeg", "-nostdin", "-v", "error", "-i", f"file:{path}", "-map", "0:v:0", "-c", "copy", "-f", "ivf", ivf])
    return ivf, fraction(found[0].get("avg_frame_rate"))


def film(ivf, path, rate=None):
    """What the header of the IVF file says. path: the name for the user, and the size of what has it. rate: the frame
    rate, if the header does not have it."""
    with open(ivf, "rb") as stream:
        header = stream.read(HEADER)
    if len(header) < HEADER:
        raise Failure(f"{path}: is cut short")
    width, height, *of_header = struct.unpack_from("<HHII", header, 12)
    return {"name": path.resolve().name, "width": width, "height": height,
            "rate": [rate.numerator, rate.denominator] if rate else of_header,
            "bytes": ivf.stat().st_size, "file": path.stat().st_size if path.is_file() else None}


def kind(frame):
    if frame["key_frame"]:
        return KEY
    return SHOWN if frame["shown"] else HIDDEN


def frames(ivf):
    """Columns with a value for each frame, in the order of the stream, hidden ones included."""
    found = {"size": [], "kind": [], "shown": [], "quantizer": [], **{group: [] for group in GROUPS}}
    with lines_of(["xc-dissect", "--json", ivf]) as process:
        for line in process.stdout:
            if line.startswith("  {"):  # each frame has a line
                take(found, json.loads(line.rstrip(",\n")))
    if not found["size"]:
        raise Failure(f"{ivf}: has no frame")
    return found


def take(found, frame):
    """Adds a frame. One that was lost has no data, and so nothing but its number."""
    bits = frame.get("bits", {})
    found["size"].append(frame["size"])
    found["kind"].append(kind(frame) if "key_frame" in frame else SHOWN)
    found["shown"].append(int(frame.get("shown", True)))
    found["quantizer"].append(frame["header"]["quantizer"]["y_ac"] if "header" in frame else None)
    for group, kinds in GROUPS.items():
        found[group].append(round(sum(bits.get(name, 0) for name in kinds)))
