# SPDX-License-Identifier: BSD-2-Clause
"""gen_makefile.py --format asl: the state machines are valid, and make the chunks of a local run."""
import json
import time

import harness
import remote
import stack
from functions_case import FunctionsCase
from harness import ROOT
from remote import Shared


def setUpModule():
    remote.start(workers=0)
    remote.start_account()
    Shared.stack.start_functions()
    Shared.stack.interpret_state_machines()


def tearDownModule():
    remote.stop()


class Machines(FunctionsCase):
    film = {"width": 64, "height": 48, "frames": 32}
    size, batch = 4, 3

    def definition(self, *numbers, structure="classic"):
        return harness.must(ROOT / "gen_makefile.py", "--format", "asl", "--structure", structure, *numbers).decode()

    def execute(self, definition):
        """Runs a state machine on the film, and returns how that ended."""
        machine = self.aws("stepfunctions", "create-state-machine", "--name", f"films-{time.time_ns()}", "--definition", definition,
                           "--role-arn", "arn:aws:iam::123456789012:role/excamera")["stateMachineArn"]
        self.addCleanup(self.aws, "stepfunctions", "delete-state-machine", "--state-machine-arn", machine)
        execution = self.aws("stepfunctions", "start-execution", "--state-machine-arn", machine, "--name", "run",
                             "--input",
                             json.dumps({"bucket": self.bucket, "prefix": self.prefix}))["executionArn"]
        end = time.monotonic() + harness.TIMEOUT
        while time.monotonic() < end:
            told = self.aws("stepfunctions", "describe-execution", "--execution-arn", execution)
            if told["status"] != "RUNNING":
                if __import__("os").environ.get("DBG"): open("/tmp/functions/history.json", "w").write(json.dumps(self.aws("stepfunctions", "get-execution-history", "--execution-arn", execution), indent=1))
                return told
            time.sleep(0.5)
        raise AssertionError("the execution does not end")

    def test_three_batches(self):
        for structure in ("classic", "anchored"):
            with self.subTest(structure):
                self.generate(self.dir, structure)
                self.upload()
                told = self.execute(self.definition(0, 7, 3, 22, structure=structure))
                self.assertEqual(told["status"], "SUCCEEDED", told)
                self.assertEqual(self.encoded(), self.local())
