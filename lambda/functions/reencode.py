# SPDX-License-Identifier: BSD-2-Clause
"""Encodes a chunk again, given the state that the chunk before it left when that was encoded on its own.

    {"bucket": B, "prev state": "1-0.state", "ivf file": "2-0.ivf"}
    ->  {"bucket": B, "interframe-only ivf file": "2-1.ivf", "new decoder state": "2-1.state"}

The results of vpxenc and xcdec that this needs are as good: [{"bucket": B, "file": "2-0.ivf"}, {"bucket": B,
"ivf file": "1-0.ivf", "state": "1-0.state"}].

The optional field "index" is the chunk's place in its batch. For the second chunk, 1, the guess is the true state, and
the chunk is finished: its file is 2.ivf. Others leave the state to rebase, which knows the true one."""
import hashlib

from . import events
from .shared import Work


def given(event):
    """The event in its first form, whichever it has."""
    if isinstance(event, list) and len(event) == 2:
        alone, before = event
        events.check(alone, "file", optional=("index",))
        events.check(before, "ivf file", "state")
        index = {"index": alone["index"]} if "index" in alone else {}
        return {"bucket": events.bucket_of(event), "prev state": before["state"], "ivf file": alone["file"], **index}
    events.check(event, "prev state", "ivf file", optional=("index",))
    return event


def handler(event, context):
    event = given(event)
    index = event.get("index")
    if index == 0:
        raise events.BadEvent("the first chunk of a batch has no state before it")
    return encode(event, context, ".ivf" if index == 1 else "-1.ivf", index is None or index == 1)


def encode(event, context, ending, store_state):
    """Makes the chunk's file with this ending, and the state after it."""
    chunk = events.chunk_of(event["ivf file"], "-0.ivf")
    guess = events.chunk_of(event["prev state"], "-0.state").file("-0.state")
    made, state = chunk.file(ending), chunk.file("-1.state")
    with Work(event["bucket"], context) as work:
        work.fetch(chunk.file(".y4m"), event["ivf file"], guess)
        work.run("xc-enc", "-W", "-w", "0.75", "-i", "y4m", "-o", made, "-r", "-I", guess, "-p", event["ivf file"],
                 *(["-O", state] if store_state else []), chunk.file(".y4m"))
        if store_state:
            store_guessed(work, made, state)
        work.store(made)
    return {"bucket": event["bucket"], "interframe-only ivf file": made, "new decoder state": state}


def store_guessed(work, made, state):
    """Stores the state, unless rebase has already written the true one for this very file. An event can come twice, and
    the second time be late."""
    digest = hashlib.sha256(work.path(made).read_bytes()).hexdigest()
    body = work.path(state).read_bytes()
    while True:
        there = work.head(state)
        if there and there["Metadata"].get("rebased") == digest:
            return
        condition = {"IfMatch": there["ETag"]} if there else {"IfNoneMatch": "*"}
        if work.put_if(state, body, **condition):
            return
