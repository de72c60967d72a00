# SPDX-License-Identifier: BSD-2-Clause
"""Events that nobody honest sends: the worker refuses them in words, does nothing, leaves nothing, and lives on."""
import copy
import json
import os

import remote
import stack
from remote import RemoteCase, Shared


def setUpModule():
    remote.start(workers=1)


def tearDownModule():
    remote.stop()


class Events(RemoteCase):
    def setUp(self):
        super().setUp()
        self.digest, tools = self.stored_chunk(), self.tool_digests()
        self.good = {"bucket": stack.BUCKET, "run": "today", "task": {
            "inputs": {"a.y4m": self.digest},
            "steps": [{"tool": "xc-vpxenc", "digest": tools["xc-vpxenc"], "arguments": ["-o", "b.ivf", "a.y4m"],
                       "inputs": ["a.y4m"], "outputs": ["b.ivf"]}],
            "outputs": ["b.ivf"], "publish": []}}
        self.tools = tools

    def answer(self, event):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        status, text = self.stack.invoke(body)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def changed(self, **changes):
        event = copy.deepcopy(self.good)
        for name, value in changes.items():
            if name in event["task"]["steps"][0] and not name.startswith("task_"):
                event["task"]["steps"][0][name] = value
            else:
                event["task"][name.replace("task_", "")] = value
        return event

    def refused(self, event, pattern):
        before = self.stack.objects("task"), self.stack.objects("data")
        answer = self.answer(event)
        self.assertRegex(answer.get("refused", f"not refused: {answer}"), pattern)
        self.assertEqual((self.stack.objects("task"), self.stack.objects("data")), before)
        self.assert_workers_are_clean()

    def test_the_good_one(self):
        self.assertEqual(list(self.answer(self.good)["outputs"]), ["b.ivf"])

    def test_bare_dev(self):
        """The workers of all these tests find no more in /dev than they would on Lambda."""
        if not Shared.stack.sandbox:
            self.skipTest("workers cannot be given a /dev like Lambda's here")
        self.answer(self.good)
        processes = Shared.stack.bootstraps()
        self.assertTrue(processes)
        for process in processes:
            self.assertEqual(sorted(os.listdir(f"/proc/{process}/root/dev")),
                             ["full", "null", "random", "stderr", "stdin", "stdout", "urandom", "zero"])

    def test_shell_characters(self):
        """They are given to the tool as they are, and it does not like them."""
        for text in ("$(touch /tmp/pwned)", "`id`", "; reboot", "| cat", "&& id", "*", "~root", "a b", "'", '"', "\\"):
            with self.subTest(text):
                answer = self.answer(self.changed(arguments=["-o", "b.ivf", text]))
                if "refused" not in answer:
                    self.assertIn(f"xc-vpxenc: {text}: ", answer["failed"]["stderr"])
                self.assert_workers_are_clean()

    def test_paths(self):
        for path in ("../x", "/etc/passwd", "a/../../x", "/proc/self/environ", "--output=/tmp/x", "5/x", "x/5", "/5"):
            with self.subTest(path):
                self.refused(self.changed(arguments=["-o", path, "a.y4m"]), "argument 1: may not be given")
        for name in ("../x", "/etc/passwd", "", ".", "..", ".hidden", "-o", "a b", "a\nb", "x" * 65, "ä", "$HOME"):
            with self.subTest(name):
                self.refused(self.changed(outputs=[name]), "plain file name|no step writes")
                self.refused(self.changed(task_inputs={name: self.digest}), "plain file name")
                self.refused(self.changed(task_outputs=[name]), "plain file name")
                self.refused(self.changed(publish=[name]), "plain file name")

    def test_fractions_are_no_paths(self):
        answer = self.answer(self.changed(arguments=["--fps", "30/1", "-o", "b.ivf", "a.y4m"]))
        self.assertIn("outputs", answer)

    def test_tools(self):
        for tool in ("sh", "bash", "curl", "../xc-worker", "/bin/sh", "xc-split", "xc-enc ", "", None, 3, ["xc-enc"]):
            with self.subTest(tool):
                self.refused(self.changed(tool=tool), "not a plain file name|is not a tool that the function has")
        self.refused(self.changed(digest="0" * 64), "the function has another version of it")
        self.refused(self.changed(tool="xc-enc"), "the function has another version of it")

    def test_shapes(self):
        for event in (b"", b"{", b"null", b"[]", b"3", b"{}", b'"' + b"x" * 1000, b"\xff\xfe", b'{"bucket": "abc"}',
                      b"[" * 100000, b'{"a":1,"a":2}', b'{"bucket": "abc", "run": "today", "task": {}}'):
            with self.subTest(repr(event[:30])):
                self.refused(event, "^event: ")
        step = self.good["task"]["steps"][0]
        for change in (
                {"task_inputs": []}, {"task_inputs": {"a.y4m": "x"}}, {"task_inputs": {"a.y4m": 3}}, {"steps": []},
                {"steps": [3]}, {"steps": [step] * 17}, {"task_outputs": ["c.ivf"]}, {"publish": 3}, {"more": 1},
                {"arguments": "-o"}, {"arguments": ["x" * 257]}, {"arguments": ["x"] * 101}, {"arguments": [["x"]]},
                {"arguments": ["a\0b"]}, {"arguments": ["a\nb"]}, {"inputs": ["nowhere.y4m"]}, {"digest": "A" * 64}):
            with self.subTest(json.dumps(change)[:40]):
                self.refused(self.changed(**change), "^event: ")

    def test_sizes(self):
        self.refused(b'{"bucket": "' + b"x" * 300000 + b'"}', "larger than")
        self.refused(b" " * 5000000, "larger than")

    def test_buckets(self):
        for bucket in ("", "x", "../x", "a/b", "A", "a?b", "a b", "x" * 64, "-x-", "a..b", "evil.com/#", None):
            with self.subTest(bucket):
                self.refused({**self.good, "bucket": bucket}, "bucket")

    def test_runs(self):
        for run in ("", "a b", "../x", "a/b", "a\nb", "-x", "x" * 65, None, 3, ["today"]):
            with self.subTest(run):
                self.refused({**self.good, "run": run}, "the run\'s name is not plain")

    def test_missing_data(self):
        self.refused(self.changed(task_inputs={"a.y4m": "0" * 64}), "a.y4m: its data are no longer in the store")

    def test_an_output_that_does_not_come(self):
        answer = self.answer(self.changed(task_outputs=["c.ivf"], outputs=["b.ivf", "c.ivf"]))
        self.assertIn("c.ivf", answer["refused"])
