# SPDX-License-Identifier: BSD-2-Clause
"""Encodes a chunk on its own, beginning with a key frame.

    {"bucket": B, "file": "1.y4m"}  ->  {"bucket": B, "file": "1-0.ivf"}

Optional fields: "quality", vpxenc's --cq-level; "index", the chunk's place in its batch. The first chunk of a batch,
0, is finished by that: its file is 1.ivf."""
from . import events, graph
from .shared import Work

QUALITY = 22  # that of the published command line


def handler(event, context):
    events.check(event, "file", optional=("quality", "index"))
    chunk = events.chunk_of(event["file"], ".y4m")
    alone = chunk.file(".ivf" if event.get("index") == 0 else "-0.ivf")
    with Work(event["bucket"], context) as work:
        work.fetch(chunk.file(".y4m"))
        work.run("xc-vpxenc", *graph.vpxenc_options(event.get("quality", QUALITY)), "-o", chunk.file("-vpxenc.ivf"),
                 chunk.file(".y4m"))
        work.run("xc-terminate-chunk", chunk.file("-vpxenc.ivf"), alone)
        work.store(alone)
    return {"bucket": event["bucket"], "file": alone}
