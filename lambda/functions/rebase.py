# SPDX-License-Identifier: BSD-2-Clause
"""Rebases each chunk, from the second one of an array, onto the true state after the one before.

    [{"bucket": B, "interframe-only ivf file": "2-1.ivf", "new decoder state": "2-1.state"},
     {"bucket": B, "interframe-only ivf file": "3-1.ivf", "new decoder state": "3-1.state"}, ...]
    ->  {"bucket": B, "interframe-only ivf file": "3.ivf", "new decoder state": "3-1.state"}

The result is that of the last chunk. With it in the place of the first item, the next chunk can be rebased. An array of
one item gives that item, an empty one nothing: then there is nothing to rebase.

For the second chunk of a batch, the results of vpxenc and xcdec stand for the array, as for reencode: its guess is
true, so that encoding it again finishes it."""
import hashlib

from . import events, reencode
from .shared import Work


def handler(event, context):
    events.check_array(event)
    if len(event) == 2 and isinstance(event[0], dict) and "file" in event[0]:
        return reencode.encode(reencode.given(event), context, ".ivf", True)
    for item in event:
        events.check(item, "interframe-only ivf file", "new decoder state")
        events.chunk_of(item["interframe-only ivf file"], "-1.ivf", ".ivf")
        events.chunk_of(item["new decoder state"], "-1.state")
    last = event[0] if event else None
    for item in event[1:]:
        last = rebase(last, item, context)
    return last


def rebase(before, item, context):
    """Rebases the chunk of one item, and stores it with the state after it."""
    chunk = events.chunk_of(item["interframe-only ivf file"], "-1.ivf")
    onto = events.chunk_of(before["new decoder state"], "-1.state")
    if int(onto.number) == int(chunk.number):
        raise events.BadEvent(f"{chunk.file('-1.ivf')}: a chunk cannot come before itself")
    true, guess = onto.file("-1.state"), onto.file("-0.state")
    given, finished, state = chunk.file("-1.ivf"), chunk.file(".ivf"), chunk.file("-1.state")
    bucket = events.bucket_of([before, item])
    with Work(bucket, context) as work:
        work.fetch(chunk.file(".y4m"), given, guess, true)
        work.run("xc-rebase", "-W", "-w", "0.75", "-i", "y4m", "-o", finished, "-r", "-I", true, "-p", given,
                 "-S", guess, "-O", state, chunk.file(".y4m"))
        digest = hashlib.sha256(work.path(given).read_bytes()).hexdigest()
        work.call("put_object", state, Body=work.path(state).read_bytes(), Metadata={"rebased": digest})
        work.store(finished)
    return {"bucket": bucket, "interframe-only ivf file": finished, "new decoder state": state}
