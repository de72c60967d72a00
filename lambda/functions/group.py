# SPDX-License-Identifier: BSD-2-Clause
"""Puts each chunk of a batch together with the state that the chunk before it leaves. The first chunk has none.

    [{"bucket": B, "ivf file": "1-0.ivf", "state": "1-0.state"},
     {"bucket": B, "ivf file": "2-0.ivf", "state": "2-0.state"}, ...]
    ->  [{"bucket": B, "prev state": "1-0.state", "ivf file": "2-0.ivf"}, ...]"""
from . import events


def handler(event, _context):
    events.check_array(event)
    for item in event:
        events.check(item, "ivf file", "state")
        events.chunk_of(item["ivf file"], "-0.ivf", ".ivf")
        events.chunk_of(item["state"], "-0.state")
    return [{"bucket": events.bucket_of([before, item]), "prev state": before["state"], "ivf file": item["ivf file"]}
            for before, item in zip(event, event[1:])]
