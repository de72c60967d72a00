# SPDX-License-Identifier: BSD-2-Clause
"""Writes the state that a chunk leaves which was encoded on its own.

    {"bucket": B, "file": "1-0.ivf"}  ->  {"bucket": B, "ivf file": "1-0.ivf", "state": "1-0.state"}"""
from . import events
from .shared import Work


def handler(event, context):
    events.check(event, "file")
    stream = event["file"]
    state = events.chunk_of(stream, "-0.ivf", ".ivf").file("-0.state")
    with Work(event["bucket"], context) as work:
        work.fetch(stream)
        work.run("xc-dump", stream, state)
        work.store(state)
    return {"bucket": event["bucket"], "ivf file": stream, "state": state}
