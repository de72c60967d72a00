"""xc-lambda: the package, the account before and after, and each command of docs/lambda.md."""
import json
import os
import pathlib
import re
import shutil
import zipfile

import harness
import remote
from harness import ROOT, need
from remote import RemoteCase, Shared

COMMAND = ROOT / "lambda/xc-lambda"


def setUpModule():
    remote.start(workers=4)
    if not shutil.which("moto_server") or not shutil.which("aws"):
        remote.stop()
        need("moto_server", "aws")
    Shared.account = Shared.stack.start_moto()


def tearDownModule():
    remote.stop()


def as_list(value):
    return value if isinstance(value, list) else [value]


class AccountCase(RemoteCase):
    def setUp(self):
        super().setUp()
        self.account = harness.environment(**Shared.account, HOME=str(self.dir))

    def lambda_(self, *arguments, **changes):
        return harness.run(COMMAND, *arguments, cwd=self.dir, env={**self.account, **changes})

    def works(self, *arguments, **changes):
        done = self.lambda_(*arguments, **changes)
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        return done.stdout.decode()

    def aws(self, *arguments):
        text = harness.must("aws", *arguments, "--output", "json", env=self.account)
        return json.loads(text) if text.strip() else None

    def inventory(self):
        return {"functions": [f["FunctionName"] for f in self.aws("lambda", "list-functions")["Functions"]],
                "roles": [r["RoleName"] for r in self.aws("iam", "list-roles")["Roles"]],
                "buckets": [b["Name"] for b in self.aws("s3api", "list-buckets")["Buckets"]],
                "logs": [g["logGroupName"] for g in self.aws("logs", "describe-log-groups")["logGroups"]]}


class Account(AccountCase):
    nothing = {"functions": [], "roles": [], "buckets": [], "logs": []}

    def test_deploy_and_destroy(self):
        self.assertEqual(self.inventory(), self.nothing)
        planned = self.works("deploy", "--dry-run")
        for command in ("create-bucket", "put-bucket-lifecycle", "create-role", "put-role-policy", "create-function"):
            self.assertRegex(planned, rf"(?m)^would run: aws \S+ {command}")
        self.assertEqual(self.inventory(), self.nothing, "a dry run changes nothing")

        variables = self.works("deploy")
        self.assertRegex(variables, r"\Aexport AWS_REGION=\S+ XC_LAMBDA_FUNCTION=excamera XC_LAMBDA_BUCKET=\S+ "
                                    r"XC_LAMBDA_TOOLS=\S+\n\Z")
        there = self.inventory()
        self.assertEqual({name: len(things) for name, things in there.items()}, dict.fromkeys(there, 1))
        self.check_rights(there)
        self.check_function()
        self.assertEqual(self.works("deploy"), variables, "again, it changes nothing")
        self.assertEqual(self.inventory(), there)
        self.assertIn("function excamera: Active", self.works("status"))
        self.assertIn("would run: aws lambda delete-function", self.works("destroy", "--dry-run"))
        self.assertEqual(self.inventory(), there)
        self.works("destroy")
        self.assertEqual(self.inventory(), self.nothing)
        self.works("destroy")

    def check_rights(self, there):
        """The role can do no more than the function needs."""
        policy = self.aws("iam", "get-role-policy", "--role-name", there["roles"][0], "--policy-name", "excamera")
        allowed = {(action, resource) for statement in policy["PolicyDocument"]["Statement"]
                   for action in as_list(statement["Action"]) for resource in as_list(statement["Resource"])}
        bucket = f"arn:aws:s3:::{there['buckets'][0]}"
        expected = {(f"s3:{verb}Object", f"{bucket}/{prefix}/*") for verb in ("Get", "Put")
                    for prefix in ("data", "task", "meet")}
        expected.add(("s3:ListBucket", bucket))
        rest = allowed - expected
        self.assertEqual(allowed & expected, expected)
        self.assertEqual({action for action, _ in rest}, {"logs:CreateLogStream", "logs:PutLogEvents"})
        self.assertTrue(all(resource.endswith(":log-group:/aws/lambda/excamera:*") for _, resource in rest))
        rules = self.aws("s3api", "get-bucket-lifecycle-configuration", "--bucket", there["buckets"][0])["Rules"]
        self.assertEqual([rule["Expiration"]["Days"] for rule in rules], [7])

    def check_function(self):
        found = self.aws("lambda", "get-function", "--function-name", "excamera")["Configuration"]
        self.assertEqual((found["Runtime"], found["Handler"], found["Timeout"]), ("provided.al2023", "bootstrap", 900))

    def test_mistakes(self):
        for arguments in (("explode",), ("deploy", "--arch", "vax"), ("deploy", "--memory", "x"), ("deploy", "--fast"),
                          ("cost", "nothing.tsv"), ("cost", "--estimate", "x")):
            with self.subTest(arguments):
                done = self.lambda_(*arguments)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr.decode(), r"\Axc-lambda: [^\n]+\n\Z")


class Package(AccountCase):
    def test_reproducible(self):
        names = ["bootstrap", "xc-worker", *(f"tools/{tool}" for tool in (
            "xc-vpxenc", "xc-terminate-chunk", "xc-dump", "xc-enc", "xc-rebase"))]
        with zipfile.ZipFile(Shared.stack.programs / "excamera.zip") as package:
            package.extractall(self.dir / "content")
            self.assertEqual(package.namelist(), names)
            self.assertTrue(all(entry.external_attr >> 16 & 0o111 for entry in package.infolist()))
        os.utime(self.dir / "content/bootstrap", (1, 1))
        harness.must(ROOT / "lambda/pack", self.dir / "again.zip", *(self.dir / "content" / name for name in names))
        self.assertEqual((self.dir / "again.zip").read_bytes(), (Shared.stack.programs / "excamera.zip").read_bytes())
        self.assertEqual((self.dir / "tools.sha256").read_text(), (Shared.stack.programs / "tools.sha256").read_text())


class Cost(AccountCase):
    def test_of_a_run(self):
        rows = "xc-vpxenc 00000000 1 2 1 9 9 9 10.0\nxc-enc 00000000 1 2 1 9 9 9 0\n"
        self.write("timings.tsv", rows.replace(" ", "\t").encode())
        text = self.works("cost")
        self.assertIn("1 invocations, 10.0 s at 1769 MB: 0.0003 USD", text)

    def test_estimate(self):
        self.assertIn("1000 invocations, 20000.0 s", self.works("cost", "--estimate", "1000", "20"))


class Document(AccountCase):
    """A newcomer types what docs/lambda.md says, from the first command to the last."""

    film = {"width": 64, "height": 48, "frames": 48}

    # What cannot be done twice here, or takes minutes.
    ELSEWHERE = ("mk/setup", "make lambda", "aws configure", "logs", "arm64")

    def test_every_command(self):
        text = (ROOT / "docs/lambda.md").read_text()
        commands = [line.strip() for block in re.findall(r"(?:^    .*\n)+", text, re.M) for line in block.splitlines()
                    if line.startswith("    $ ")]
        commands = [command[2:] for command in commands if not any(word in command for word in self.ELSEWHERE)]
        self.assertGreater(len(commands), 8)
        shutil.copy(harness.film(**self.film), self.dir / "film.y4m")
        shell = "set -e\n" + "\n".join(commands)
        clone = self.dir / "excamera"
        clone.mkdir()
        for name in ("bin", "lambda", "mk", "gen_makefile.py"):
            (clone / name).symlink_to(ROOT / name)
        done = harness.run("bash", "-c", shell, cwd=clone, env=self.account)
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""), done.stdout.decode())
        film = pathlib.Path(self.dir / "film.ivf")
        self.assertEqual(len(harness.our_frames(film)), 48)
        self.assertEqual(self.inventory(), Account.nothing)
