# SPDX-License-Identifier: BSD-2-Clause
"""Uploads of many wrappers: sixteen at once, in the order of the chunks, and nothing twice."""
import fcntl
import json
import subprocess
import threading

import test_remote_answers as answers
from harness import ROOT, number

AT_ONCE = 16
setUpModule = answers.setUpModule


class Handler(answers.Handler):
    """S3 that keeps each upload of data waiting until the test lets it go, and then has them; Lambda that has done what
    it is asked for."""

    def do_HEAD(self):
        self.answer((200 if self.path in self.server.there else 404, {}, b""))

    def do_PUT(self):
        if "/data/" in self.path:
            with self.server.changed:
                self.server.begun.append(self.path)
                self.server.changed.notify_all()
            self.server.gate.acquire()
            self.server.there.add(self.path)
        self.answer()

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        peeked = self.rfile.peek(length)[:length]
        output = {"sha256": answers.DIGEST, "size": 1}
        text = {"outputs": {name: output for name in json.loads(peeked)["task"]["outputs"]}, "steps": []}
        self.answer((200, {}, text))


class Uploads(answers.AnswerCase):
    def setUp(self):
        super().setUp()
        self.server.RequestHandlerClass = Handler
        self.server.changed, self.server.gate = threading.Condition(), threading.Semaphore(0)
        self.server.there, self.server.begun = set(), []
        self.server.handle_error = lambda *_: None  # a wrapper that has been killed
        self.wrappers = []
        self.addCleanup(lambda: [(wrapper.kill(), wrapper.communicate()) for wrapper in self.wrappers])

    def begin(self, chunk, raw):
        """Starts the wrapper of a step, which has to upload these raw pictures."""
        self.write(f"{number(chunk)}.y4m", raw)
        output = f"{number(chunk)}-vpxenc.ivf"
        self.wrappers.append(subprocess.Popen(
            [ROOT / "lambda/run", output, f"{number(chunk)}.y4m", "", "xc-vpxenc", "-o", output,
             f"{number(chunk)}.y4m"], cwd=self.dir, env=self.environment(), stderr=subprocess.PIPE))

    def wait_for_uploads(self, count):
        """Until so many have begun."""
        with self.server.changed:
            self.assertTrue(self.server.changed.wait_for(lambda: len(self.server.begun) >= count, 60))
            self.assertEqual(len(self.server.begun), count)

    def wait_for_lock(self, place):
        """Until a wrapper holds the lock of this byte, because it waits for its turn."""
        with open(self.dir / ".xc-lambda/uploads", "r+b") as file:
            for _ in range(6000):
                try:
                    fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, place)
                    fcntl.lockf(file, fcntl.LOCK_UN, 1, place)
                except OSError:
                    return
                threading.Event().wait(0.01)
        self.fail("no wrapper waits")

    def end(self):
        for wrapper in self.wrappers:
            self.assertEqual((wrapper.communicate(timeout=60)[1], wrapper.returncode), (b"", 0))

    def test_turns(self):
        for chunk in range(100, 100 + AT_ONCE):
            self.begin(chunk, b"raw %d" % chunk)
        self.wait_for_uploads(AT_ONCE)
        late = [7, 300, 3, 12]
        for chunk in late:
            self.begin(chunk, b"raw %d" % chunk)
        for chunk in late:
            self.wait_for_lock(chunk)
        self.wait_for_uploads(AT_ONCE)
        for count, chunk in enumerate(sorted(late), AT_ONCE + 1):
            self.server.gate.release()
            self.wait_for_uploads(count)
            digest = answers.harness.must("sha256sum", f"{number(chunk)}.y4m", cwd=self.dir).decode().split()[0]
            self.assertTrue(self.server.begun[-1].endswith(digest), chunk)
        for _ in self.wrappers:
            self.server.gate.release()
        self.end()

    def test_the_same_data(self):
        """Six chunks need it. One sends it, and the others wait for that."""
        for chunk in range(6):
            self.begin(chunk, b"the same")
        self.wait_for_uploads(1)
        self.server.gate.release()
        self.end()
        self.wait_for_uploads(1)

    def test_a_wrapper_that_dies(self):
        """Others take its place."""
        self.begin(0, b"the same")
        self.wait_for_uploads(1)
        self.begin(1, b"the same")
        first = self.wrappers.pop(0)
        first.kill()
        first.communicate()
        self.wait_for_uploads(2)
        self.server.gate.release()
        self.server.gate.release()
        self.end()
