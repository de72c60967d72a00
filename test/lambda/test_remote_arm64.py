# SPDX-License-Identifier: BSD-2-Clause
"""The package for arm64: the emulator runs its bootstrap on this machine, and qemu its programs."""
import hashlib
import re
import shutil
import unittest

import remote
from harness import ROOT, need
from remote import AccountCase, Shared

PACKAGE = ROOT / "build/release-aarch64-linux-gnu-gcc/bin/lambda/excamera.zip"


def setUpModule():
    need("qemu-aarch64")
    if not PACKAGE.exists():
        raise unittest.SkipTest("the package is not built; xc-lambda package --arch arm64 does it")
    remote.start(workers=4, package=PACKAGE)  # one for each chunk: with fewer, a chunk may have to come twice
    remote.start_account()


def tearDownModule():
    remote.stop()


class Arm64(AccountCase):
    def emulate(self, program):
        """Puts a script that has the program run by qemu in its place; returns the line of tools.sha256 for it."""
        real = program.rename(program.with_name(f"{program.name}.arm64"))
        program.write_text(f'#!/bin/sh\nexec {shutil.which("qemu-aarch64")} {real} "$@"\n')
        program.chmod(0o755)
        return f"{hashlib.sha256(program.read_bytes()).hexdigest()}  {program.name}\n"

    def test_films(self):
        expected = self.local()
        deployed = dict(re.findall(r"(\w+)=(\S+)", self.works("deploy", "--arch", "arm64")))
        self.addCleanup(self.works, "destroy")
        function = self.aws("lambda", "get-function", "--function-name", "excamera")["Configuration"]
        self.assertEqual(function["Architectures"], ["arm64"])
        self.assertEqual(deployed["XC_LAMBDA_TOOLS"], str(PACKAGE.with_name("tools.sha256")))

        task = Shared.stack.directory / "task"
        programs = sorted((task / "tools").iterdir())
        for program in programs:
            self.is_static(program, "AArch64")
        self.needs_what_lambda_has(task / "bootstrap", "AArch64")
        self.emulate(task / "bootstrap")
        tools = self.write("tools.sha256", "".join(map(self.emulate, programs)).encode())
        Shared.stack.wake()
        url = Shared.account["AWS_ENDPOINT_URL"]
        changes = {**deployed, "XC_LAMBDA_TOOLS": str(tools), "AWS_ENDPOINT_URL_S3": url,
                   "AWS_ENDPOINT_URL_LAMBDA": url}
        for engine, invocations in (("lambda", 4 + 4 + 3 + 3 + 2), ("lambda-chunk", 4)):
            with self.subTest(engine):
                self.assertEqual(self.made(engine, **changes), invocations)
                self.assertEqual(self.finished(), expected)
                self.clear()
