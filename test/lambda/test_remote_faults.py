# SPDX-License-Identifier: BSD-2-Clause
"""Everything that goes wrong far away: the run ends right, or it ends with a clear line; never with wrong bytes."""
import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import harness
import remote
import stack
from harness import need
from remote import RemoteCase
from xcdriver import graph

ENGINES = ("lambda", "lambda-chunk")
TOOLS = (harness.ROOT / "mk/chunk-tools").read_text().split()

# Kills the worker that runs it: everything from what Lambda has started down to its parent; then waits to be killed,
# too. Not by SIGKILL, which says that memory has run out.
KILL_WORKER = """
process=$PPID worker=
while [ "$(cat /proc/$process/comm)" != aws-lambda-rie ]; do
    worker="$process $worker"
    process=$(cut -d ' ' -f 4 /proc/$process/stat)
done
kill -USR1 $worker
sleep 5
exit 1
"""


def setUpModule():
    remote.start(workers=5)


def tearDownModule():
    remote.stop()


class FaultCase(RemoteCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.stack.start_proxy)

    def replace_tools(self, script):
        """Puts a script in the place of each tool in the function, until the test ends. In it, {tool} is the name,
        {real} the path of the real one, {mark} a path of its own. Returns the variable that tells the workstation."""
        directory = pathlib.Path(tempfile.mkdtemp(prefix="excamera-tools-"))
        tools = self.stack.directory / "task/tools"
        shutil.copytree(tools, directory / "real")
        self.addCleanup(shutil.rmtree, directory)
        self.addCleanup(shutil.copytree, directory / "real", tools, dirs_exist_ok=True)
        digests = ""
        for tool in TOOLS:
            text = "#!/bin/sh\nPATH=/usr/bin:/bin\n" + script.replace("{tool}", tool).replace(
                "{mark}", str(directory / tool)).replace("{real}", str(directory / "real" / tool))
            (tools / tool).unlink()
            (tools / tool).write_text(text)
            (tools / tool).chmod(0o755)
            digests += f"{hashlib.sha256(text.encode()).hexdigest()}  {tool}\n"
        (directory / "tools.sha256").write_text(digests)
        self.marks = directory
        return {"XC_LAMBDA_TOOLS": str(directory / "tools.sha256")}

    def restart_workers(self, **options):
        for number in range(self.stack.workers):
            self.stack.start_worker(number, **options)

    def let_workers_wait(self):
        """For longer than a test may take: what they are not told of never ends."""
        self.restart_workers(AWS_LAMBDA_FUNCTION_TIMEOUT="900")
        self.addCleanup(self.restart_workers)


class Workers(FaultCase):
    def test_killed_in_every_step(self):
        expected = self.local()
        changes = self.replace_tools(f'if mkdir {{mark}} 2>/dev/null; then {KILL_WORKER} fi\nexec {{real}} "$@"\n')
        for engine in ENGINES:
            with self.subTest(engine):
                done = self.make(engine, **changes)
                self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
                self.assertEqual(self.finished(), expected)
                for tool in {step.argv[0] for step in graph.film_steps("classic", [range(3)], 22)}:
                    (self.marks / tool).rmdir()  # fails if the tool was never killed
                self.stack.wake()
                self.assert_workers_are_clean()
                self.clear()
                self.stack.curl("DELETE", "nothing")
                shutil.rmtree(self.stack.directory / "s3" / stack.BUCKET / "task", ignore_errors=True)

    def test_killed_again_and_again(self):
        """A tool that is killed each time, as when memory is too small: bounded attempts, one line."""
        done = self.make("lambda", **self.replace_tools("kill -9 $$\n"))
        self.failed(done, "failed 2 times, and at last: a tool was killed", "; give the function more memory")
        self.assertEqual(list(self.dir.glob("*.ivf")), [])

    def test_timeout(self):
        """A function that takes too long is ended by Lambda, and gets another chance."""
        expected = self.local()
        self.restart_workers(AWS_LAMBDA_FUNCTION_TIMEOUT="10")  # for all other steps
        self.addCleanup(self.restart_workers)
        changes = self.replace_tools('if [ {tool} = xc-enc ] && mkdir {mark} 2>/dev/null; then exec sleep 100; fi\n'
                                     'exec {real} "$@"\n')
        self.assertGreater(self.made("lambda", **changes), 14)
        self.assertEqual(self.finished(), expected)
        self.stack.wake()
        self.assert_workers_are_clean()

    def test_waiting_in_vain(self):
        """A chunk that hangs is ended by Lambda. Until then, those who wait for its states give up, and come again."""
        expected = self.local()
        self.restart_workers(AWS_LAMBDA_FUNCTION_TIMEOUT="19")  # the last 15 seconds are not for waiting
        self.addCleanup(self.restart_workers)
        changes = self.replace_tools('if [ {tool}:$1 = xc-dump:00000000.ivf ] && mkdir {mark} 2>/dev/null; then\n'
                                     'exec sleep 100\nfi\nexec {real} "$@"\n')
        self.assertGreater(self.made("lambda-chunk", **changes), self.chunks + 1)  # not only the one that was ended
        self.assertEqual(self.finished(), expected)

    def test_waiting_makes_room(self):
        """A chunk that has got the only worker there is gives it up to the chunk before it."""
        expected = self.local()
        self.let_workers_wait()
        self.stack.start_proxy(concurrency=1)
        tasks = [f"{harness.number(i)}.task" for i in range(self.chunks)]
        self.made("lambda-chunk", *tasks)
        before = self.stack.invocations()
        with subprocess.Popen([harness.ROOT / "lambda/run", "00000001.ivf", tasks[1], "00000001.ivf"], cwd=self.dir,
                              env=self.environment()) as early:
            harness.wait_for(lambda: self.stack.invocations() > before)
            self.assertGreaterEqual(self.made("lambda-chunk"), self.chunks)
        self.assertEqual(early.returncode, 0)
        self.assertEqual(self.finished(), expected)

    def test_no_space(self):
        """Each worker has 40 kB in /tmp: less than a chunk."""
        if os.geteuid():
            self.skipTest("mounting a small file system needs root")
        mounts = self.dir / "small"
        mounts.mkdir()
        done = harness.run("mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", mounts)
        if done.returncode:
            self.skipTest("no file systems can be mounted here")
        self.addCleanup(harness.run, "umount", "-l", mounts)
        self.addCleanup(self.restart_workers)
        self.restart_workers(tmpdir=mounts)
        self.failed(self.make("lambda", XC_LAMBDA_ATTEMPTS="2"), "cannot be written")

    def memory_cgroup(self, limit):
        """The directory of a control group whose processes have so many bytes of memory together, and no swap."""
        for top, memory, swap in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.swappiness"),
                                  ("/sys/fs/cgroup", "memory.max", "memory.swap.max")):
            group = pathlib.Path(top, f"excamera-test-{os.getpid()}")
            with contextlib.suppress(OSError):
                group.mkdir()
                self.addCleanup(group.rmdir)
                if (group / memory).exists():
                    (group / memory).write_text(str(limit))
                    (group / swap).write_text("0")
                    return group
        self.skipTest("no memory control group can be made here")

    def test_out_of_memory(self):
        """The system kills a tool that needs more than there is: other attempts, and at last one line."""
        self.film = {"width": 352, "height": 288, "frames": 12}
        self.prepare(self.dir)
        group = self.memory_cgroup(4 << 20)
        changes = self.replace_tools(f'echo $$ >{group}/cgroup.procs\nexec {{real}} "$@"\n')
        self.failed(self.make("lambda", **changes), "failed 2 times, and at last: a tool was killed")
        self.assertEqual(list(self.dir.glob("*.ivf")), [])

    def test_refused_memory(self):
        """A tool that gets no memory says so here as it does there."""
        need("prlimit")
        script = 'ulimit -v 2000\nexec {real} "$@"\n'
        lines = self.failed(self.make("lambda", **self.replace_tools(script)))
        self.assertTrue(lines and all(len(line) < 200 for line in lines), lines)
        self.assertEqual(list(self.dir.glob("*.ivf")), [])

    def test_other_version(self):
        """A function with other tools is not asked to pretend."""
        other = self.write("tools.sha256", "".join(f"{'0' * 64}  {tool}\n" for tool in TOOLS).encode())
        self.failed(self.make("lambda", XC_LAMBDA_TOOLS=str(other)),
                    "the function has another version of it; run: xc-lambda deploy")


class Tools(FaultCase):
    def test_failure_reads_as_here(self):
        """A tool's own failure: its words, its exit code, and no second attempt."""
        self.write("00000002.y4m", b"not a film at all\n" * 1000)
        here = self.make("local", "00000002-vpxenc.ivf")
        before = self.stack.invocations()
        there = self.make("lambda", "00000002-vpxenc.ivf")
        self.assertEqual(there.returncode, here.returncode)
        self.assertEqual(there.stderr, here.stderr)
        self.assertEqual(self.stack.invocations() - before, 1)

    def test_predecessor_fails(self):
        """Those who wait for the states of a chunk that cannot be made give up."""
        good = (self.dir / "00000001.y4m").read_bytes()
        expected = self.local()
        self.write("00000001.y4m", b"not a film at all\n" * 1000)
        self.let_workers_wait()
        self.failed(self.make("lambda-chunk", "-k"), "xc-vpxenc: 00000001.y4m: ", "the chunk before could not be made")
        self.write("00000001.y4m", good)
        self.made("lambda-chunk")
        self.assertEqual(self.finished(), expected)

    def test_failure_is_no_memory(self):
        """What failed once, for a reason that is gone, is tried anew, and so is what waited for it."""
        expected = self.local()
        changes = self.replace_tools('if [ {tool} = xc-dump ] && mkdir {mark} 2>/dev/null; then\n'
                                     'echo no luck today >&2; exit 1\nfi\nexec {real} "$@"\n')
        self.failed(self.make("lambda-chunk", "-k", **changes), "no luck today")
        self.made("lambda-chunk", **changes)
        self.assertEqual(self.finished(), expected)

    def test_failure_of_another_run(self):
        """That a chunk has failed is no news to a run that is not the one where it did."""
        expected = self.local()
        self.made("lambda-chunk", "00000001.task")
        key = hashlib.sha256((self.dir / "00000000.task").read_bytes().strip()).hexdigest()
        self.stack.curl("PUT", f"meet/{key}/.worker", b"failed yesterday\n")
        before = self.stack.invocations()
        with subprocess.Popen([harness.ROOT / "lambda/run", "00000001.ivf", "00000001.task", "00000001.ivf"],
                              cwd=self.dir, env=self.environment(XC_LAMBDA_RUN="today")) as early:
            harness.wait_for(lambda: self.stack.invocations() > before)
            time.sleep(5)  # it hears of that failure, and does not mind
            self.made("lambda-chunk", XC_LAMBDA_RUN="today")
        self.assertEqual(early.returncode, 0)
        self.assertEqual(self.finished(), expected)

    def test_failure_beside_success(self):
        """Of two runs at once one fails. What the other one has published stays."""
        expected = self.local()
        changes = self.replace_tools('if [ {tool}:$1 = xc-dump:00000001-0.ivf ] && mkdir {mark} 2>/dev/null; then\n'
                                     'sleep 4; echo no luck today >&2; exit 1\nfi\nexec {real} "$@"\n')
        tasks = [f"{harness.number(i)}.task" for i in range(self.chunks)]
        self.made("lambda-chunk", *tasks, **changes)
        runs = [subprocess.Popen([harness.ROOT / "lambda/run", f"{name}.ivf", f"{name}.task", f"{name}.ivf"],
                                 cwd=self.dir, env=self.environment(**changes), stderr=subprocess.PIPE)
                for name in ("00000000", "00000001", "00000001")]
        said = [run.communicate()[1].decode() for run in runs]
        self.assertEqual(sorted(zip(said, [run.returncode for run in runs])),
                         [("", 0), ("", 0), ("no luck today\n", 1)])
        self.made("lambda-chunk", **changes)
        self.assertEqual(self.finished(), expected)

    def test_attempts_used_up(self):
        """Those who wait hear of it, too, when a wrapper gives up."""
        changes = self.replace_tools('[ {tool}:$1 != xc-dump:00000000.ivf ] || kill -9 $$\nexec {real} "$@"\n')
        self.let_workers_wait()
        lines = self.failed(self.make("lambda-chunk", "-k", XC_LAMBDA_ATTEMPTS="2", **changes), "failed 2 times, and")
        self.assertEqual(sum("the chunk before could not be made" in line for line in lines), self.chunks - 1, lines)
        self.assertEqual(len(lines), self.chunks)


class Missing(FaultCase):
    """What a chunk starts from is made by a chunk that make has no reason to run."""

    def test_one_chunk(self):
        expected = self.local()["00000002"]
        self.made("lambda-chunk", "00000002.ivf")
        self.assertEqual((self.dir / "00000002.ivf").read_bytes(), expected)
        self.assertFalse((self.dir / "00000001.ivf").exists())

    def test_lost_states(self):
        expected = self.local()
        for lost in (("data", "task", "meet"), ("data",)):
            with self.subTest(lost):
                self.made("lambda-chunk")
                for prefix in lost:
                    shutil.rmtree(self.stack.directory / "s3" / stack.BUCKET / prefix)
                (self.dir / "00000002.ivf").unlink()
                self.made("lambda-chunk")
                self.assertEqual(self.finished(), expected)

    def test_dead_worker(self):
        """A worker that has died together with its wrapper is waited for no longer than it takes to notice that."""
        expected = self.local()
        self.made("lambda-chunk", "00000001.task")
        key = hashlib.sha256((self.dir / "00000000.task").read_bytes().strip()).hexdigest()
        self.stack.curl("PUT", f"meet/{key}/.worker", b"begun yesterday 1\n")
        self.restart_workers(AWS_LAMBDA_FUNCTION_TIMEOUT="900", XC_LAMBDA_PULSE="1")
        self.addCleanup(self.restart_workers)
        self.made("lambda-chunk", "00000001.ivf")
        self.assertEqual((self.dir / "00000001.ivf").read_bytes(), expected["00000001"])

    def test_worker_that_lives(self):
        """A worker that takes long says again and again that it lives: nobody gives up waiting for it."""
        changes = self.replace_tools('[ {tool}:$1 != xc-dump:00000000.ivf ] || sleep 8\nexec {real} "$@"\n')
        self.restart_workers(AWS_LAMBDA_FUNCTION_TIMEOUT="900", XC_LAMBDA_PULSE="1")
        self.addCleanup(self.restart_workers)
        self.assertEqual(self.made("lambda-chunk", **changes), self.chunks)

    def test_lost_task(self):
        self.made("lambda-chunk", "00000001.task")
        (self.dir / "00000000.task").unlink()
        done = harness.run(harness.ROOT / "lambda/run", "00000001.ivf", "00000001.task", "", cwd=self.dir,
                           env=self.environment())
        self.assertRegex(done.stderr.decode(), r"\Axc-lambda: 00000000-0\.state: no worker makes it, [^\n]+\n\Z")
        self.assertEqual(done.returncode, 1)


class Workstation(FaultCase):
    def wrappers(self):
        """Process ids of the wrappers that work in our directory."""
        return stack.processes_in(self.dir, "xc-remote")

    def assert_make_takes_wrappers_along(self, wait, **changes):
        """Ends make, and only make, as the driver does when it is told to stop. wait: until when it may go on."""
        with subprocess.Popen(self.command("lambda"), cwd=self.dir, env=self.environment(**changes),
                              stderr=subprocess.DEVNULL) as make:
            harness.wait_for(wait)
            make.terminate()
        harness.wait_for(lambda: not self.wrappers(), "all wrappers have ended")

    def test_terminated(self):
        changes = self.replace_tools("exec sleep 20\n")
        before = self.stack.invocations()
        self.assert_make_takes_wrappers_along(lambda: self.stack.invocations() >= before + 2, **changes)
        self.restart_workers()

    def test_hangup_under_nohup(self):
        self.made("lambda", "00000000-vpxenc.ivf")
        self.stack.start_proxy(delay_ms=3000)
        with subprocess.Popen(["sh", "-c", "trap '' HUP; exec \"$0\" fetch 00000000-vpxenc.ivf",
                               harness.ROOT / "lambda/xc-lambda"], cwd=self.dir, env=self.environment(),
                              start_new_session=True) as fetch:
            harness.wait_for(lambda: list(self.dir.glob("*.tmp*")) or fetch.poll() is not None)
            os.killpg(fetch.pid, signal.SIGHUP)
        self.assertEqual(fetch.returncode, 0)
        self.assertEqual((self.dir / "00000000-vpxenc.ivf").read_bytes()[:4], b"DKIF")

    def test_failed_download(self):
        """The message names the file, and nothing is left of what came of it."""
        self.made("lambda", "00000000-vpxenc.ivf")
        there = sorted(os.listdir(self.dir))
        done = harness.run(harness.ROOT / "lambda/xc-lambda", "fetch", "00000000-vpxenc.ivf", cwd=self.dir,
                           env=self.environment(AWS_SECRET_ACCESS_KEY="wrong"))
        self.assertRegex(done.stderr.decode(), r"\Axc-lambda: 00000000-vpxenc\.ivf: http[^\n]+: HTTP 403 [^\n]+\n\Z")
        self.assertEqual(sorted(os.listdir(self.dir)), there)


class Services(FaultCase):
    def test_unwell(self):
        """Throttles and 503s at 20 %, from Lambda and from S3, and connections that are dropped."""
        expected = self.local()
        for engine in ENGINES:
            with self.subTest(engine):
                self.stack.start_proxy(throttles=20, failures=20, s3_failures=20, drops=5)
                self.made(engine)
                self.assertEqual(self.finished(), expected)
                self.clear()

    def test_slow_store(self):
        expected = self.local()
        self.stack.start_proxy(delay_ms=300)
        self.made("lambda-chunk")
        self.assertEqual(self.finished(), expected)

    def test_dead_store(self):
        self.failed(self.make("lambda", AWS_ENDPOINT_URL_S3="http://127.0.0.1:9", XC_LAMBDA_ATTEMPTS="2"),
                    "xc-lambda: http")

    def test_dead_service(self):
        self.failed(self.make("lambda", AWS_ENDPOINT_URL_LAMBDA="http://127.0.0.1:9", XC_LAMBDA_ATTEMPTS="2"),
                    "failed 2 times, and at last: ")

    def test_unknown_certificate(self):
        """A server whose certificate nobody vouches for is told nothing."""
        lines = self.failed(self.make("lambda", "00000000-vpxenc.ivf", AWS_CA_BUNDLE=""), "SSL peer certificate")
        self.assertEqual(len(lines), 1)

    def test_system_certificates(self):
        """Those of the system count, whether they are in its directory or only in its file."""
        authority = self.stack.directory / "ca.pem"
        name = harness.must("openssl", "x509", "-hash", "-noout", "-in", authority).decode().strip() + ".0"
        for names, works in (([name], True), (["ca-certificates.crt"], True),
                             (["ca-certificates.crt", "00000000.0"], True), (["00000000.0"], False)):
            with self.subTest(names):
                certificates = self.dir / "certificates"
                certificates.mkdir()
                for path in names:
                    shutil.copy(authority, certificates / path)
                mount = f"mount --bind {certificates} /etc/ssl/certs && exec \"$@\""
                done = harness.run("unshare", "-m", "sh", "-c", mount, "sh", *self.command("lambda", "00000000.ivf"),
                                   cwd=self.dir, env=self.environment(AWS_CA_BUNDLE=""))
                if b"unshare:" in done.stderr or b"mount:" in done.stderr:
                    self.skipTest("nothing can be mounted here")
                if works:
                    self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
                else:
                    self.failed(done, "SSL")
                shutil.rmtree(certificates)
                self.clear()

    def test_wrong_credentials(self):
        lines = self.failed(self.make("lambda", AWS_SECRET_ACCESS_KEY="wrong"), "HTTP 403")
        self.assertNotIn("wrong", " ".join(lines))
        self.failed(self.make("lambda", AWS_ACCESS_KEY_ID=""), "credentials: none")
        self.failed(self.make("lambda", AWS_REGION="", AWS_CONFIG_FILE="/dev/null"), "no region; set AWS_REGION")

    def test_profile(self):
        """Credentials in the files that `aws configure` writes."""
        self.write("credentials", f"[other]\naws_access_key_id = x\n[work]\naws_access_key_id = {stack.KEY_ID}\n"
                                  f"aws_secret_access_key={stack.SECRET}\n".encode())
        self.write("config", f"[profile work]\nregion = {stack.REGION}\n".encode())
        self.made("lambda", "00000000.ivf", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_REGION="",
                  AWS_PROFILE="work",
                  AWS_SHARED_CREDENTIALS_FILE=str(self.dir / "credentials"),
                  AWS_CONFIG_FILE=str(self.dir / "config"))

    def test_session(self):
        """What a function has on Lambda, and a user with roles: credentials that count only together with a token."""
        user = harness.environment(AWS_ACCESS_KEY_ID=stack.KEY_ID, AWS_SECRET_ACCESS_KEY=stack.SECRET,
                                   AWS_DEFAULT_REGION=stack.REGION)
        given = json.loads(harness.must(
            stack.PROGRAMS / "aws", "sts", "assume-role", "--role-arn", "arn:aws:iam::1:role/x", "--output", "json",
            "--role-session-name", "test", "--endpoint-url", f"http://127.0.0.1:{self.stack.ports['minio']}",
            env=user))["Credentials"]
        session = {"AWS_ACCESS_KEY_ID": given["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                   "AWS_SESSION_TOKEN": given["SessionToken"]}
        expected = self.local()
        self.addCleanup(self.restart_workers)
        self.restart_workers(**session)
        self.made("lambda-chunk", **session)
        self.assertEqual(self.finished(), expected)
        self.clear()
        self.failed(self.make("lambda", **{**session, "AWS_SESSION_TOKEN": ""}), "HTTP 403")

    def test_long_token(self):
        """It is sent, however long it is; and this one is wrong."""
        self.failed(self.make("lambda", AWS_SESSION_TOKEN="x" * 5000), "HTTP 403")

    def test_missing_bucket(self):
        self.failed(self.make("lambda", XC_LAMBDA_BUCKET="no-such-bucket"), "NoSuchBucket")
        self.failed(self.make("lambda", XC_LAMBDA_BUCKET=""), "XC_LAMBDA_BUCKET: is not set")

    def test_clock_skew(self):
        need("faketime")
        done = harness.run("faketime", "-f", "+1d", *self.command("lambda"), cwd=self.dir, env=self.environment())
        self.failed(done, "RequestTimeTooSkewed")


# Prints the signature that AWS's own library gives to the request on standard input, in which only those headers are
# left that are signed.
SIGN = """
import json, sys
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
given = json.load(sys.stdin)
auth = SigV4Auth(Credentials(*given["credentials"]), "lambda", given["region"])
request = AWSRequest("POST", given["url"], given["headers"], given["body"])
request.context["timestamp"] = given["headers"]["x-amz-date"]
print(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
"""


class SuspiciousService(http.server.BaseHTTPRequestHandler):
    """Lambda's front door, as it is to those whose credentials are wrong. Keeps what it was sent."""

    def do_POST(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers, self.rfile.read(int(headers["content-length"]))))
        answer = b'{"message":"The security token included in the request is invalid."}'
        self.send_response(403)
        self.send_header("x-amzn-ErrorType", "UnrecognizedClientException")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Signature(FaultCase):
    """Of what is sent to Lambda; the requests to S3 are checked by the server there."""

    def request(self, **changes):
        """What make sends if it is refused, once."""
        with http.server.HTTPServer(("127.0.0.1", 0), SuspiciousService) as server:
            server.requests = []
            self.url = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            done = self.make("lambda", "00000000-vpxenc.ivf", AWS_ENDPOINT_URL_LAMBDA=self.url, **changes)
            server.shutdown()
        self.assertEqual(self.failed(done), [
            f"xc-lambda: {self.url}/2015-03-31/functions/excamera/invocations: "
            "HTTP 403 UnrecognizedClientException: The security token included in the request is invalid."])
        self.assertEqual(len(server.requests), 1)
        return server.requests[0]

    def test_signature(self):
        path, headers, body = self.request()
        signed, signature = re.search(r"SignedHeaders=(\S+), Signature=(\w+)$", headers["authorization"]).groups()
        self.assertLessEqual({"host", "x-amz-date"}, set(signed.split(";")))
        expected = harness.must(stack.PROGRAMS / "python3", "-c", SIGN, stdin=json.dumps({
            "credentials": [stack.KEY_ID, stack.SECRET], "region": stack.REGION, "url": self.url + path,
            "headers": {name: headers[name] for name in signed.split(";")}, "body": body.decode()}).encode())
        self.assertEqual(signature, expected.decode().strip())


class Store(FaultCase):
    """What is in the store is believed only as far as it can be checked."""

    def damage(self, path):
        """Other bytes under the same name, as if S3 had rotted or somebody had meddled."""
        digest = [line for line in path.read_text().splitlines() if line.startswith("sha256")][0].split()[1]
        self.stack.curl("PUT", f"data/{digest}", b"poison")
        return digest

    def test_poisoned_data(self):
        self.made("lambda", "00000000-0.state", "00000001-0.ivf")
        digest = self.damage(self.dir / "00000000-0.state")
        self.failed(self.make("lambda"), "00000000-0.state: damaged in the store")
        self.assertNotIn("00000001.ivf", os.listdir(self.dir))
        self.failed(harness.run(harness.ROOT / "lambda/xc-lambda", "fetch", "00000000-0.state", cwd=self.dir,
                                env=self.environment()), "00000000-0.state: damaged in the store")
        self.stack.curl("DELETE", f"data/{digest}")
        expected = self.local()
        for _ in range(3):
            self.make("lambda")
        self.assertEqual(self.finished(), expected)

    def test_poisoned_input(self):
        """All chunks that can no longer be made end, each with a line."""
        digest = hashlib.sha256((self.dir / "00000000.y4m").read_bytes()).hexdigest()
        self.stack.curl("PUT", f"data/{digest}", b"poison")
        self.let_workers_wait()
        lines = self.failed(self.make("lambda-chunk", "-k"), "00000000.y4m: damaged in the store")
        self.assertEqual(sum("the chunk before could not be made" in line for line in lines), self.chunks - 1, lines)
        self.assertEqual(len(lines), self.chunks)

    def test_poisoned_chunk(self):
        self.made("lambda", "00000000.ivf")
        data = (self.dir / "00000000.ivf").read_bytes()
        self.stack.curl("PUT", f"data/{hashlib.sha256(data).hexdigest()}", b"poison")
        self.clear()
        self.failed(self.make("lambda", "00000000.ivf"), "00000000.ivf: damaged in the store; remove s3://")
        self.assertFalse((self.dir / "00000000.ivf").exists())

    def test_poisoned_answers(self):
        """An answer that is none, or lacks something, counts for nothing."""
        expected = self.local()
        self.made("lambda-chunk")
        answers = self.stack.objects("task")
        for garbage in (b"", b"{", b"[]", b'{"outputs": {}}', b'{"outputs": 3, "steps": []}',
                        b'{"outputs": {"00000000.ivf": {"sha256": "../x", "size": 1}}}'):
            with self.subTest(garbage):
                for key in answers:
                    self.stack.curl("PUT", f"task/{key}", garbage or b"\n")
                self.clear()
                self.assertEqual(self.made("lambda-chunk"), self.chunks)
                self.assertEqual(self.finished(), expected)


class Secrets(FaultCase):
    def test_no_secret_anywhere(self):
        """Not in logs, process titles, error texts or files, whatever goes wrong."""
        titles, stop = set(), threading.Event()

        def watch():
            while not stop.is_set():
                for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                    with contextlib.suppress(OSError):
                        titles.add(path.read_bytes())
                time.sleep(0.002)

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.stack.start_proxy(throttles=10, failures=10, s3_failures=10, drops=5)
        try:
            outputs = [self.make("lambda"), self.make("lambda", XC_LAMBDA_BUCKET="none", XC_LAMBDA_ATTEMPTS="1")]
        finally:
            stop.set()
            watcher.join()
        token = "a-session-token-that-nobody-may-see"
        outputs.append(self.make("lambda", AWS_SESSION_TOKEN=token, XC_LAMBDA_ATTEMPTS="1"))
        self.assertTrue(any(b"xc-remote" in title for title in titles))
        self.assertTrue(any(b"task/bootstrap" in title for title in titles))
        seen = [*titles, *(done.stdout + done.stderr for done in outputs)]
        for directory in (self.dir, *self.stack.directory.glob("worker-*")):
            seen += [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
        seen += [path.read_bytes() for path in self.stack.directory.glob("worker-*.log")]
        for text in seen:
            self.assertNotIn(stack.SECRET.encode(), text)
            self.assertNotIn(token.encode(), text)

    def test_tools_have_no_credentials(self):
        """Nor the connections of the worker."""
        changes = self.replace_tools('tr "\\0" "\\n" </proc/$$/environ >&2\nls -l /proc/$$/fd >&2\nexit 1\n')
        done = self.make("lambda", "00000000-vpxenc.ivf", **changes)
        self.assertIn(b"XC_COMPRESS_STATES", done.stderr)
        self.assertIn(b"2 -> pipe:", done.stderr)
        self.assertNotIn(b"socket:", done.stderr)
        self.assertNotIn(b"AWS", done.stderr)
        self.assertNotIn(stack.SECRET.encode(), done.stderr)
