# SPDX-License-Identifier: BSD-2-Clause
"""What docs/performance.md promises, and what a measurement says about it."""
import typing

from cameras import CAMERAS


class Promise(typing.NamedTuple):
    what: str
    against: str
    quantity: str     # a field of Sample
    limit: float      # what is promised: at most this
    original: object  # the figure of the original implementation of ExCamera, or None
    unit: str = ""    # of an absolute figure; empty for a ratio


PROMISES = {
    "decode": Promise("xc-decode, no output", "vpxdec --threads=1 --noblit", "cpu", 0.95, 2.7),
    "ffmpeg": Promise("xc-decode, no output", "ffmpeg -threads 1 -f null", "cpu", 0.95, 2.3),
    **{f"{decoder} {name}": Promise(f"xc-decode, {camera.what}", against, "cpu", 0.95, None)
       for name, camera in CAMERAS.items()
       for decoder, against in (("decode", "vpxdec"), ("ffmpeg", "ffmpeg"))},
    "dump": Promise("xc-dump", "vpxdec --threads=1 --noblit", "cpu", 1.15, 2.7),
    "rebase": Promise("xc-rebase", "vpxdec, the same six frames", "cpu", 4.0, 10.4),
    "threads": Promise("xc-rebase --threads 2", "xc-rebase --threads 1", "wall", 0.60, None),
    "enc": Promise("xc-enc -r", "xc-vpxenc", "cpu", 1.3, 0.6),
    "memory": Promise("xc-rebase, 1080p, peak memory", "", "peak", 64, 292, "MiB"),
    "memory-2160": Promise("xc-rebase, 2160p, peak memory", "", "peak", 200, None, "MiB"),
    "start": Promise("xc-rebase --version, start to exit", "", "wall", 0.002, None, "s"),
}


class Figure(typing.NamedTuple):
    """The result of a promise with one film."""
    value: float
    low: float
    high: float
    ours: list    # samples
    theirs: list
