# SPDX-License-Identifier: BSD-2-Clause
"""VMAF, by an ffmpeg that has libvmaf."""
import functools
import importlib.util
import json
import math
import os

from xcdriver.processes import Failure, attempt

# One in so many frames is measured, because to measure all takes a third of the time of an encode; and from how many
# measured frames on.
DISTANCES = ((13, 24), (11, 24), (7, 24), (5, 12), (3, 12), (1, 0))


def has_libvmaf(program):
    try:
        return " libvmaf " in attempt([program, "-v", "error", "-filters"]).output
    except Failure:
        return False


@functools.lru_cache(maxsize=None)
def ffmpeg():
    """The program: that which FFVMAF in the environment names, or that of PyPI's imageio-ffmpeg, which always has
    libvmaf, or the usual one."""
    programs = [os.environ.get("FFVMAF")]
    if importlib.util.find_spec("imageio_ffmpeg"):
        import imageio_ffmpeg
        programs.append(imageio_ffmpeg.get_ffmpeg_exe())
    programs.append("ffmpeg")
    found = next((program for program in programs if program and has_libvmaf(program)), None)
    if not found:
        raise Failure("this ffmpeg has no libvmaf, which measures VMAF; name one that has in the variable FFVMAF, or "
                      "get one with: pip install imageio-ffmpeg")
    return found


def distance(frames, chunk_frames):
    """From one frame that is measured to the next, in a film of so many frames. Over some chunks, each place in a chunk
    has its turn, if the film is not too short for that."""
    return next(each for each, least in DISTANCES
                if frames >= least * each and (math.gcd(each, chunk_frames) == 1 or each < 5))


def copies(first, each):
    """How many copies of the first picture come before it, so that those are measured whose numbers in the whole film
    are multiples of `each`. first: its number."""
    return each - -first % each


def command(skip, first, each, encoded, raw):
    """The command that compares a Y4M film, without its first `skip` frames, with another. encoded, raw: descriptors.
    See copies()."""
    padding = f"settb=1,setpts=N,tpad=start={copies(first, each)}:start_mode=clone,setpts=N"
    graph = (f"[0:v]trim=start_frame={skip},{padding}[a];[1:v]{padding}[b];[a][b]libvmaf=n_subsample={each}:"
             "log_fmt=json:log_path=/dev/stdout")
    return [ffmpeg(), "-nostdin", "-v", "error", "-i", f"pipe:{encoded}", "-i", f"pipe:{raw}", "-lavfi", graph, "-f",
            "null", "/dev/null"]


def losses(text, first, each):
    """How far from 100 each frame is that was measured. A part of VMAF is the motion from the frame before. After a
    copy there is none, which is right only for the first frame of a film."""
    least = copies(first, each) + (first > 0)
    return [100 - frame["metrics"]["vmaf"] for frame in json.loads(text)["frames"] if frame["frameNum"] >= least]
