# SPDX-License-Identifier: BSD-2-Clause
"""The functions of lambda/functions/: events and values as published, and what goes wrong."""
import json

import harness
import remote
from functions_case import FunctionsCase
from remote import Shared


def setUpModule():
    remote.start(workers=0)
    remote.start_account()
    Shared.stack.start_functions()


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
