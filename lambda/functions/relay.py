# SPDX-License-Identifier: BSD-2-Clause
"""A film without anybody who keeps its steps in order: who finishes a call passes the film on.

Each event is for one call (plan.py). When its work is done, the worker looks which calls need what it has made. If all
that such a call needs is in the bucket, and the worker is the first to claim it (claim.py), it sends the event for it.
So of two partners, the one that finishes last sends the event, and if they finish at the same time, one of them.

    {"bucket": B, "prefix": "film/holiday/", "structure": "classic", "quality": 22, "first": 0, "last": 15,
     "function": "vpxenc", "chunk": 3}

first and last are the batch. A film begins with an event for each call that needs nothing: in the classic structure,
one for each chunk. An event without "function" and "chunk", but with "batch", sends them all: {..., "first": 0,
"last": 799, "batch": 16}; with "starts": [0, 6, 13], these chunks begin a batch in any case.

When a worker dies, Lambda sends its event again, twice if need be. What was done is not done again then. The
same holds for a film that is begun again: it goes on from wherever it was."""
import concurrent.futures
import importlib
import json

from . import events, graph, plan, shared
from .claim import Claim
from .layout import Layout

SENDERS = 16  # threads that send a film's first events
FOR_GOOD = (shared.ToolFailed, shared.StoreRefused, events.BadEvent)  # another attempt would end in the same way


def handler(event, context):
    film = Film(event, context)
    if "batch" in event:
        return film.begin(event["batch"], event.get("starts", []))
    try:
        return film.go_on(plan.Call(event["function"], event["chunk"]), context)
    except FOR_GOOD as error:
        text = f"{type(error).__name__}: {error}"
        film.store.call("put_object", film.key(f"failed/{event['function']}-{event['chunk']:08d}"), Body=text.encode())
        return {"failed": text}


class Film:
    """What an event says of its film, and how to send others of it."""

    def __init__(self, event, context):
        if isinstance(event, dict) and "batch" in event:
            kind, optional = ("batch",), ("starts",)
        else:
            kind, optional = ("function", "chunk"), ()
        events.check(event, "prefix", "structure", "quality", "first", "last", *kind, optional=optional)
        events.check_relay(event)
        self.event, self.me, self.arn = event, context.aws_request_id, context.invoked_function_arn
        self.store = shared.Store(event["bucket"], context)
        self.plan = None if "batch" in event else plan.calls(event["structure"], event["first"], event["last"])

    def key(self, name):
        return f"{self.event['prefix']}{name}"

    def send(self, **changes):
        shared.client("lambda").invoke(FunctionName=self.arn, InvocationType="Event",
                                       Payload=json.dumps({**self.event, **changes}).encode())

    def begin(self, size, starts):
        """Sends the first events."""
        common = {name: value for name, value in self.event.items() if name not in ("batch", "starts")}
        self.event = common
        first_calls = []
        for batch in Layout(size, sorted({common["first"], *starts})).batches(common["last"] + 1):
            batch_plan = plan.calls(common["structure"], batch[0], batch[-1])
            first_calls += [{"first": batch[0], "last": batch[-1], **call._asdict()}
                            for call, files in batch_plan.items() if not files.needed]
        with concurrent.futures.ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(lambda changes: self.send(**changes), first_calls))
        return {"sent": len(first_calls)}

    def are_there(self, names):
        return all(self.store.head(self.key(name)) for name in names)

    def claim(self, call):
        return Claim(self.store, self.key(f"claims/{call}"), self.me)

    def go_on(self, call, context):
        """Does the work of a call, unless it is done or another worker is at it, and passes the film on."""
        if call not in self.plan:
            raise events.BadEvent(f"{call} is not in the batch")
        worked = not self.are_there(self.plan[call].made)
        if worked:
            if not self.claim(call).take_to_work(context.get_remaining_time_in_millis() // 1000):
                return {"worked": False, "sent": []}
            module = importlib.import_module(f".{call.function}", __package__)
            module.handler(self.event_of(call), context)
        return {"worked": worked, "sent": self.pass_on(call)}

    def pass_on(self, call):
        """Sends the events that this call makes possible. Behind calls that are done it looks further."""
        sent, done, seen = [], [call], set()
        while done:
            for other in plan.after(self.plan, done.pop()):
                if other in seen:
                    continue
                seen.add(other)
                files = self.plan[other]
                if not self.are_there(files.needed):
                    continue
                if self.are_there(files.made):
                    done.append(other)
                elif self.claim(other).take_to_send():
                    self.send(**other._asdict())
                    sent.append(str(other))
        return sent

    def event_of(self, call):
        """The event for a function, as a state machine would give it."""
        bucket, stem, before = self.event["bucket"], graph.stem(call.chunk), graph.stem(call.chunk - 1)
        index = call.chunk - self.event["first"]
        if call.function == "xcdec":
            return {"bucket": bucket, "file": self.key(f"{stem}.ivf" if index == 0 else f"{stem}-0.ivf")}
        if call.function == "reencode":
            return {"bucket": bucket, "prev state": self.key(f"{before}-0.state"),
                    "ivf file": self.key(f"{stem}-0.ivf"), "index": index}
        if call.function == "rebase":
            return [{"bucket": bucket, "interframe-only ivf file": self.key(f"{name}-1.ivf"),
                     "new decoder state": self.key(f"{name}-1.state")} for name in (before, stem)]
        return {"bucket": bucket, "file": self.key(graph.raw(call.chunk)), "index": index,
                "quality": self.event["quality"],
                **({} if call.function == "vpxenc" else {"count": self.event["last"] - self.event["first"] + 1})}
