# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the remote engines share: one local stack for each module, and films to encode with it."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import zlib

import harness
import stack
from harness import ROOT, Case, number


class Shared:
    """The stack of the module that runs in this process."""
    stack = None
    directory = None
    account = None  # variables for those who deploy


def start(workers=3, **options):
    """For a module's setUpModule."""
    reason = stack.missing()
    if reason:
        raise unittest.SkipTest(reason)
    Shared.directory = tempfile.mkdtemp(prefix="excamera-stack-")
    Shared.stack = stack.Stack(Shared.directory, workers, **options).__enter__()


def package_with_ffmpeg():
    """A directory with the function's package, with this machine's ffmpeg in it, since the workers run here; and with
    the digests of its tools. None where the stack is not complete."""
    harness.need("ffmpeg")
    if stack.missing():
        return None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="xc-package-"))
    tools = [stack.PACKAGE / "tools" / tool for tool in (ROOT / "mk/chunk-tools").read_text().split()]
    harness.must(ROOT / "lambda/pack", directory / "excamera.zip", stack.PACKAGE / "bootstrap", *tools,
                 shutil.which("ffmpeg"))
    return directory


def start_account():
    """For a module that deploys, after start()."""
    Shared.account = Shared.stack.start_moto()


def stop():
    """For a module's tearDownModule."""
    Shared.stack.__exit__()
    shutil.rmtree(Shared.directory, ignore_errors=True)


class RemoteCase(Case):
    """A film's chunks in self.dir, a makefile, and what a local run makes of them."""

    film = {"width": 64, "height": 48, "frames": 24}
    size = 6
    batch = 16

    def setUp(self):
        super().setUp()
        self.stack = Shared.stack
        self.prepare(self.dir)

    def prepare(self, directory, structure="classic", seed=None):
        """Films differ from test to test, so that no test finds the answers of another one in the store."""
        seed = seed or zlib.crc32(self.id().encode()) % 100000 + 1
        self.chunks = harness.write_chunks(harness.film(**self.film, seed=seed), directory, self.size)
        self.generate(directory, structure)

    def generate(self, directory, structure, *options):
        text = harness.must(ROOT / "gen_makefile.py", "--structure", structure, 0, self.chunks - 1, self.batch, 22,
                            *options)
        (directory / "excamera.mk").write_bytes(text)

    def command(self, engine, *arguments):
        return ["make", "-j6", "-f", "excamera.mk", f"ENGINE={engine}", *arguments]

    def stored_chunk(self):
        """Puts the first chunk into the store, as a task's input. Returns its digest."""
        chunk = (self.dir / "00000000.y4m").read_bytes()
        digest = hashlib.sha256(chunk).hexdigest()
        self.stack.curl("PUT", f"data/{digest}", chunk)
        return digest

    def tool_digests(self):
        """Those of the function's tools, by name."""
        lines = (self.stack.programs / "tools.sha256").read_text().splitlines()
        return dict(reversed(line.split()) for line in lines)

    def environment(self, **changes):
        return harness.environment(**self.stack.environment(**changes))

    def make(self, engine, *arguments, cwd=None, **changes):
        """Returns the CompletedProcess."""
        return harness.run(*self.command(engine, *arguments), cwd=cwd or self.dir, env=self.environment(**changes))

    def made(self, engine, *arguments, **options):
        """The same for a run that has to succeed in silence; returns how many invocations it took."""
        before = self.stack.invocations()
        done = self.make(engine, *arguments, **options)
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        return self.stack.invocations() - before

    def failed(self, done, *patterns):
        """A run that has to fail with a clear line of ours for each pattern, besides make's."""
        lines = [line for line in done.stderr.decode().splitlines() if not line.startswith("make: ")]
        self.assertGreater(done.returncode, 0)
        for pattern in patterns:
            self.assertTrue([line for line in lines if pattern in line], f"no '{pattern}' in {lines}")
        return lines

    def finished(self, directory=None):
        directory = directory or self.dir
        return {number(i): (directory / f"{number(i)}.ivf").read_bytes() for i in range(self.chunks)}

    def clear(self, directory=None):
        for pattern in ("*.ivf", "*.state", "*.task", "timings.tsv"):
            for path in (directory or self.dir).glob(pattern):
                path.unlink()

    def local(self, sources="*.y4m"):
        """What a local run makes in a directory with the same makefile, and these files."""
        with tempfile.TemporaryDirectory(prefix="excamera-test-") as name:
            directory = pathlib.Path(name)
            for path in (*self.dir.glob(sources), self.dir / "excamera.mk"):
                shutil.copy(path, directory)
            path = f"{self.stack.directory}/local:{os.environ['PATH']}"
            done = harness.run("make", "-j2", "-f", "excamera.mk", cwd=directory, env=harness.environment(PATH=path))
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            return self.finished(directory)

    def popen(self, engine, *arguments, cwd=None):
        return subprocess.Popen(self.command(engine, *arguments), cwd=cwd or self.dir, env=self.environment(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def rows(self, directory=None):
        """timings.tsv."""
        path = (directory or self.dir) / "timings.tsv"
        return [line.split("\t") for line in path.read_text().splitlines()] if path.exists() else []

    def assert_workers_are_clean(self):
        """Nothing of a task is left in a worker's /tmp, only what the next event will be written to."""
        for top in pathlib.Path(Shared.directory).glob("worker-*/tmp"):
            left = {str(path.relative_to(top)) for path in top.rglob("*")}
            kept = {"excamera", "excamera/files"} if left else set()  # not every worker had something to do
            self.assertEqual(left - {"excamera/event", "excamera/headers"}, kept)


class AccountCase(RemoteCase):
    """A user with an account at AWS, in which at first there is nothing."""

    def setUp(self):
        super().setUp()
        self.account = harness.environment(**Shared.account, HOME=str(self.dir))
        self.account["PATH"] = f"{Shared.stack.directory}/commands:{self.account['PATH']}"

    def lambda_(self, *arguments, **changes):
        return harness.run(ROOT / "lambda/xc-lambda", *arguments, cwd=self.dir, env={**self.account, **changes})

    def works(self, *arguments, **changes):
        done = self.lambda_(*arguments, **changes)
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        return done.stdout.decode()

    def refused(self, *arguments, **changes):
        """What has to end with one line of ours, which is returned."""
        done = self.lambda_(*arguments, **changes)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"\Axc-lambda: [^\n]+\n\Z")
        return done.stderr.decode()

    def aws(self, *arguments):
        text = harness.must(Shared.stack.directory / "commands/aws", *arguments, "--output", "json", env=self.account)
        return json.loads(text) if text.strip() else None

    def inventory(self, region=stack.REGION):
        """What is in a region. Roles and names of buckets are those of the whole account."""
        where = ("--region", region)
        return {"functions": [f["FunctionName"] for f in self.aws("lambda", "list-functions", *where)["Functions"]],
                "roles": [r["RoleName"] for r in self.aws("iam", "list-roles")["Roles"]],
                "buckets": [b["Name"] for b in self.aws("s3api", "list-buckets")["Buckets"]],
                "logs": [g["logGroupName"] for g in self.aws("logs", "describe-log-groups", *where)["logGroups"]]}

    def is_static(self, program, machine):
        """A program for that kind of machine which needs no other file."""
        text = harness.must("readelf", "-hlW", program).decode()
        self.assertEqual(re.findall(r"AArch64|X86-64|INTERP", text), [machine], program.name)

    def needs_what_lambda_has(self, program, machine):
        """A program for that kind of machine which finds all it needs on Lambda's OS-only runtime: libcurl, whose
        symbols have no versions there, and glibc 2.34, which is that of Amazon Linux 2023."""
        text = harness.must("readelf", "-hdVW", program).decode()
        self.assertIn(machine, text)
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", text)
        self.assertEqual([name for name in needed if not name.startswith("ld-linux")], ["libcurl.so.4", "libc.so.6"])
        for version in re.findall(r"Name: (\w+[.\w]*) +Flags", text):
            family, number = re.fullmatch(r"(\w+)_2\.(\d+)[.\d]*", version).groups()
            self.assertEqual(family, "GLIBC")
            self.assertLessEqual(int(number), 34)
        self.assertRegex(text, r"Name: GLIBC_2\.")
