# SPDX-License-Identifier: BSD-2-Clause
"""Encodes the other frames of a chunk whose anchors are there, which finishes it.

    {"bucket": B, "file": "00000001.y4m", "index": 1}  ->  {"bucket": B, "file": "00000001.ivf"}

The other fields are as for anchors."""
from .anchors import given
from .shared import Work


def handler(event, context):
    chunk, before, options = given(event)
    anchors, finished = chunk.file("-anchors.ivf"), chunk.file(".ivf")
    with Work(event["bucket"], context) as work:
        work.fetch(event["file"], anchors, *before)
        work.run("xc-enc", "--follow", anchors, *options, "-o", finished, event["file"])
        work.store(finished)
    return {"bucket": event["bucket"], "file": finished}
