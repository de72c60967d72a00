# SPDX-License-Identifier: BSD-2-Clause
"""gen_makefile.py --format asl: the state machines are valid, and make the chunks of a local run."""
import collections
import json
import time

import functions_case
import harness
import remote
import stack
from functions_case import FunctionsCase
from harness import ROOT, Case
from xcdriver import asl
from xcdriver.layout import Layout


def setUpModule():
    functions_case.start(state_machines=True)


def tearDownModule():
    remote.stop()


class MachineCase(FunctionsCase):
    film = {"width": 64, "height": 48, "frames": 16}
    size, batch = 2, 3  # three batches, the last one of two chunks

    def definition(self, structure="classic"):
        return harness.must(ROOT / "gen_makefile.py", "--format", "asl", "--structure", structure, 0, self.chunks - 1,
                            self.batch, 22).decode()

    def execute(self, definition, **more):
        """Runs a state machine on the film, and returns how that ended, and the events of its history."""
        name = f"films-{time.time_ns()}"
        machine = self.aws("stepfunctions", "create-state-machine", "--name", name, "--definition", definition,
                           "--role-arn", "arn:aws:iam::123456789012:role/excamera")["stateMachineArn"]
        self.addCleanup(self.aws, "stepfunctions", "delete-state-machine", "--state-machine-arn", machine)
        given = {"bucket": self.bucket, "prefix": self.prefix, **more}
        execution = self.aws("stepfunctions", "start-execution", "--state-machine-arn", machine, "--name", name,
                             "--input", json.dumps(given))["executionArn"]
        execution = ("--execution-arn", execution)
        harness.wait_for(lambda: self.aws("stepfunctions", "describe-execution", *execution)["status"] != "RUNNING")
        return (self.aws("stepfunctions", "describe-execution", *execution),
                self.aws("stepfunctions", "get-execution-history", *execution)["events"])

    def succeeds(self, definition, **more):
        told, events = self.execute(definition, **more)
        self.assertEqual(told["status"], "SUCCEEDED", told)
        return events

    def calls_of(self, name):
        """The events that a function was given, and how each ended."""
        return [(json.dumps(call["event"]), call.get("error", {}).get("errorType")) for call in self.calls()
                if call["function"] == name]


class Films(MachineCase):
    def test_both_structures(self):
        """Three batches have the bytes of a local run, each step is called once, and events are as many as thought."""
        expected = {"classic": {"vpxenc": 8, "xcdec": 8, "group": 3, "reencode": 5, "rebase": 2},
                    "anchored": {"anchors": 8, "follow": 8}}
        self.upload()
        for structure, calls in expected.items():
            with self.subTest(structure):
                self.generate(self.dir, structure)
                self.calls_before = len(self.calls(everything=True))
                events = self.succeeds(self.definition(structure))
                self.assertEqual(self.encoded(), self.local())
                self.assertEqual(collections.Counter(call["function"] for call in self.calls()), calls)
                self.assertLess(len(events), 40 + asl.EVENTS_OF_CHUNK * self.chunks)
                # As many as docs/lambda.md says: two of the film, and those of batches of 3, 3 and 2 chunks.
                self.assertEqual(sum(event["type"].endswith("StateEntered") for event in events),
                                 2 + sum(6 * k - 2 if structure == "classic" else 4 * k + 3 for k in (3, 3, 2)))
                self.assertFalse([call["left"] for call in self.calls() if call["left"]])

    def test_batches_of_their_own(self):
        """What a long film has: its list in the bucket, an execution for each batch."""
        self.upload()
        film = Layout(self.batch).batches(self.chunks)
        self.put(f"{self.prefix}list.json", json.dumps(asl.names(film)).encode())
        machine = json.dumps(asl.general("classic", False, asl.Machine()))
        self.succeeds(machine, quality=22, parallel=2, list=f"{self.prefix}list.json")
        self.assertEqual(self.encoded(), self.local())


class Failures(MachineCase):
    film = {"width": 64, "height": 48, "frames": 8}

    def test_once(self):
        """The store fails for one step, the next one is killed, and the film is as it should be."""
        self.upload()
        self.fault("xcdec 00000001 StoreFailed 1", "reencode 00000002 kill 1")
        self.succeeds(self.definition())
        self.assertEqual(self.encoded(), self.local())
        self.assertEqual([error for event, error in self.calls_of("xcdec") if "00000001" in event],
                         ["StoreFailed", None])
        self.assertEqual([error for event, error in self.calls_of("reencode") if "00000002-0" in event],
                         ["Runtime.ExitError", None])

    NAMED = r"^film/holiday/00000000.y4m: ToolFailed: \{.*\"xc-\w+: 00000000.y4m"

    def test_always(self):
        """What a tool refuses is not tried again; the chunk is named, with what the tool said."""
        self.upload()
        self.put(f"{self.prefix}00000000.y4m", b"YUV4MPEG2 nonsense\n")
        for structure, function in (("classic", "vpxenc"), ("anchored", "anchors")):
            with self.subTest(structure):
                self.calls_before = len(self.calls(everything=True))
                told, _ = self.execute(self.definition(structure))
                self.assertEqual(told["status"], "FAILED")
                self.assertRegex(told["cause"], self.NAMED)
                self.assertEqual([error for event, error in self.calls_of(function) if "00000000.y4m" in event],
                                 ["ToolFailed"])

    def test_batch_of_its_own(self):
        """It leaves its cause in the bucket, and the film's execution looks for it there. On moto, that ends as if
        there were none: it lets no film fail because a batch has failed, and getObject's Body is no text there."""
        self.upload()
        self.put(f"{self.prefix}00000000.y4m", b"YUV4MPEG2 nonsense\n")
        many = {"quality": 22, "parallel": 2, "list": f"{self.prefix}list.json"}
        film = json.dumps(asl.names(Layout(self.batch).batches(self.chunks))).encode()
        definition = json.dumps(asl.general("anchored", False, asl.Machine()))
        self.put(many["list"], film)
        told, _ = self.execute(definition, **many)
        self.assertRegex(self.get(f"{self.prefix}failed/{told['name']}").decode(), self.NAMED)

        told, events = self.execute(definition, **{**many, "list": "nothing"})
        self.assertRegex(told["cause"], r"^film/holiday/: a batch: States\.\w+: ")
        requests = [json.loads(event["taskScheduledEventDetails"]["parameters"]) for event in events
                    if event["type"] == "TaskScheduled"]
        self.assertEqual(requests, [{"Bucket": self.bucket, "Key": f"{self.prefix}failed/{told['name']}"}])


class Definitions(Case):
    """What is written, for films of all sizes: valid, and within AWS's limits."""

    def written(self, *arguments):
        return harness.must(ROOT / "gen_makefile.py", "--format", "asl", *arguments)

    def test_valid(self):
        """By a validator that is not ours. The last film has more batches than an execution runs at once."""
        files = []
        for structure in asl.STRUCTURES:
            for first, last, size in ((0, 0, 1), (0, 1, 16), (5, 36, 16), (0, 40 * 16, 16), (0, 9999999, 500)):
                text = self.written("--structure", structure, first, last, size, 22)
                files.append(self.write(f"{structure}-{last}.json", text))
                self.assertLess(len(text), 1000000)
                states = json.loads(text)["States"]
                given = states["Film"]["Parameters"]
                self.assertEqual(given.get("batches"), None if last > 600 else asl.names(
                    Layout(size, [first]).batches(last + 1)))
            for inside in (False, True):
                text = asl.text(asl.general(structure, inside, asl.Machine("mine", "aws-cn")))
                self.assertNotIn("arn:aws:", text)
                files.append(self.write(f"{structure}-{inside}.json", text.encode()))
        validator = stack.PROGRAMS.parent / "node_modules/.bin/asl-validator"
        said = harness.must("node", validator, *(word for path in files for word in ("--json-path", path))).decode()
        self.assertEqual(said.count(" is valid"), len(files), said)

    def test_too_long(self):
        for arguments, words in (((0, 1000, 501, 22), "BATCH \\(501\\) is above 500"),
                                 ((0, 99999999, 1, 22), "more than 100000 batches")):
            done = harness.run(ROOT / "gen_makefile.py", "--format", "asl", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr.decode(), words)

    def test_a_structure_that_is_not_there(self):
        done = harness.run(ROOT / "gen_makefile.py", "--format", "asl", "--structure", "prepared", 0, 1, 2, 22)
        self.assertEqual(done.returncode, 2)
        self.assertIn("knows no structure prepared, but classic and anchored", done.stderr.decode())
