# SPDX-License-Identifier: BSD-2-Clause
"""The application for unum: its configurations make the graph of gen_makefile.py; unum's own runtime makes the film."""
import json
import os
import pathlib
import re
import shutil
import unittest

import harness
import remote
import stack
from functions_case import FunctionsCase
from harness import ROOT, Case
from remote import Shared


class Configured:
    """What configurations do, without unum: who calls whom, with whose values. A call is its function and indices, the
    innermost one first; a film is a list of batches, or one batch."""

    def __init__(self, directory):
        self.configs = {path.parent.name: json.loads(path.read_text())
                        for path in directory.glob("*/unum_config.json")}
        self.waiting, self.calls = {}, {}

    def run(self, film):
        """Returns each call with the calls whose values it is given."""
        self.call("UnumMap0", (), (), [], film)
        return self.calls

    def call(self, name, indices, sizes, of, value=None):
        assert (name, indices) not in self.calls, f"{name} {indices} is called twice"
        self.calls[name, indices] = of
        config = self.configs[name]
        following = config.get("Next", [])
        for edge in following if isinstance(following, list) else [following]:
            if self.computed(edge.get("Conditional", "True"), indices, sizes):
                self.follow(edge, config, (name, indices), sizes, value)

    def computed(self, text, indices, sizes):
        known = {"$size": sizes[0] if sizes else None, **{f"${i}": index for i, index in enumerate(indices)}}
        return eval(re.sub(r"\$(size|\d)", lambda found: str(known[found[0]]), text))

    def follow(self, edge, config, caller, sizes, value):
        indices = caller[1]
        kind = edge["InputType"]
        if kind == "Map":
            for index, item in enumerate(value):
                self.call(edge["Name"], (index, *indices), (len(value), *sizes), [caller], item)
            return
        following = indices
        for modifier in config.get("Next Payload Modifiers", []):
            target, text = modifier.split("=")
            assert target == "$0"
            following = (self.computed(text, indices, sizes), *following[1:])
        if kind == "Scalar":
            self.call(edge["Name"], following, sizes, [caller])
            return
        values = [self.named(text, indices, sizes) for text in kind["Fan-in"]["Values"]]
        there = self.waiting.setdefault((edge["Name"], following), (values, set()))
        assert there[0] == values, f"{edge['Name']} {following}: {there[0]} or {values}"
        there[1].add(caller)
        if there[1] == set(values):
            self.call(edge["Name"], following, sizes, values)

    def named(self, text, indices, sizes):
        """The call that a name such as xcdec-unumIndex-($0-1).$1 means."""
        name, parts = text.split("-unumIndex-")
        return name, tuple(self.computed(part, indices, sizes) for part in parts.split("."))


class Configurations(Case):
    def application(self, last, batch, starts="0"):
        directory = self.dir / f"{last}-{batch}-{starts}"
        harness.must(ROOT / "lambda/unum", "--batch-starts", starts, directory, 0, last, batch, 22, "bucket", "film/",
                     env=harness.environment(XC_LAMBDA_PROGRAMS=str(stack.PACKAGE)))
        return directory

    def graph(self, batches):
        """The calls of gen_makefile.py's graph, with those that they need, as unum would name them: what encodes the
        second chunk of a batch from a true state is called rebase there."""
        from functions import plan
        found = {}
        for number, batch in enumerate(batches):
            def named(call):
                place = call.chunk - batch[0]
                name = "rebase" if (call.function, place) == ("reencode", 1) else call.function
                return name, (place, number) if len(batches) > 1 else (place,)
            calls = plan.calls("classic", batch[0], batch[-1])
            for call, files in calls.items():
                found[named(call)] = {named(other) for other in calls if calls[other].made & files.needed}
        return found

    def test_edges(self):
        """For films of one batch and of several: the calls of the graph, each once, and each after all that it needs.
        No call is given a value of one that it does not need."""
        from xcdriver.layout import Layout
        for last, batch, starts in ((0, 1, "0"), (1, 2, "0"), (2, 3, "0"), (4, 16, "0"), (15, 16, "0"), (39, 40, "0"),
                                    (7, 3, "0"), (6, 1, "0"), (36, 16, "0"), (9, 4, "2,3,8")):
            with self.subTest(last=last, batch=batch, starts=starts):
                directory = self.application(last, batch, starts)
                film = json.loads((directory / "event.json").read_text())["Data"]["Value"]
                calls = Configured(directory).run(film)
                calls = {call: of for call, of in calls.items() if not call[0].startswith("UnumMap")}
                expected = self.graph(Layout(batch, sorted({0, *map(int, starts.split(","))})).batches(last + 1))
                self.assertEqual(set(calls), set(expected))
                for call, needed in expected.items():
                    before = self.all_before(call, calls)
                    self.assertLessEqual(needed, before, call)
                    given = {other for other in calls[call] if not other[0].startswith("UnumMap")}
                    self.assertLessEqual(given, needed, call)

    def all_before(self, call, calls):
        found, looked = set(), [call]
        while looked:
            for other in calls.get(looked.pop(), ()):
                if other not in found:
                    found.add(other)
                    looked.append(other)
        return found

    def test_published(self):
        """For one batch, each edge is written as in the published documents."""
        text = "".join(path.read_text() for path in self.application(3, 16).glob("*/unum_config.json"))
        for words in ('"$0 < $size-1"', '"$0 > 1"', '"$0<$size-1 and $0>0"', '"$0 == 1"', '"$0==0"', '"$0=$0+1"',
                      '"vpxenc-unumIndex-$0"', '"xcdec-unumIndex-($0-1)"', '"vpxenc-unumIndex-($0+1)"',
                      '"xcdec-unumIndex-$0"', '"rebase-unumIndex-($0-1)"', '"reencode-unumIndex-$0"',
                      '"rebase-unumIndex-$0"', '"reencode-unumIndex-($0+1)"'):
            self.assertIn(words, text)


@unittest.skipUnless("XC_UNUM" in os.environ, "XC_UNUM does not name a checkout of unum")
class Runtime(FunctionsCase):
    """unum's runtime, with its tables in moto's DynamoDB. Newer commits than 9860359 do not work with DynamoDB."""

    size = 4

    @classmethod
    def setUpClass(cls):
        remote.start(workers=0)
        remote.start_account()
        Shared.stack.start_functions()

    @classmethod
    def tearDownClass(cls):
        remote.stop()

    def deploy(self, batch):
        """What unum-cli does: the runtime beside each function."""
        apps = Shared.stack.directory / "functions/apps"
        shutil.rmtree(apps, ignore_errors=True)
        harness.must(ROOT / "lambda/unum", apps, 0, self.chunks - 1, batch, 22, self.bucket, self.prefix,
                     env=harness.environment(XC_LAMBDA_PROGRAMS=str(stack.PACKAGE)))
        functions = [path for path in apps.iterdir() if path.is_dir()]
        arns = "".join(f"{path.name}: arn:aws:lambda:{stack.REGION}:123456789012:function:excamera-{path.name}\n"
                       for path in functions)
        for path in functions:
            for name in ("main.py", "unum.py", "ds.py", "faas_invoke_backend.py"):
                shutil.copy(pathlib.Path(os.environ["XC_UNUM"]) / "runtime" / name, path)
            (path / "function-arn.yaml").write_text(arns)
        return json.loads((apps / "event.json").read_text())

    def setUp(self):
        super().setUp()
        table = ("--table-name", "excamera-unum")
        self.aws("dynamodb", "create-table", *table, "--billing-mode", "PAY_PER_REQUEST", "--attribute-definitions",
                 "AttributeName=Name,AttributeType=S", "--key-schema", "AttributeName=Name,KeyType=HASH")
        self.addCleanup(self.aws, "dynamodb", "delete-table", *table)

    def finished_there(self):
        return [key for key in self.keys() if re.fullmatch(rf"{self.prefix}\d{{8}}\.ivf", key)]

    def test_films(self):
        """One batch, and several: the bytes of a local run, each step once."""
        for batch in (16, 3):
            with self.subTest(batch=batch):
                self.batch, self.prefix = batch, f"film/{batch}/"
                self.generate(self.dir, "classic")
                self.upload()
                event = self.deploy(batch)
                self.calls_before = len(self.calls(everything=True))
                self.value("UnumMap0", event)
                harness.wait_for(lambda: len(self.finished_there()) == self.chunks)
                self.assertEqual(self.encoded(), self.local())
                steps = [(call["function"], json.dumps(call["event"].get("Fan-out"))) for call in self.calls()]
                self.assertEqual(len(steps), len(set(steps)))
