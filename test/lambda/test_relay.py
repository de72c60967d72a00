# SPDX-License-Identifier: BSD-2-Clause
"""Films that nobody keeps in order: each function that finishes sends the next events (lambda/functions/relay.py)."""
import collections
import json
import time

import functions_case
import harness
import remote
from functions_case import FunctionsCase


def setUpModule():
    functions_case.start()


def tearDownModule():
    remote.stop()


class RelayCase(FunctionsCase):
    film = {"width": 64, "height": 48, "frames": 16}
    size, batch = 2, 3  # three batches, the last one of two chunks

    # The calls for such a film.
    CALLS = {"classic": {"vpxenc": 8, "xcdec": 5, "reencode": 5, "rebase": 2}, "anchored": {"anchors": 8, "follow": 8}}

    def event(self, structure="classic", **more):
        return {"bucket": self.bucket, "prefix": self.prefix, "structure": structure, "quality": 22, "first": 0,
                "last": self.chunks - 1, **more}

    def begin(self, structure):
        """Sends the film's first events."""
        return self.value("relay", self.event(structure, batch=self.batch))["sent"]

    def is_finished(self):
        names = self.keys()
        return all(f"{self.prefix}{harness.number(i)}.ivf" in names for i in range(self.chunks))

    def settle(self):
        """Waits until the film is finished and no event is left."""
        harness.wait_for(lambda: self.is_finished() and self.is_quiet())

    def is_quiet(self):
        """Whether all events that were sent have been answered."""
        calls = [call for call in self.calls() if "chunk" in call["event"]]
        first = sum(call["value"]["sent"] for call in self.calls() if "chunk" not in call["event"])
        answered = {call["request"] for call in calls if "error" not in call}
        return len(answered) >= first + sum(len(call["value"]["sent"]) for call in calls if "error" not in call)

    def work(self):
        """How often each call's work was done, and said so."""
        return collections.Counter((call["event"]["function"], call["event"]["chunk"]) for call in self.calls()
                                   if call.get("value", {}).get("worked") is True)


class Films(RelayCase):
    def test_both_structures(self):
        """The bytes of a local run; every call is made once."""
        self.upload()
        for structure, calls in self.CALLS.items():
            with self.subTest(structure):
                self.generate(self.dir, structure)
                self.prefix = f"film/{structure}/"
                self.upload()
                self.calls_before = len(self.calls(everything=True))
                self.assertEqual(self.begin(structure), {"classic": 8, "anchored": 3}[structure])
                self.settle()
                self.assertEqual(self.encoded(), self.local())
                work = self.work()
                self.assertEqual(set(work.values()), {1})
                self.assertEqual(collections.Counter(function for function, _ in work), calls)
                self.assertFalse([call for call in self.calls() if call["left"] or "error" in call])

    def test_begun_again(self):
        """A film that is finished: nothing is done twice. One that lacks a chunk: what is missing is done."""
        self.upload()
        self.begin("classic")
        self.settle()
        expected = self.encoded()
        self.calls_before = len(self.calls(everything=True))
        self.begin("classic")
        harness.wait_for(self.is_quiet)
        self.assertEqual(self.work(), {})
        self.http("DELETE", f"{self.bucket}/{self.prefix}00000002.ivf")
        for name in [key for key in self.keys() if "claims/rebase-00000002" in key]:
            self.http("DELETE", f"{self.bucket}/{name}")
        self.calls_before = len(self.calls(everything=True))
        self.begin("classic")
        self.settle()
        self.assertEqual(self.work(), {("rebase", 2): 1})
        self.assertEqual(self.encoded(), expected)


class Kills(RelayCase):
    # When workers die: before and during the work, when it is stored, when the next call is claimed, after all.
    WAYS = ("kill", "shared.Work.run", "relay.Film.pass_on", "relay.Film.send", "late")

    def test_every_way(self):
        """A worker of each call dies, twice one in each way, and the film is that of a local run."""
        self.upload()
        ways = [way for way in self.WAYS for _ in range(2)]
        victims = [("vpxenc", 0), ("vpxenc", 1), ("xcdec", 0), ("xcdec", 1), ("reencode", 1), ("vpxenc", 4),
                   ("reencode", 2), ("xcdec", 3), ("rebase", 2), ("rebase", 5)]
        self.fault(*(f"relay {function}-{chunk} {way} 1" for (function, chunk), way in zip(victims, ways)))
        self.begin("classic")
        self.settle()
        self.assertEqual(self.encoded(), self.local())
        self.assertEqual(self.unused_faults(), [])
        self.assertEqual({count for count in self.work().values()}, {1})


class Claims(RelayCase):
    film = {"width": 64, "height": 48, "frames": 6}

    def plant(self, call, state, seconds):
        """A claim of somebody who does not exist."""
        claim = json.dumps({"by": "nobody", "state": state, "until": int(time.time() + seconds)})
        self.put(f"{self.prefix}claims/{call}", claim.encode(), {"x-amz-meta-claim": claim})

    def run_vpxenc(self):
        return self.value("relay", {**self.event(), "function": "vpxenc", "chunk": 0})

    def test_work_of_another(self):
        """It is left to him as long as he has time, and done when that is over."""
        self.upload()
        self.plant("vpxenc-00000000", "working", 3600)
        self.assertEqual(self.run_vpxenc(), {"worked": False, "sent": []})
        self.plant("vpxenc-00000000", "working", -1)
        self.assertEqual(self.run_vpxenc()["worked"], True)

    def test_event_of_another(self):
        """It is not sent again, unless he has had time for it."""
        self.upload()
        self.plant("xcdec-00000000", "sending", 3600)
        self.assertEqual(self.run_vpxenc(), {"worked": True, "sent": []})
        self.plant("xcdec-00000000", "sending", -1)
        self.assertEqual(self.run_vpxenc(), {"worked": False, "sent": ["xcdec-00000000"]})
        harness.wait_for(lambda: ("xcdec", 0) in self.work())

    def test_two_at_once(self):
        """Two partners that finish together: one event."""
        self.upload()
        event = {**self.event(), "function": "vpxenc", "chunk": 0}
        for _ in range(6):
            self.invoke_later("relay", event)
        self.invoke_later("relay", {**event, "chunk": 1})
        harness.wait_for(lambda: len(self.calls()) >= 10)
        self.assertEqual(set(self.work().values()), {1})
        self.assertEqual(set(self.work()), {("vpxenc", 0), ("vpxenc", 1), ("xcdec", 0), ("xcdec", 1), ("reencode", 1)})

    def test_failure(self):
        """A tool that refuses its input: said in the bucket, and not tried again."""
        self.put(f"{self.prefix}00000000.y4m", b"nonsense")
        told = self.run_vpxenc()
        self.assertRegex(told["failed"], r"^ToolFailed: xc-vpxenc: 00000000.y4m: ")
        self.assertEqual(self.get(f"{self.prefix}failed/vpxenc-00000000").decode(), told["failed"])
