# SPDX-License-Identifier: BSD-2-Clause
"""Trying the user's filters on one picture, before any work begins."""
import os
import tempfile

from xcdriver import pictures, y4m
from xcdriver.messages import ADDRESS
from xcdriver.processes import Failure, attempt, ending


def first_header(path):
    """The header of a Y4M film that has a picture; else None."""
    try:
        with open(path, "rb") as stream:
            header = y4m.read_header(stream)
            return header if stream.read(5) == b"FRAME" else None
    except (OSError, ValueError):
        return None


def settle_size(source):
    """Finds out how large the pictures are that ffmpeg makes of a film. Raises Failure if it makes none."""
    with tempfile.TemporaryDirectory(prefix="excamera-") as directory:
        path = os.path.join(directory, "first.y4m")
        done = attempt(["ffmpeg", "-nostdin", "-v", "error", "-reinit_filter:v", "0", *source.edits.reading(),
                        *source.input, "-filter_complex", pictures.graph(source), "-map", "[pictures]", "-frames:v",
                        "1", "-f", "yuv4mpegpipe", f"file:{path}"])
        found = first_header(path)
    if not found:
        said = ADDRESS.sub("", done.errors.strip().partition("\n")[0]) or ending("ffmpeg", done.status)
        raise Failure(f"{source.name}: ffmpeg cannot do this to its pictures: {said}")
    source.size = found.width, found.height
