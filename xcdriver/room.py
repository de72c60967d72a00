# SPDX-License-Identifier: BSD-2-Clause
"""How much of the film is here at a time, and whether the disk has room for it."""
import math
import os
import shutil

from xcdriver import engine, graph
from xcdriver.processes import Failure
from xcdriver.sampling import PLACES
from xcdriver.uploads import MOST_HERE

# Chunks per process in a segment, which is what one run of make encodes. At the end of a segment some processes are
# idle; with so many chunks that hardly matters. While a segment is encoded, the next one is split into chunks. Of the
# rest of the film no raw pictures exist.
SEGMENT = 16
# With hundreds of processes elsewhere, that would be hundreds of gigabytes to keep here, or to upload before the first
# process begins. They wait for the uplink anyway.
SEGMENT_ELSEWHERE = 1


def has_no_raw_chunks(options):
    """Whether raw pictures are only where the steps run."""
    return options.decode == "there" and engine.HAS_REFERENCES


def makes_room(rungs):
    """Whether raw pictures that are cut here are here only until they are uploaded, since nothing here looks at them
    later."""
    options = rungs[0].options
    return engine.HAS_REFERENCES and not (options.keep or options.measure or any(rung.target for rung in rungs))


def most_chunks(options):
    """How many raw chunks, or references to them, there may be at a time; 0: no limit."""
    return 0 if options.keep else min(2 * chunks_at_a_time(options), graph.LAST_CHUNK)  # xc-split takes no larger one


def chunks_at_a_time(options):
    """The chunks of a segment: whole batches."""
    upload = engine.HAS_REFERENCES and options.decode == "here"
    return math.ceil((SEGMENT_ELSEWHERE if upload else SEGMENT) * options.jobs / options.batch) * options.batch


def for_chunks(source, frames):
    """The bytes that are needed for the raw pictures of so many frames, and half as much again for states and
    streams."""
    return frames * source.picture_size * 3 // 2


def for_pieces(source):
    """The bytes that are needed for the pieces of a film (cut.py), and as much again for its streams."""
    return 2 * os.path.getsize(source.name) if os.path.isfile(source.name) else 0


def chunks_here(rungs):
    """How many raw chunks of a size there may be here at a time; 0: no limit."""
    most = most_chunks(rungs[0].options)
    return min(most, MOST_HERE) if makes_room(rungs) else most


def for_rung(rung, most):
    """The bytes that are needed for what one size of the film still lacks. most: see chunks_here()."""
    work, source, options = rung.work, rung.source, rung.options
    most = most and most + (PLACES * options.batch if rung.target else 0)
    frames = (source.frames or 0) - work.layout.frame(work.record["done"])
    frames = min(frames, most * options.chunk) if most else frames
    return for_chunks(source, frames) - sum(path.stat().st_size for path in work.chunks())


def check(rungs, has_raw_chunks):
    """Raises Failure if the disk is too full. All sizes are on the same one."""
    most = chunks_here(rungs)
    needed = sum(for_rung(rung, most) if has_raw_chunks else for_pieces(rung.source) for rung in rungs)
    path = rungs[0].work.path
    free = shutil.disk_usage(path).free
    if needed > free:
        raise Failure(f"{path}: needs about {needed / 1e6:.0f} MB, but only {free / 1e6:.0f} MB are free; "
                      "choose another directory with --work DIR")
