# SPDX-License-Identifier: BSD-2-Clause
"""The functions of lambda/functions/: events and values as published, and what goes wrong."""
import functions_case
import harness
import remote
from functions_case import FunctionsCase
from remote import Shared


def setUpModule():
    functions_case.start()


def tearDownModule():
    remote.stop()


class Published(FunctionsCase):
    """The workflow that the published documents tell, with their names: 1.y4m and so on, and a group of functions."""

    def test_workflow(self):
        names = ("1", "2", "3", "4")
        for name, chunk in zip(names, range(4)):
            self.put(f"{name}.y4m", (self.dir / f"{harness.number(chunk)}.y4m").read_bytes())
        alone = [self.value("vpxenc", {"bucket": self.bucket, "file": f"{name}.y4m"}) for name in names]
        self.assertEqual(alone, [{"bucket": self.bucket, "file": f"{name}-0.ivf"} for name in names])
        states = [self.value("xcdec", value) for value in alone]
        self.assertEqual(states, [{"bucket": self.bucket, "ivf file": f"{name}-0.ivf", "state": f"{name}-0.state"}
                                  for name in names])
        pairs = self.value("group", states)
        self.assertEqual(pairs, [
            {"bucket": self.bucket, "prev state": f"{before}-0.state", "ivf file": f"{name}-0.ivf"}
            for before, name in zip(names, names[1:])])
        again = [self.value("reencode", value) for value in pairs]
        self.assertEqual(again, [
            {"bucket": self.bucket, "interframe-only ivf file": f"{name}-1.ivf", "new decoder state": f"{name}-1.state"}
            for name in names[1:]])
        last = self.value("rebase", again)
        self.assertEqual(last, {"bucket": self.bucket, "interframe-only ivf file": "4.ivf",
                                "new decoder state": "4-1.state"})
        expected = list(self.local().values())
        self.assertEqual([self.get(name) for name in ("1-0.ivf", "2-1.ivf", "3.ivf", "4.ivf")], expected)


class Anchored(FunctionsCase):
    batch = 4

    def test_film(self):
        """The functions of the anchored structure, which are ours, with names in a directory."""
        self.generate(self.dir, "anchored")
        self.upload()
        events = [{"bucket": self.bucket, "file": f"{self.prefix}{harness.number(i)}.y4m", "index": i, "quality": 22,
                   "count": self.chunks} for i in range(self.chunks)]
        for function in ("anchors", "follow"):
            for event in events:
                self.value(function, event)
        self.assertEqual(self.encoded(), self.local())
        self.assertFalse([call["left"] for call in self.calls() if call["left"]])


class FanIn(FunctionsCase):
    """What unum gives reencode and rebase: the results of two functions, instead of an event that group has made."""

    def test_film(self):
        self.upload()
        names = [f"{self.prefix}{harness.number(i)}" for i in range(self.chunks)]
        alone = [self.value("vpxenc", {"bucket": self.bucket, "file": f"{name}.y4m"}) for name in names]
        states = [self.value("xcdec", value) for value in alone[:-1]]
        again = [self.value("reencode", [value, state]) for value, state in zip(alone[2:], states[1:])]
        done = self.value("rebase", [alone[1], states[0]])
        self.assertEqual(done, {"bucket": self.bucket, "interframe-only ivf file": f"{names[1]}.ivf",
                                "new decoder state": f"{names[1]}-1.state"})
        for value in again:
            done = self.value("rebase", [done, value])
        self.assertEqual(done["interframe-only ivf file"], f"{names[-1]}.ivf")
        expected = list(self.local().values())
        self.assertEqual([self.get(f"{name}.ivf") for name in names[1:]], expected[1:])
        self.assertEqual(self.get(f"{names[0]}-0.ivf"), expected[0])


class Repeated(FunctionsCase):
    """Events come twice, and late."""

    def test_late_reencode(self):
        """It does not put its guess in the place of the true state that rebase has written since."""
        self.upload()
        names = [f"{self.prefix}{harness.number(i)}" for i in range(3)]
        alone = [self.value("vpxenc", {"bucket": self.bucket, "file": f"{name}.y4m"}) for name in names]
        pairs = self.value("group", [self.value("xcdec", value) for value in alone])
        again = [self.value("reencode", pair) for pair in pairs]
        guessed = self.get(f"{names[2]}-1.state")
        self.value("rebase", again)
        true = self.get(f"{names[2]}-1.state")
        self.assertNotEqual(true, guessed)
        self.assertEqual(self.value("reencode", pairs[1]), again[1])
        self.assertEqual(self.get(f"{names[2]}-1.state"), true)
        self.value("rebase", again)
        self.assertEqual(self.get(f"{names[2]}.ivf"), self.local()[harness.number(2)])

    def test_store_with_faults(self):
        """S3 fails for every fifth request and drops others, and nothing is seen of it."""
        self.upload()
        Shared.stack.start_proxy(s3_failures=20, drops=5)
        self.addCleanup(Shared.stack.start_proxy)
        event = {"bucket": self.bucket, "file": f"{self.prefix}00000000.y4m", "index": 0}
        self.value("xcdec", self.value("vpxenc", event))
        self.assertEqual(self.get(f"{self.prefix}00000000.ivf"), self.local()["00000000"])


class Refusals(FunctionsCase):
    """One line of the tool, or about the event; nothing in the bucket, nothing in /tmp."""

    def refuses(self, name, event, kind, words):
        before = self.keys()
        error, told = self.invoke(name, event)
        self.assertEqual((error, told.get("errorType")), ("Unhandled", kind), told)
        self.assertRegex(told["errorMessage"], words)
        self.assertNotIn("\n", told["errorMessage"])
        self.assertEqual(self.keys(), before)
        self.assertEqual(self.calls()[-1]["left"], [])

    def test_tools(self):
        """What a tool says is the error."""
        self.put("1.y4m", b"nonsense")
        self.put("2-0.ivf", b"nonsense")
        self.put("1-0.state", b"nonsense")
        self.put("2.y4m", (self.dir / "00000000.y4m").read_bytes())
        bucket = {"bucket": self.bucket}
        self.refuses("vpxenc", {**bucket, "file": "1.y4m"}, "ToolFailed", r"^xc-vpxenc: 1.y4m: ")
        self.refuses("xcdec", {**bucket, "file": "2-0.ivf"}, "ToolFailed", r"^xc-dump: 2-0.ivf: ")
        self.refuses("reencode", {**bucket, "prev state": "1-0.state", "ivf file": "2-0.ivf"}, "ToolFailed",
                     r"^xc-enc: (1-0.state|2-0.ivf): ")
        self.refuses("anchors", {**bucket, "file": "1.y4m", "index": 0}, "ToolFailed", r"^xc-enc: 1.y4m: ")

    def test_store(self):
        self.refuses("vpxenc", {"bucket": self.bucket, "file": "film/7.y4m"}, "StoreRefused",
                     f"^film/7.y4m: is not in bucket {self.bucket}$")
        self.refuses("vpxenc", {"bucket": "no-such-bucket", "file": "7.y4m"}, "StoreRefused", "no-such-bucket$")

    def test_names(self):
        for name in ("../1.y4m", "/1.y4m", "a/../1.y4m", "./1.y4m", "1.y4m\n", "1.mp4", "", "-1.y4m", "1.y4m/",
                     "a//1.y4m", "film/.hidden/1.y4m", "123456789.y4m", "\u0661.y4m", "1.ivf", 7, None, ["1.y4m"],
                     "x" * 2000 + "/1.y4m", "-o/1.y4m", "$(id).y4m"):
            with self.subTest(name):
                self.refuses("vpxenc", {"bucket": self.bucket, "file": name}, "BadEvent", "is not the name of a file")

    def test_fields(self):
        good = {"bucket": self.bucket, "file": "1.y4m"}
        for event, words in ((None, "is not an object"), ([good], "is not an object"),
                             ({"file": "1.y4m"}, "'bucket' is"),
                             ({"bucket": self.bucket}, "'file' is missing"), ({**good, "qualty": 1}, "'qualty'"),
                             ({**good, "bucket": "a/b"}, "'a/b' is not the name of a bucket"),
                             ({**good, "quality": 64}, "'quality' is 64"), ({**good, "quality": True}, "'quality'"),
                             ({**good, "index": -1}, "'index' is -1"), ({**good, "quality": "22"}, "'quality'")):
            with self.subTest(event=event):
                self.refuses("vpxenc", event, "BadEvent", words)

    def test_arrays(self):
        item = {"bucket": self.bucket, "interframe-only ivf file": "2-1.ivf", "new decoder state": "2-1.state"}
        self.assertIsNone(self.value("rebase", []))
        self.assertEqual(self.value("rebase", [item]), item)
        self.assertEqual(self.value("group", []), [])
        self.refuses("rebase", item, "BadEvent", "is not an array")
        self.refuses("rebase", [item, item], "BadEvent", "^2-1.ivf: a chunk cannot come before itself")
        self.refuses("rebase", [item, {**item, "bucket": "another", "interframe-only ivf file": "3-1.ivf"}], "BadEvent",
                     "the items name 2 buckets")
        self.refuses("group", [{"bucket": self.bucket, "ivf file": "1-0.ivf", "state": "../1-0.state"}], "BadEvent",
                     "is not the name of a file")
        self.refuses("reencode", [item, item, item], "BadEvent", "is not an object")
        self.refuses("anchors", {"bucket": self.bucket, "file": "0.y4m", "index": 1}, "BadEvent", "no chunk before it")
        self.refuses("anchors", {"bucket": self.bucket, "file": "99999999.y4m", "index": 1, "count": 3}, "BadEvent",
                     "no chunk after it")

    def test_relay(self):
        good = {"bucket": self.bucket, "prefix": "film/", "structure": "classic", "quality": 22, "first": 0, "last": 3,
                "function": "vpxenc", "chunk": 0}
        for change, words in (({"prefix": "../"}, "is not a directory"), ({"prefix": "film"}, "is not a directory"),
                              ({"structure": []}, "is not a structure"), ({"function": {}}, "is not the name of a"),
                              ({"chunk": 4}, "do not fit"), ({"first": 4}, "do not fit"),
                              ({"last": "3"}, "'last' is '3'"),
                              ({"last": 99999999}, "too many for one event"), ({"batch": 0}, "not known"),
                              ({"starts": [0]}, "not known"), ({"quality": None}, "'quality' is None")):
            with self.subTest(change):
                self.refuses("relay", {**good, **change}, "BadEvent", words)
        film = {name: value for name, value in good.items() if name not in ("function", "chunk")}
        for starts in ([4], "0", [True], [None]):
            with self.subTest(starts):
                self.refuses("relay", {**film, "batch": 2, "starts": starts}, "BadEvent", "not a list of chunks")
        self.assertIn("BadEvent: dump-00000000 is not in the batch",
                      self.value("relay", {**good, "function": "dump"})["failed"])
