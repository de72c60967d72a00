# SPDX-License-Identifier: BSD-2-Clause
"""xc-lambda deploy --step-functions, start, status and collect: a film by the functions in Python, as a user has it."""
import json

import functions_case
import harness
import remote
from functions_case import FunctionsCase
from remote import Shared


def setUpModule():
    functions_case.start(state_machines=True)


def tearDownModule():
    remote.stop()


class Film(FunctionsCase):
    film = {"width": 64, "height": 48, "frames": 16}
    size, batch = 4, 3

    def wait(self):
        """Until the execution has ended; returns what status printed last."""
        harness.wait_for(lambda: b"RUNNING" not in self.lambda_("status", self.dir).stdout)
        return self.lambda_("status", self.dir)

    def test_from_start_to_destroy(self):
        nothing = self.inventory()
        planned = self.works("deploy", "--step-functions", "--dry-run")
        for command in ("lambda create-function --function-name excamera-vpxenc",
                        "stepfunctions create-state-machine --name excamera-classic-long"):
            self.assertIn(f"would run: aws {command} ", planned)
        self.assertEqual(self.inventory(), nothing)
        self.assertIn("no film has been started here", self.refused("status", "."))
        variables = self.works("deploy", "--step-functions")
        self.addCleanup(self.lambda_, "destroy")
        self.assertIn("XC_LAMBDA_BUCKET=", variables)
        self.assertIn("functions excamera-{vpxenc,", self.works("status"))
        self.assertEqual(len(self.aws("stepfunctions", "list-state-machines")["stateMachines"]), 4)
        function = self.aws("lambda", "get-function-configuration", "--function-name", "excamera-rebase")
        self.assertEqual((function["Handler"], function["Runtime"]), ("functions/rebase.handler", "python3.13"))
        expected = self.local()
        self.watch_rights()
        for options in ((), ("--structure", "anchored"), ("--relay",)):
            with self.subTest(options):
                self.make_film(options, expected)
        self.generate(self.dir, "classic", "--batch-starts=1,2")
        expected = self.local()
        for options in (("--batch-starts", "1,2"), ("--relay", "--batch-starts", "1,2")):
            with self.subTest(options):
                self.make_film(options, expected)
        self.check_failure()
        self.check_rights()
        self.works("destroy")
        self.assertEqual({**self.inventory(), "machines": self.aws("stepfunctions", "list-state-machines")},
                         {**nothing, "machines": {"stateMachines": []}})

    # What the AWS CLI's commands need, where they are not called like the action.
    RIGHTS = {"s3 sync": {"s3:ListBucket", "s3:PutObject"}, "s3 cp": {"s3:ListBucket", "s3:GetObject", "s3:PutObject"},
              "s3 rm": {"s3:ListBucket", "s3:DeleteObject"}, "s3api list-objects-v2": {"s3:ListBucket"},
              "stepfunctions start-execution": {"states:StartExecution"},
              "stepfunctions describe-execution": {"states:DescribeExecution"},
              "stepfunctions describe-state-machine": {"states:DescribeStateMachine"},
              "lambda invoke": {"lambda:InvokeFunction"}}

    def watch_rights(self):
        """From now on, the AWS CLI notes what it is asked."""
        harness.install_stubs(self.dir / "stubs", {"aws": f"""echo "$1 $2" >>{self.dir}/asked
            exec {Shared.stack.directory}/commands/aws "$@" """})
        self.account["PATH"] = f"{self.dir}/stubs:{self.account['PATH']}"

    def check_rights(self):
        """Who encodes needs no right that `policy run` lacks."""
        statements = json.loads(self.works("policy", "run"))["Statement"]
        allowed = {action for statement in statements for action in statement["Action"]}
        for command in set((self.dir / "asked").read_text().splitlines()):
            service, name = command.replace("s3api", "s3").split()
            needed = self.RIGHTS.get(command) or {f"{service}:{name.title().replace('-', '')}"}
            self.assertLessEqual(needed, allowed, command)

    def make_film(self, options, expected):
        self.assertRegex(self.works("start", "--batch", "3", *options), r"\Astarted: excamera-\S+/film/\S+/")
        if "--relay" in options:
            harness.wait_for(lambda: self.works("status", ".").startswith("4 of 4 chunks"))
        else:
            self.assertRegex(self.wait().stdout.decode(),
                             r"\A4 of 4 chunks are finished\narn:aws:states:\S+: SUCCEEDED\n\Z")
        self.clear()
        self.works("collect")
        if "anchored" in options:
            self.generate(self.dir, "anchored")
            expected = self.local()
        self.assertEqual(self.finished(), expected)

    def check_failure(self):
        """A chunk that cannot be encoded: which one, and why, in one line. A batch of its own does as well."""
        self.clear()
        self.works("clean")
        (self.dir / "00000001.y4m").write_bytes(b"nonsense")
        for options in ((), ("--relay",)):
            self.works("start", "--batch", "2", *options)
            harness.wait_for(lambda: self.lambda_("status", ".").returncode == 1)
            self.assertRegex(self.lambda_("status", ".").stderr.decode(),
                             r"\Axc-lambda: \S*00000001\S*: ToolFailed: xc-vpxenc: 00000001.y4m: [^\n]+\n\Z")
            self.assertRegex(self.refused("collect"), "[0-3] of 4 chunks are finished; xc-lambda status")

    def test_mistakes(self):
        for mistake in ("start --batch 0", "start --batch 501", "start --quality 64", "start --structure round",
                        "start --batch-starts 4", "start --batch-starts 2,1", "start a b", "start --fast",
                        "collect", "collect a b", "status a", "start nowhere"):
            with self.subTest(mistake):
                self.refused(*mistake.split())
        self.assertIn("xc-lambda deploy --functions does it", self.deployed_without("start"))
        (self.dir / "00000001.y4m").unlink()
        self.assertIn("of the chunks 0 to 3, some are missing", self.refused("start"))

    def deployed_without(self, command):
        """The line that a command says where only ENGINE=lambda is deployed."""
        self.works("deploy")
        self.addCleanup(self.works, "destroy")
        return self.refused(command)
