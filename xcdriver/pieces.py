# SPDX-License-Identifier: BSD-2-Clause
"""How long chunks and batches are."""
import argparse

from xcdriver.graph import LAST_CHUNK
from xcdriver.processes import Failure

CHUNK, BATCH = 12, 8  # frames per chunk and chunks per batch, unless the user says otherwise


def key_interval(text):
    """A type of argument: seconds from one key frame to the next."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return seconds


def settle(options, rate):
    """Sets options.chunk and options.batch. rate: frames per second; None if it is not known."""
    options.chunk = options.chunk or CHUNK
    if options.keyint is None:
        options.batch = options.batch or BATCH
        return
    if rate is None:
        raise Failure("standard input: its frame rate is not known before it is read, so --keyint has no meaning; use "
                      "-k, which counts chunks")
    frames = max(1, int(options.keyint * rate + 1e-9))
    options.chunk = min(options.chunk, frames)
    options.batch = min(frames // options.chunk, LAST_CHUNK)
