# SPDX-License-Identifier: BSD-2-Clause
"""Encodes a chunk's anchors, from the anchors of the chunk before it (the anchored structure, docs/architecture.md).

    {"bucket": B, "file": "00000001.y4m", "index": 1}
    ->  {"bucket": B, "file": "00000001-anchors.ivf", "state": "00000001-anchors.state"}

"index" is the chunk's place in its batch; the first one, 0, begins with a key frame. Two fields are optional:
"quality", and "count", of the batch's chunks. With it, the anchors are those of the makefile: unless the chunk is the
last one, they are averaged with the pictures after it, too."""
from . import events
from .shared import Work
from .vpxenc import QUALITY


def given(event):
    """What both functions of the structure are given: the chunk, the state before it, if there is one, in a list, and
    the options of xc-enc that follow."""
    events.check(event, "file", "index", optional=("quality", "count"))
    chunk = events.chunk_of(event["file"], ".y4m")
    before = [] if event["index"] == 0 else [chunk.before().file("-anchors.state")]
    from_state = ["-I", *before] if before else []
    return chunk, before, ["--cq-level", event.get("quality", QUALITY), "-i", "y4m", *from_state]


def handler(event, context):
    chunk, before, options = given(event)
    anchors, state = chunk.file("-anchors.ivf"), chunk.file("-anchors.state")
    after = [chunk.after().file(".y4m")] if event["index"] + 1 < event.get("count", 0) else []
    near = ["--after", *after] if after else []
    with Work(event["bucket"], context) as work:
        work.fetch(event["file"], *after, *before)
        work.run("xc-enc", "--anchors", "--place", str(event["index"]), *near, *options, "-o", anchors, "-O", state,
                 event["file"])
        work.store(state)
        work.store(anchors)
    return {"bucket": event["bucket"], "file": anchors, "state": state}
