# SPDX-License-Identifier: BSD-2-Clause
"""Encodes the other frames of a chunk whose anchors are there, which finishes it.

    {"bucket": B, "file": "00000001.y4m", "index": 1}  ->  {"bucket": B, "file": "00000001.ivf"}

"index" and "quality" are as for anchors."""
from . import events
from .shared import Work
from .vpxenc import QUALITY


def handler(event, context):
    events.check(event, "file", "index", optional=("quality",))
    chunk = events.chunk_of(event["file"], ".y4m")
    anchors, finished = chunk.file("-anchors.ivf"), chunk.file(".ivf")
    before = [] if event["index"] == 0 else [chunk.before().file("-anchors.state")]
    with Work(event["bucket"], context) as work:
        work.fetch(event["file"], anchors, *before)
        work.run("xc-enc", "--follow", anchors, "--cq-level", event.get("quality", QUALITY), "-i", "y4m",
                 *(["-I", *before] if before else []), "-o", finished, event["file"])
        work.store(finished)
    return {"bucket": event["bucket"], "file": finished}
