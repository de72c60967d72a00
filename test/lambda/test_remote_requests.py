# SPDX-License-Identifier: BSD-2-Clause
"""The process that makes the requests of a run's wrappers: one for all, and nothing is lost when it cannot be reached
or dies."""
import contextlib
import hashlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import threading

import harness
import remote
import stack
import test_remote_answers as answers
from harness import ROOT

RUN = "a-run"
DATA = bytes(range(256)) * 400
DIGEST = hashlib.sha256(DATA).hexdigest()

# A process of another user that listens at a socket, says so, and then whether anybody has told it anything.
STRANGER = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
os.setuid(65534)
listener.listen()
print("listens", flush=True)
listener.settimeout(60)
print(listener.accept()[0].recv(100), flush=True)
"""


def setUpModule():
    answers.setUpModule()
    remote.start(workers=4)


def tearDownModule():
    remote.stop()


def requesters(directory):
    """Process ids of those that serve the wrappers in a directory: the common one is in a directory below."""
    return stack.processes_in(directory, "xc-requests")


class Handler(answers.Handler):
    """Has nothing but DATA, and says that this is what each function has made. If the server holds calls or downloads,
    they wait for its gate, a download after its first half."""

    def setup(self):
        super().setup()
        self.server.connections.append(self.client_address)

    def wait(self, held):
        """Until the gate is open. Returns False if the client has gone before that."""
        held.append(self.client_address)
        while not self.server.gate.wait(0.01):
            if self.is_left():
                held.remove(self.client_address)
                self.close_connection = True
                return False
        return True

    def is_left(self):
        try:
            return select.select([self.connection], [], [], 0)[0] and not self.connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True

    def do_GET(self):
        if not self.path.endswith(DIGEST):
            self.answer()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA[:len(DATA) // 2])
        if not self.server.holds_downloads or self.wait(self.server.downloads):
            self.wfile.write(DATA[len(DATA) // 2:])

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        names = json.loads(self.rfile.peek(length)[:length])["task"]["outputs"]
        self.server.made += names
        if self.server.holds_calls and not self.wait(self.server.held):
            return
        output = {"sha256": DIGEST, "size": len(DATA)}
        done = 200, {}, {"outputs": {name: output for name in names}, "steps": []}
        self.answer(None if self.server.calls else done)


class RequestCase(answers.AnswerCase):
    def setUp(self):
        super().setUp()
        self.server.RequestHandlerClass = Handler
        self.server.handle_error = lambda *_: None  # somebody has been killed
        self.server.connections, self.server.made, self.server.held, self.server.downloads = [], [], [], []
        self.server.gate, self.server.holds_calls, self.server.holds_downloads = threading.Event(), False, False
        self.wrappers = []
        self.addCleanup(self.server.gate.set)
        self.addCleanup(lambda: [(wrapper.kill(), wrapper.communicate()) for wrapper in self.wrappers])

    def begin(self, name, run=RUN, finished=False, before=()):
        """Starts the wrapper of a task that makes a file."""
        task = {**answers.TASK, "steps": [{**answers.TASK["steps"][0], "outputs": [name]}], "outputs": [name]}
        self.write(f"{name}.task", json.dumps(task).encode() + b"\n")
        command = [*before, ROOT / "lambda/run", name, f"{name}.task", name if finished else ""]
        wrapper = subprocess.Popen(command, cwd=self.dir, env=self.environment(XC_LAMBDA_RUN=run),
                                   stderr=subprocess.PIPE)
        self.wrappers.append(wrapper)
        return wrapper

    def end(self, *wrappers):
        """They have to succeed in silence."""
        for wrapper in wrappers or self.wrappers:
            self.assertEqual((wrapper.communicate(timeout=harness.TIMEOUT)[1], wrapper.returncode), (b"", 0))

    def hold(self, names, **options):
        """Starts wrappers whose functions work until the gate is opened."""
        self.server.holds_calls = True
        wrappers = [self.begin(name, **options) for name in names]
        harness.wait_for(lambda: len(self.server.held) == len(self.wrappers))
        return wrappers

    def only_requester(self):
        """The process id, once there is no other one; one that ends may still be there."""
        harness.wait_for(lambda: len(requesters(self.dir)) == 1)
        return requesters(self.dir)[0]

    def files(self):
        """What is in the directory, without the tasks."""
        return sorted(path.name for path in self.dir.iterdir() if path.is_file() and not path.name.endswith("task"))


class Common(RequestCase):
    def test_one_for_all(self):
        """Forty wrappers have one process, which ends after them and leaves nothing."""
        names = [f"out-{i}" for i in range(40)]
        self.hold(names)
        self.only_requester()
        self.assertEqual((self.dir / ".xc-lambda/requests").stat().st_mode & 0o777, 0o700)
        self.server.gate.set()
        self.end()
        self.assertEqual(sorted(self.server.made), sorted(names))
        for name in names:
            self.assertIn(f"sha256 {DIGEST}\n", (self.dir / name).read_text())
        harness.wait_for(lambda: not requesters(self.dir))
        self.assertEqual(os.listdir(self.dir / ".xc-lambda/requests"), [])

    def test_connections_are_kept(self):
        self.hold(["first"])
        self.server.holds_calls = False
        for i in range(5):
            self.end(self.begin(f"out-{i}"))
        self.assertEqual(len(set(self.server.connections)), 2)  # one of them is that of the function that works

    def test_two_runs(self):
        self.hold(["one"], run="run-1")
        self.hold(["two"], run="run-2")
        harness.wait_for(lambda: len(requesters(self.dir)) == 2)
        self.server.gate.set()
        self.end()

    def test_messages(self):
        """A tool's words and its exit status, and our own line, come from the wrapper."""
        self.server.calls = [(200, {}, {"failed": {"tool": "xc-dump", "stderr": "xc-dump: no\n", "exit": 3}})]
        wrapper = self.begin("out")
        self.assertEqual((wrapper.communicate(timeout=harness.TIMEOUT)[1], wrapper.returncode), (b"xc-dump: no\n", 3))
        self.server.calls = [answers.error("AccessDeniedException")] * 3
        wrapper = self.begin("out")
        said = wrapper.communicate(timeout=harness.TIMEOUT)[1].decode()
        self.assertRegex(said, r"\Axc-lambda: [^\n]+AccessDenied[^\n]+\n\Z")
        self.assertEqual(wrapper.returncode, 1)

    def test_garbage(self):
        """Whoever sends what is no message is turned away; the others go on."""
        self.hold(["out"])
        place = os.open(self.dir / ".xc-lambda/requests", os.O_RDONLY)
        self.addCleanup(os.close, place)
        words = {name: "" for name in ("url", "signature", "user", "password", "authorities")}
        whole = {"id": 1, "method": "GET", "headers": [], **words}
        for garbage in (b"garbage", b"[]", json.dumps({**whole, "method": "PATCH"}).encode(),
                        json.dumps({**whole, "method": "PUT"}).encode(), json.dumps({**whole, "url": 3}).encode(),
                        json.dumps({**whole, "headers": [7]}).encode(), b" " * 100000):
            with self.subTest(garbage[:60]), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(f"/proc/self/fd/{place}/{RUN}")
                client.send(garbage)
                client.settimeout(harness.TIMEOUT)
                self.assertEqual(client.recv(100), b"")
        self.server.gate.set()
        self.end()

    def test_long_path(self):
        """Longer than the name of a socket may be."""
        self.dir = self.dir / ("x" * 100) / ("y" * 100)
        self.dir.mkdir(parents=True)
        self.hold(["out"])
        self.assertEqual(os.listdir(self.dir / ".xc-lambda/requests"), [RUN])
        self.server.gate.set()
        self.end()

    def test_few_descriptors(self):
        """Those for whom it has no room get processes of their own."""
        self.hold([f"out-{i}" for i in range(9)], before=("sh", "-c", 'ulimit -n 76 && exec "$@"', "sh"))
        harness.wait_for(lambda: len(requesters(self.dir)) == 7)
        self.server.gate.set()
        self.end()


class Deaths(RequestCase):
    def test_of_the_process(self):
        """Each wrapper gets a process of its own, and calls its function again."""
        names = ["out-1", "out-2", "out-3"]
        self.hold(names)
        os.kill(self.only_requester(), signal.SIGKILL)
        harness.wait_for(lambda: len(self.server.made) == 6 and len(requesters(self.dir)) == 3)
        self.server.gate.set()
        self.end()
        self.assertEqual(sorted(self.server.made), sorted(2 * names))
        self.assertEqual(self.files(), [*names, "timings.tsv"])

    def test_of_the_process_in_a_download(self):
        self.server.holds_downloads = True
        self.begin("out", finished=True)
        harness.wait_for(lambda: self.server.downloads)
        self.server.holds_downloads = False
        os.kill(self.only_requester(), signal.SIGKILL)
        self.end()
        self.assertEqual((self.dir / "out").read_bytes(), DATA)
        self.assertEqual(self.files(), ["out", "timings.tsv"])

    def test_of_a_wrapper(self):
        """What it has begun is dropped; the others go on."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            with self.subTest(number):
                ended, other = self.hold([f"ended-{number}", f"other-{number}"])
                process = self.only_requester()
                ended.send_signal(number)
                self.assertEqual((ended.communicate(timeout=harness.TIMEOUT)[1], ended.returncode), (b"", -number))
                harness.wait_for(lambda: len(self.server.held) == 1)
                self.assertEqual(self.only_requester(), process)
                self.server.gate.set()
                self.end(other)
                self.server.gate.clear()
                self.server.held.clear()
                self.wrappers.clear()
                self.assertFalse((self.dir / f"ended-{number}").exists())

    def test_of_a_wrapper_in_a_download(self):
        self.server.holds_downloads = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                wrapper = self.begin("out", finished=True)
                harness.wait_for(lambda: self.server.downloads)
                wrapper.send_signal(number)
                wrapper.communicate(timeout=harness.TIMEOUT)
                harness.wait_for(lambda: not self.server.downloads)
                if number == signal.SIGTERM:
                    self.assertEqual(self.files(), ["timings.tsv"])
                self.assertFalse((self.dir / "out").exists())
        self.server.holds_downloads = False
        self.end(self.begin("out", finished=True))
        self.assertEqual((self.dir / "out").read_bytes(), DATA)

    def test_of_a_wrapper_alone(self):
        """A process of its own ends with it."""
        wrapper = self.hold(["out"], run="")[0]
        self.only_requester()
        wrapper.kill()
        harness.wait_for(lambda: not requesters(self.dir))


class Sockets(RequestCase):
    def prepare(self, mode=0o700):
        (self.dir / ".xc-lambda").mkdir()
        (self.dir / ".xc-lambda/requests").mkdir()
        (self.dir / ".xc-lambda/requests").chmod(mode)
        return self.dir / ".xc-lambda/requests" / RUN

    def serves(self, common):
        """A step succeeds, by the common process or by one of the wrapper's own."""
        self.hold(["out"])
        place = pathlib.Path(os.readlink(f"/proc/{self.only_requester()}/cwd"))
        self.assertEqual(place.name, "requests" if common else self.dir.name)
        self.server.gate.set()
        self.end()

    def test_stale(self):
        """Left by a process that was killed."""
        path = self.prepare()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as old:
            old.bind(str(path))
        self.serves(common=True)

    def test_no_socket(self):
        self.prepare().write_text("")
        self.serves(common=True)

    def test_open_directory(self):
        """One that others may enter is not used."""
        path = self.prepare(0o755)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(path))
            listener.listen()
            self.serves(common=False)
            listener.setblocking(False)
            self.assertRaises(BlockingIOError, listener.accept)

    def test_no_directory(self):
        (self.dir / ".xc-lambda").mkdir()
        (self.dir / ".xc-lambda/requests").write_text("")
        self.serves(common=False)

    def test_another_users_directory(self):
        if os.geteuid():
            self.skipTest("giving a directory to another user needs root")
        os.chown(self.prepare().parent, 65534, 65534)
        self.serves(common=False)

    def test_another_users_socket(self):
        """It is told nothing, least of all the user's keys."""
        if os.geteuid():
            self.skipTest("becoming another user needs root")
        with subprocess.Popen([sys.executable, "-c", STRANGER, self.prepare()], stdout=subprocess.PIPE) as stranger:
            self.assertEqual(stranger.stdout.readline(), b"listens\n")
            self.serves(common=True)
            self.assertEqual(stranger.stdout.readline(), b"b''\n")


class Films(remote.RemoteCase):
    def test_death(self):
        """In the middle of a film, with both engines: the same bytes, and nothing more to see."""
        for engine, seed in (("lambda", 4711), ("lambda-chunk", 4712)):
            with self.subTest(engine):
                self.prepare(self.dir, seed=seed)
                expected = self.local()
                before = self.stack.invocations()
                with self.popen(engine) as make:
                    harness.wait_for(lambda: make.poll() is not None or  # noqa: B023
                                     self.stack.invocations() > before + 1 and requesters(self.dir))  # noqa: B023
                    for process in requesters(self.dir):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(process, signal.SIGKILL)
                    self.assertEqual((make.communicate(timeout=harness.TIMEOUT)[1], make.returncode), (b"", 0))
                self.assertEqual(self.finished(), expected)
                self.clear()
