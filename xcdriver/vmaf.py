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
DISTANCES = ((13, 40), (11, 40), (7, 40), (5, 12), (3, 12), (1, 0))
# The score is not to be clipped at 100: what is clipped hides how much finer a frame is than it has to be.
MODEL = r"version=vmaf_v0.6.1\\:disable_clip=true"


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


def command(skipped, first, each, films):
    """The command that compares two Y4M films, the encoded one and the raw one. films: their descriptors. skipped: how
    many frames of each are left out. See copies()."""
    padding = f"settb=1,setpts=N,tpad=start={copies(first, each)}:start_mode=clone,setpts=N"
    ready = "".join(f"[{number}:v]trim=start_frame={skip},{padding}[{name}];"
                    for number, skip, name in zip((0, 1), skipped, "ab"))
    inputs = [word for film in films for word in ("-i", f"pipe:{film}")]
    return [ffmpeg(), "-nostdin", "-v", "error", *inputs, "-lavfi",
            f"{ready}[a][b]libvmaf=n_subsample={each}:model={MODEL}:log_fmt=json:log_path=/dev/stdout", "-f", "null",
            "/dev/null"]


def motion_command(raw):
    """The command that prints the motion of each frame of a Y4M film, from a descriptor. It takes a tenth of the time
    that it takes to measure VMAF."""
    return [ffmpeg(), "-nostdin", "-v", "error", "-i", f"pipe:{raw}", "-vf", "vmafmotion=stats_file=/dev/stdout", "-f",
            "null", "/dev/null"]


def motions(text):
    """The metric motion2 of each frame in the middle of three, from what that command prints."""
    values = [float(line.rpartition(":")[2]) for line in text.splitlines() if line]
    return [min(values[place:place + 2]) for place in range(1, len(values), 3)]


def perfect(motion):
    """What a picture that is the same as the original scores before it is clipped. motion: the metric motion2 of that
    picture. Measured by comparing films with themselves: right within 0.1 for motions to 12, and 0.7 to 20."""
    return 97.43 + 1.4 * motion - 0.01 * motion ** 2


def figures(text, first, each):
    """Of each frame that was measured: its loss, which is how far it is from 100; its drop, by which it scores less
    than a perfect copy would; and the loss of that, below 0 where it would score more than 100. Only the first is of
    scores that are clipped. A part of VMAF is the motion from the frame before. After a copy there is none, which is
    right only for the first frame of a film."""
    least = copies(first, each) + (first > 0)
    found = []
    for frame in json.loads(text)["frames"]:
        if frame["frameNum"] >= least:
            score, best = frame["metrics"]["vmaf"], perfect(frame["metrics"]["integer_motion2"])
            found.append((100 - min(100, max(0, score)), best - score, 100 - best))
    return found
