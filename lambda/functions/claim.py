# SPDX-License-Identifier: BSD-2-Clause
"""Who makes a call, where several could: an object that only one can write, by S3's conditions for writing.

The object says until when the call belongs to whom. First it belongs to the one who sends the event for it, then to the
one who works on it. After that time, anybody may take the call, since Lambda has ended whoever had it."""
import json
import time

SENDING = 60  # seconds until an event counts as lost that was to be sent


class Claim:
    """The claim to a call. `me` is the id of our own event, which stays the same when Lambda sends it again."""

    def __init__(self, store, key, me):
        self.store, self.key, self.me = store, key, me

    def take_to_send(self):
        """Whether we are the one to send the event for the call."""
        return self.take("sending", SENDING, ours="sending")

    def take_to_work(self, seconds):
        """Whether we are the one to work on the call. We have so many seconds."""
        return self.take("working", seconds, ours="working", over="sending")

    def take(self, state, seconds, ours, over=None):
        """Takes what is free, what is over, what nobody has worked on when that does not count, and what is ours."""
        while True:
            there = self.store.head(self.key)
            if there:
                had = json.loads(there["Metadata"]["claim"])
                mine = had["by"] == self.me and had["state"] == ours
                if not mine and had["state"] != over and time.time() < had["until"]:
                    return False
            claim = json.dumps({"by": self.me, "state": state, "until": int(time.time() + seconds) + 1})
            condition = {"IfMatch": there["ETag"]} if there else {"IfNoneMatch": "*"}
            # The text is in the object, too: its ETag has to be another for each claim.
            if self.store.put_if(self.key, claim.encode(), Metadata={"claim": claim}, **condition):
                return True
