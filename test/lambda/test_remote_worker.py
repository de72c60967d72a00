# SPDX-License-Identifier: BSD-2-Clause
"""The function's bootstrap by itself: which requests it makes, on which connections; what it does when these break;
what it says to a worker that waits for it; how it bears thousands of events."""
import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import harness
import remote
import stack
from remote import RemoteCase

REQUEST = re.compile(rb"(GET|PUT|HEAD|POST) /[^/ ]+/(\S+) HTTP/1\.1\r\n")


def setUpModule():
    remote.start(workers=2)


def tearDownModule():
    remote.stop()


class Relay:
    """Stands between a worker and its store, and reads along. `fate` gets a connection's number, from 0, and says what
    becomes of it: None; or {"up": N} or {"down": N}, after how many bytes in that direction it is cut; or "silent": it
    takes everything, and there is never an answer."""

    def __init__(self, port, fate=lambda number: None):
        self.port, self.fate = port, fate
        self.connections, self.heard = 0, []
        self.open = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def requests(self):
        """What has been asked for so far, as METHOD KEY."""
        return [f"{method.decode()} {key.decode()}" for method, key in REQUEST.findall(b"".join(self.heard))]

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                fate = self.fate(self.connections)
                self.connections += 1
                self.open.append(client)
                if fate == "silent":
                    continue
                store = socket.create_connection(("127.0.0.1", self.port))
                for one, other, way in ((client, store, "up"), (store, client, "down")):
                    threading.Thread(target=self.pump, args=[one, other, way, (fate or {}).get(way, 1 << 60)],
                                     daemon=True).start()

    def pump(self, one, other, way, left):
        with contextlib.suppress(OSError):
            while left and (data := one.recv(min(left, 65536))):
                if way == "up":
                    self.heard.append(data)
                other.sendall(data)
                left -= len(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def hang_up(self):
        """Ends all connections, as a server does that has heard nothing for a while."""
        for client in self.open:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        self.open = []

    def close(self):
        self.server.close()
        self.hang_up()


class WorkerCase(RemoteCase):
    def setUp(self):
        super().setUp()
        self.digest, self.tools = self.stored_chunk(), self.tool_digests()
        self.addCleanup(self.stack.start_worker, 0)

    def relay(self, fate=lambda number: None):
        """Puts one between worker 0 and the store."""
        relay = Relay(self.stack.ports["minio"], fate)
        self.addCleanup(relay.close)
        self.stack.start_worker(0, AWS_ENDPOINT_URL_S3=relay.url)
        return relay

    def step(self, tool, inputs, outputs, *arguments):
        return {"tool": tool, "digest": self.tools[tool], "arguments": list(arguments), "inputs": inputs,
                "outputs": outputs}

    def encoding(self, outputs=("b.ivf",), publish=()):
        """A task that encodes our chunk."""
        return {"inputs": {"a.y4m": self.digest},
                "steps": [self.step("xc-vpxenc", ["a.y4m"], ["b.ivf"], "-o", "b.ivf", "a.y4m")],
                "outputs": list(outputs), "publish": list(publish)}

    def dumping(self, task):
        """A task that waits for the chunk which that task publishes."""
        return {"inputs": {"b.ivf": f"@{self.key(task)}"},
                "steps": [self.step("xc-dump", ["b.ivf"], ["c.state"], "b.ivf", "c.state")],
                "outputs": ["c.state"], "publish": []}

    def key(self, task):
        return hashlib.sha256(json.dumps(task, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def answer(self, task, worker=0):
        body = json.dumps({"bucket": stack.BUCKET, "run": "today", "task": task}).encode()
        status, text = self.stack.invoke(body, self.stack.worker_ports[worker][0])
        self.assertEqual(status, 200, text)
        return json.loads(text)


class Requests(WorkerCase):
    def test_one_put_and_one_get(self):
        """A file that is published is there by one request, before anything is stored, and fetched by one."""
        relay = self.relay()
        task = self.encoding(publish=["b.ivf"])
        key, digest = self.key(task), self.answer(task)["outputs"]["b.ivf"]["sha256"]
        asked = [request for request in relay.requests() if not request.endswith("/.worker")]
        self.assertEqual(asked, [f"GET data/{self.digest}", f"PUT meet/{key}/b.ivf", f"PUT data/{digest}",
                                 f"PUT task/{key}"])
        before = len(relay.requests())
        self.assertIn("outputs", self.answer(self.dumping(task)))
        self.assertEqual(relay.requests()[before:][:1], [f"GET meet/{key}/b.ivf"])
        self.assertEqual(sum(" meet/" in request for request in relay.requests()[before:]), 1)

    def test_kept_connection(self):
        """One for all requests of all events; another one when the store has closed it."""
        relay = self.relay()
        for _ in range(3):
            self.assertIn("outputs", self.answer(self.encoding()))
        self.assertEqual(relay.connections, 1)
        relay.hang_up()
        self.assertIn("outputs", self.answer(self.encoding()))
        self.assertEqual(relay.connections, 2)

    def test_published_is_not_stored_twice(self):
        answer = self.answer(self.encoding(outputs=[], publish=["b.ivf"]))
        self.assertNotIn(answer["outputs"]["b.ivf"]["sha256"], self.stack.objects("data"))


class Waiting(WorkerCase):
    """A worker that waits for files of several others."""

    NAMES = ("b.ivf", "d.ivf", "e.ivf", "f.ivf", "g.ivf", "h.ivf")

    def making(self, name):
        return {"inputs": {"a.y4m": self.digest},
                "steps": [self.step("xc-vpxenc", ["a.y4m"], [name], "-o", name, "a.y4m")],
                "outputs": [], "publish": [name]}

    def taking(self, names):
        """A task that uses a file of each of so many other tasks, one after another."""
        return {"inputs": {name: f"@{self.key(self.making(name))}" for name in names},
                "steps": [self.step("xc-dump", [name], [f"{name}.state"], name, f"{name}.state") for name in names],
                "outputs": [f"{names[-1]}.state"], "publish": []}

    def begin(self, names):
        """Worker 0 begins to wait. Returns the relay before it, what will have its answers, and the thread."""
        def wait():
            while not answers or "later" in answers[-1]:  # it gives up after ten seconds
                answers.append(self.answer(self.taking(names)))

        relay, answers = self.relay(), []
        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        return relay, answers, thread

    def asked_for(self, relay, name):
        return relay.requests().count(f"GET meet/{self.key(self.making(name))}/{name}")

    def test_files_that_come_late(self):
        """Each is made only when the worker has asked for it in vain, the last one and those before it."""
        relay, answers, thread = self.begin(self.NAMES[:3])
        for name in self.NAMES[:3]:
            harness.wait_for(lambda: self.asked_for(relay, name) >= 3)  # noqa: B023
            self.assertIn("outputs", self.answer(self.making(name), worker=1))
        thread.join()
        self.assertIn("outputs", answers[-1])

    def test_few_requests(self):
        """For the first file of six the worker asks about once a second. The others' state it reads every two."""
        relay, answers, thread = self.begin(self.NAMES)
        key = self.key(self.making(self.NAMES[0]))
        self.stack.curl("PUT", f"meet/{key}/.worker", b"failed today")
        thread.join()
        self.assertIn("could not be made", answers[-1]["refused"])
        asked = relay.requests()
        self.assertLessEqual(asked[:asked.index(f"GET meet/{key}/.worker")].count(f"GET meet/{key}/{self.NAMES[0]}"), 4)


class Faults(WorkerCase):
    def test_cut_in_every_place(self):
        """Every other connection breaks, each a bit later than the one before; the others, too, after some time."""
        def fate(number):
            place = number // 4
            return ({"up": 1 + 167 * place}, {"up": 7000}, {"down": 1 + 61 * place}, {"down": 40000})[number % 4]

        digest = self.answer(self.encoding())["outputs"]["b.ivf"]["sha256"]
        relay = self.relay(fate)
        task = self.encoding(publish=["b.ivf"])
        while relay.connections < 4 * 16:
            answer = self.answer(task)
            self.assertEqual(answer.get("outputs", {}).get("b.ivf", {}).get("sha256"), digest, answer)
            self.assertIn("outputs", self.answer(self.dumping(task)))

    def test_no_answer(self):
        """Connections on which nothing comes are given up for others, and so is one in the middle of its use."""
        relay = self.relay(lambda number: "silent" if number in (0, 2) else {"down": 1000} if number == 1 else None)
        self.assertIn("outputs", self.answer(self.encoding()))
        self.assertEqual(relay.connections, 4)

    def test_unknown_certificate(self):
        """A store whose certificate nobody vouches for is told nothing."""
        self.stack.start_worker(0, AWS_CA_BUNDLE="/etc/ssl/certs/ca-certificates.crt")
        self.assertIn("certificate", self.answer(self.encoding())["refused"])

    def test_forbidden(self):
        self.stack.start_worker(0, AWS_SECRET_ACCESS_KEY="wrong")
        self.assertRegex(self.answer(self.encoding())["refused"],
                         r"\Aa\.y4m: the function may not use data/\w+: HTTP 403 SignatureDoesNotMatch: .*request \w+")

    def test_damaged_in_the_meeting(self):
        task = self.encoding(publish=["b.ivf"])
        self.answer(task)
        path = f"{stack.BUCKET}/meet/{self.key(task)}/b.ivf"
        [part] = (self.stack.directory / "s3" / path).glob("xl.meta")  # MinIO keeps small objects in their metadata
        data = part.read_bytes()
        at = data.index(b"DKIF")
        note = self.noted(path)
        self.put_noted(path, note, data[at:at + 100])
        answer = self.answer(self.dumping(task))
        self.assertEqual(answer["refused"], "b.ivf: damaged in the store; remove "
                                            f"meet/{self.key(task)}/b.ivf there and make again")

    def test_meeting_without_digest(self):
        """An object that does not say which bytes it should have is none that a worker has published."""
        task = self.encoding(publish=["b.ivf"])
        self.stack.curl("PUT", f"meet/{self.key(task)}/b.ivf", b"poison")
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.answer(self.dumping(task), worker=1)))
        waiting.start()
        time.sleep(1)
        self.assertIn("outputs", self.answer(task))
        waiting.join()
        self.assertIn("outputs", answers[0])

    def curl(self, path, *options):
        return subprocess.run(
            ["curl", "-sS", "--fail", "-i", "--aws-sigv4", f"aws:amz:{stack.REGION}:s3", "--user",
             f"{stack.KEY_ID}:{stack.SECRET}", *options, f"http://127.0.0.1:{self.stack.ports['minio']}/{path}"],
            check=True, stdout=subprocess.PIPE).stdout

    def noted(self, path):
        """The digest that the metadata of an object have."""
        return re.search(rb"(?i)x-amz-meta-sha256: (\w+)", self.curl(path))[1].decode()

    def put_noted(self, path, note, data):
        (self.dir / "data").write_bytes(data)
        self.curl(path, "-X", "PUT", "--data-binary", f"@{self.dir / 'data'}", "-H", f"x-amz-meta-sha256: {note}", "-H",
                  f"x-amz-content-sha256: {hashlib.sha256(data).hexdigest()}")


class Runtime(http.server.BaseHTTPRequestHandler):
    """Lambda's runtime API: gives each of the server's events, and keeps the answers."""
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet

    def do_GET(self):
        event = next(self.server.events, None)
        self.reply(b"" if event is None else event, 500 if event is None else 200)

    def do_POST(self):
        self.server.answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.reply(b"{}", 202)

    def reply(self, body, status):
        self.send_response(status)
        for name, value in (("Content-Length", len(body)), ("Lambda-Runtime-Aws-Request-Id", "8476a536"),
                            ("Lambda-Runtime-Deadline-Ms", int(time.time() * 1000) + 60000),
                            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:x-y-1:123456789012:function:f")):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Endurance(WorkerCase):
    def test_thousands_of_events(self):
        """The worker needs no more memory after them, nor descriptors. When there are no more events it ends."""
        def good(publish=()):
            return json.dumps({"bucket": stack.BUCKET, "run": "today", "task": self.encoding(publish=publish)}).encode()

        def measure():
            [status] = [pathlib.Path("/proc", str(worker.pid), "status").read_text()]
            return (int(re.search(r"VmRSS:\s+(\d+)", status)[1]),
                    len(os.listdir(f"/proc/{worker.pid}/fd")))

        def events():
            bad = (b"{", b"[]", b" " * 300000, good().replace(b"xc-vpxenc", b"xc-no"), good().replace(b"-o", b"/o"))
            for number in range(1250):
                if number == 250:
                    sizes.append(measure())
                yield good(["b.ivf"]) if number % 25 == 0 else bad[number % len(bad)]
            sizes.append(measure())

        sizes = []
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Runtime) as server:
            server.events, server.answers, server.daemon_threads = events(), [], True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            worker = subprocess.Popen([self.stack.directory / "task/bootstrap"], stderr=subprocess.PIPE, env={
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}", "AWS_REGION": stack.REGION,
                "AWS_ACCESS_KEY_ID": stack.KEY_ID, "AWS_SECRET_ACCESS_KEY": stack.SECRET, "TMPDIR": str(self.dir),
                "LAMBDA_TASK_ROOT": str(self.stack.directory / "task"),
                "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.stack.ports['minio']}"})
            said = worker.communicate()[1].decode()
            server.shutdown()
        self.assertEqual((worker.returncode, said), (1, "bootstrap: the next event: No error, HTTP 500\n"))
        self.assertEqual([sum(kind in answer for answer in server.answers) for kind in ("outputs", "refused")],
                         [50, 1200])
        (memory, descriptors), (memory_at_the_end, descriptors_at_the_end) = sizes
        self.assertLess(memory_at_the_end - memory, 200)  # kB; 200 bytes for each event
        self.assertEqual(descriptors_at_the_end, descriptors)
