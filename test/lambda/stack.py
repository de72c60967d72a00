# SPDX-License-Identifier: BSD-2-Clause
"""AWS on this machine: what a run of ENGINE=lambda talks to, made of real parts.

MinIO stands for S3 (it checks signatures and digests). AWS's own runtime interface emulator runs the packaged bootstrap
as Lambda does, one process for each concurrent execution, with as bare a /dev as Lambda has; haproxy before them stands
for the service's front door: it gives each worker one request at a time, and can be told to be unwell. All of it speaks
TLS, with certificates of a CA of its own. Each region has a MinIO and workers of its own, which refuse the requests to
another one; the front door tells them apart by what is signed."""
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
import zipfile

import harness

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = pathlib.Path(os.environ.get("XC_STACK", ROOT / "build/lambda-stack")).resolve() / "bin"
PACKAGE = pathlib.Path(os.environ.get("XC_BIN", ROOT / "bin")).resolve() / "lambda"
STEPS = [path.stem for path in sorted((ROOT / "lambda/functions").glob("*.py")) if "def handler(" in path.read_text()]
SECRET = "correct-horse-battery-staple"  # what must be seen nowhere
KEY_ID = "excamera-test"
BUCKET = "excamera-test"
REGION = "eu-central-1"

# In a mount namespace of its own: has a directory ($0) with what Lambda has there take the place of /dev, then runs a
# command. The descriptors, which bash needs for <(...), are not among that.
IN_SANDBOX = """
command -p mount -t tmpfs dev "$0" || exit
for name in null zero full random urandom; do
    : >"$0/$name" && command -p mount --bind "/dev/$name" "$0/$name" || exit
done
ln -s /proc/self/fd/0 "$0/stdin" && ln -s /proc/self/fd/1 "$0/stdout" && ln -s /proc/self/fd/2 "$0/stderr" || exit
command -p mount --move "$0" /dev && exec "$@"
"""

HAPROXY = """
global
    maxconn 4000
    nbthread 1
    stats socket {directory}/haproxy.sock
defaults
    mode http
    timeout connect 5s
    timeout client 15m
    timeout server 15m
    timeout queue 15m
frontend lambda
    bind 127.0.0.1:{lambda_port} ssl crt {directory}/server.pem
    http-request return status 429 content-type text/plain string ConcurrentInvocationLimitExceeded \
if {{ rand(100) lt {throttles} }}
    http-request return status 503 if {{ rand(100) lt {failures} }}
    http-request reject if {{ rand(100) lt {drops} }}
    http-request return status 503 if {{ path_end /invocations }} {{ req.hdr(authorization) -m sub "/{down}/" }}
    http-request return status 404 if {{ path_end /configuration }} {{ req.hdr(authorization) -m sub "/{bare}/" }}
    http-request return status 200 content-type application/json string '{{"CodeSha256": "0123="}}' \
if {{ path_end /configuration }}
    http-request set-path /2015-03-31/functions/function/invocations
{to_workers}
    default_backend workers
{backends}
frontend s3
    mode tcp
    bind 127.0.0.1:{s3_port} ssl crt {directory}/server.pem
    tcp-request inspect-delay {delay_ms}ms
    tcp-request content accept if WAIT_END
    default_backend prompt_s3
backend prompt_s3
    mode tcp
    server prompt_s3 127.0.0.1:{prompt_s3_port}
frontend prompt_s3
    bind 127.0.0.1:{prompt_s3_port}
    http-request return status 503 if {{ rand(100) lt {s3_failures} }}
    http-request reject if {{ rand(100) lt {drops} }}
{to_stores}
    default_backend minio
frontend everything
    bind 127.0.0.1:{everything_port} ssl crt {directory}/server.pem
    bind 127.0.0.1:{plain_port}
    acl invocation path_end /invocations
    acl step path_reg ^/2015-03-31/functions/[^/]*excamera-({steps})/
    http-request return status 200 content-type application/json string "{{}}" if {{ path_end /recursion-config }}
    acl film path_sub /film/
    http-request return status 503 if film {{ rand(100) lt {s3_failures} }}
    http-request reject if film {{ rand(100) lt {drops} }}
    http-request set-path /2015-03-31/functions/function/invocations if invocation !step
    use_backend functions if invocation step
    use_backend workers if invocation
    default_backend moto
backend functions
    server functions 127.0.0.1:{functions_port}
backend moto
    server moto 127.0.0.1:{moto_port}
"""

# Of each region; that of the first one has no number in its name.
BACKENDS = """
backend workers{number}
    balance first
    http-response set-header X-Amz-Function-Error Unhandled if {{ status 502 }}
    http-response set-status 503 if {{ status 400 }}
{servers}
backend minio{number}
    server minio 127.0.0.1:{port}
"""


def missing():
    """What keeps the stack from being started, or None."""
    for name in ("minio", "aws-lambda-rie", "moto_server", "aws"):
        if not (PROGRAMS / name).exists():
            return f"{name} is not installed; test/lambda/install does it"
    for name in ("haproxy", "curl"):
        if not shutil.which(name):
            return f"{name} is not installed"
    if not (PACKAGE / "excamera.zip").exists():
        return "the package is not built; make lambda builds it"
    return None


def processes_in(directory, name):
    """Process ids of the programs of this name that work in a directory, or below it."""
    found, directory = [], pathlib.Path(directory).resolve()
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            place = pathlib.Path(os.readlink(path / "cwd"))
            if (path / "comm").read_text() == f"{name}\n" and directory in (place, *place.parents):
                found.append(int(path.name))
    return found


def wait_for_file(path):
    harness.wait_for(lambda: os.access(path, os.X_OK), f"{path} is there")


def make_certificates(directory):
    """Makes ca.pem, a CA of our own, and server.pem, its certificate for this machine with the key to it."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
           "2", "-subj"]
    for command in ([*new, "/CN=CA of a test", "-keyout", "ca.key", "-out", "ca.pem"],
                    [*new, "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-CA", "ca.pem", "-CAkey",
                     "ca.key", "-keyout", "server.key", "-out", "server.crt"]):
        subprocess.run(command, cwd=directory, check=True, stderr=subprocess.DEVNULL)
    text = "".join((directory / name).read_text() for name in ("server.crt", "server.key"))
    (directory / "server.pem").write_text(text)


class Stack:
    """Used as a context manager. Everything lives in one directory, and ends with the block."""

    def __init__(self, directory, workers=2, package=PACKAGE / "excamera.zip", regions=(REGION,)):
        """The workers are dealt out among the regions."""
        self.regions = {region: f"{BUCKET}{number or ''}" for number, region in enumerate(regions)}
        self.directory = pathlib.Path(directory)
        self.package = package
        self.programs = self.directory / "programs"
        self.processes = {}
        self.workers = workers
        self.ports = {name: harness.free_port() for name in (
            "lambda", "s3", "prompt_s3", "everything", "plain", "moto", "functions")}
        self.ports.update({f"minio{number or ''}": harness.free_port() for number in range(len(regions))})
        self.worker_ports = [(harness.free_port(), harness.free_port()) for _ in range(workers)]

    # What a client needs to know

    def environment(self, **changes):
        """Variables for those who use the stack. There are no spare workers: on a busy machine, it is chance who is
        late."""
        if len(self.regions) > 1:
            changes = {"XC_LAMBDA_REGIONS": " ".join(self.regions),
                       "XC_LAMBDA_BUCKET": " ".join(self.regions.values()), **changes}
        return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL_S3": f"https://127.0.0.1:{self.ports['s3']}",
                "AWS_ENDPOINT_URL_LAMBDA": f"https://127.0.0.1:{self.ports['lambda']}",
                "AWS_CA_BUNDLE": str(self.directory / "ca.pem"),
                "XC_LAMBDA_BUCKET": BUCKET, "XC_LAMBDA_FUNCTION": "excamera",
                "XC_LAMBDA_PROGRAMS": str(self.programs), "XC_LAMBDA_SPARES": "0", **changes}

    # Processes

    def start(self, name, *command, environment=None, cwd=None):
        log = open(self.directory / f"{name}.log", "a")
        self.processes[name] = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, cwd=cwd, env=environment, start_new_session=True)
        log.close()

    def stop(self, name):
        process = self.processes.pop(name, None)
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start_minio(self):
        for number, (region, bucket) in enumerate(self.regions.items()):
            name = f"minio{number or ''}"
            data = self.directory / f"s3{number or ''}"
            (data / bucket).mkdir(parents=True, exist_ok=True)
            self.start(name, PROGRAMS / "minio", "server", "--quiet", "--address", f"127.0.0.1:{self.ports[name]}",
                       "--console-address", f"127.0.0.1:{harness.free_port()}", data,
                       environment={"PATH": os.environ["PATH"], "HOME": str(self.directory), "MINIO_ROOT_USER": KEY_ID,
                                    "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off",
                                    "MINIO_SITE_REGION": region})
        for number in range(len(self.regions)):
            harness.wait_for_port(self.ports[f"minio{number or ''}"])

    def start_moto(self):
        """All the services that xc-lambda deploys to; there is no signature that moto refuses. Invocations still go to
        the workers, which from now on have their data there, too. Returns the variables of those who use it; commands/
        in our directory has the AWS CLI."""
        (self.directory / "commands").mkdir()
        (self.directory / "commands/aws").symlink_to(self.directory / "cli.client")
        self.start("cli", PROGRAMS / "python3", ROOT / "test/lambda/quick-aws", self.directory / "cli")
        # moto's interpreter of state machines calls functions at MOTO_PORT.
        self.start("moto", PROGRAMS / "moto_server", "-H", "127.0.0.1", "-p", self.ports["moto"],
                   environment={**os.environ, "MOTO_PORT": str(self.ports["plain"])})
        harness.wait_for_port(self.ports["moto"])
        wait_for_file(self.directory / "cli.client")
        everything = f"https://127.0.0.1:{self.ports['everything']}"
        for number in range(self.workers):
            self.start_worker(number, AWS_ENDPOINT_URL_S3=everything)
        return {"AWS_ENDPOINT_URL": everything, "AWS_CA_BUNDLE": str(self.directory / "ca.pem"),
                "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "XC_LAMBDA_PROGRAMS": str(self.programs)}

    def start_functions(self):
        """The functions in Python, after start_moto; `functions` in our directory has what happens to them."""
        (self.directory / "functions").mkdir()
        environment = {"PATH": os.environ["PATH"], "LAMBDA_TASK_ROOT": str(self.directory / "task"),
                       "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION,
                       "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports['plain']}"}
        self.start("functions", PROGRAMS / "python3", ROOT / "test/lambda/invoke", self.ports["functions"],
                   self.directory / "functions", environment=environment)
        harness.wait_for_port(self.ports["functions"])

    def interpret_state_machines(self):
        """Has moto execute state machines; else it only says that it did. It goes through them without pauses."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['moto']}/moto-api/config", method="POST",
                                         data=b'{"stepfunctions": {"execute_state_machine": true}}',
                                         headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()

    def start_worker(self, number, *, tmpdir=None, **changes):
        """A worker has what a function's environment has, and nothing else."""
        invoke, runtime = self.worker_ports[number]
        self.stop(f"worker-{number}")
        self.kill_bootstraps(f"AWS_LAMBDA_RUNTIME_API=127.0.0.1:{runtime}")  # it may be at work, and outlive the rest
        home = self.directory / f"worker-{number}"
        tmp = pathlib.Path(tmpdir or home / "tmp")
        tmp.mkdir(parents=True, exist_ok=True)
        environment = {"LAMBDA_TASK_ROOT": str(self.directory / "task"),
                       "TMPDIR": str(tmp), "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
                       "AWS_REGION": list(self.regions)[number % len(self.regions)],
                       "AWS_ENDPOINT_URL_S3": f"https://127.0.0.1:{self.ports['s3']}",
                       "AWS_CA_BUNDLE": str(self.directory / "ca.pem"), "AWS_LAMBDA_FUNCTION_TIMEOUT": "120",
                       **changes}
        self.start(f"worker-{number}", *self.sandbox, PROGRAMS / "aws-lambda-rie", "--log-level", "error",
                   "--runtime-interface-emulator-address", f"127.0.0.1:{invoke}",
                   "--runtime-api-address", f"127.0.0.1:{runtime}", self.directory / "task/bootstrap",
                   environment=environment, cwd=home)
        harness.wait_for_port(invoke)

    def backends(self, concurrency):
        """haproxy's, and which requests go to them: two lists, to workers and to stores."""
        texts, to_workers, to_stores = [], [], []
        for number, region in enumerate(self.regions):
            ports = [port for port, _ in self.worker_ports[number::len(self.regions)]][:concurrency]
            servers = "\n".join(f"    server worker{i} 127.0.0.1:{port} maxconn 1" for i, port in enumerate(ports))
            number = number or ""
            texts.append(BACKENDS.format(number=number, servers=servers, port=self.ports[f"minio{number}"]))
            signed = f'if {{ req.hdr(authorization) -m sub "/{region}/" }}'
            to_workers.append(f"    use_backend workers{number} {signed}")
            to_stores.append(f"    use_backend minio{number} {signed}")
        return {"backends": "".join(texts), "to_workers": "\n".join(to_workers[1:]),
                "to_stores": "\n".join(to_stores[1:])}

    def start_proxy(self, throttles=0, failures=0, s3_failures=0, drops=0, delay_ms=0, concurrency=None, down="none",
                    bare="none"):
        """down: a region in which no function can be called. bare: one that has no function."""
        self.stop("haproxy")
        config = self.directory / "haproxy.cfg"
        ports = {f"{name}_port": port for name, port in self.ports.items()}
        config.write_text(HAPROXY.format(
            directory=self.directory, throttles=throttles, failures=failures, s3_failures=s3_failures, drops=drops,
            delay_ms=delay_ms, steps="|".join(STEPS), down=down, bare=bare, **self.backends(concurrency), **ports))
        self.start("haproxy", "haproxy", "-db", "-f", config)
        harness.wait_for_port(self.ports["lambda"])

    def __enter__(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        # Copies, so that nobody builds others in the middle of a test.
        shutil.copytree(PACKAGE, self.programs)
        shutil.copytree(PACKAGE.parent, self.directory / "local", ignore=shutil.ignore_patterns("lambda", "static"))
        with zipfile.ZipFile(self.package) as package:
            package.extractall(self.directory / "task")
        for path in (self.directory / "task").rglob("*"):
            path.chmod(0o755)
        self.make_sandbox()
        make_certificates(self.directory)
        try:
            self.start_minio()
            self.start_proxy()
            for number in range(self.workers):
                self.start_worker(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def make_sandbox(self):
        """What stands before a worker's command, so that it finds Lambda's /dev; nothing where that takes more rights
        than we have."""
        (self.directory / "dev").mkdir()
        self.sandbox = [shutil.which("unshare") or "unshare", "-m", "/bin/sh", "-c", IN_SANDBOX, self.directory / "dev"]
        try:
            subprocess.run([*self.sandbox, "true"], check=True, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            self.sandbox = []

    def __exit__(self, *_):
        for name in list(self.processes):
            self.stop(name)
        self.kill_bootstraps()

    # What the tests look at, and do to it

    def bootstraps(self, mark=None):
        """Process ids of this stack's bootstraps and all that they have started, found by their environment. mark: a
        variable in it, with its value, for some of them."""
        mark, found = (mark or f"LAMBDA_TASK_ROOT={self.directory}/task").encode(), []
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                command = (path.parent / "cmdline").read_bytes()
                if mark in path.read_bytes().split(b"\0") and b"aws-lambda-rie" not in command:
                    found.append(int(path.parent.name))
        return found

    def kill_bootstraps(self, mark=None):
        for process in self.bootstraps(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def invocations(self):
        """How many events the workers have been given so far."""
        return sum((self.directory / f"worker-{number}.log").read_text(errors="replace").count("START RequestId")
                   for number in range(self.workers))

    def invoke(self, body, port=None):
        """Sends an event as it is to a worker, or to the one at this port; returns the status and the answer."""
        service = f"http://127.0.0.1:{port}" if port else f"https://127.0.0.1:{self.ports['lambda']}"
        request = urllib.request.Request(f"{service}/2015-03-31/functions/function/invocations", data=body)
        trust = ssl.create_default_context(cafile=self.directory / "ca.pem")
        try:
            with urllib.request.urlopen(request, timeout=harness.TIMEOUT, context=trust) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def wake(self):
        """Has each worker start anew that was killed: Lambda does that when the next event comes."""
        for port, _ in self.worker_ports:
            self.invoke(b"{}", port)

    def curl(self, method, key, body=b"", user=f"{KEY_ID}:{SECRET}", region=REGION):
        """A request to S3 by another client than ours; returns the body of the answer."""
        config = f'user = "{user}"\nheader = "x-amz-content-sha256: {hashlib.sha256(body).hexdigest()}"\n'
        port = self.ports[f"minio{list(self.regions).index(region) or ''}"]
        return subprocess.run(
            ["curl", "-sS", "--fail", "-K", "-", "--aws-sigv4", f"aws:amz:{region}:s3", "-X", method,
             *(["--data-binary", body] if body else []), f"http://127.0.0.1:{port}/{self.regions[region]}/{key}"],
            input=config.encode(), check=True, stdout=subprocess.PIPE).stdout

    def objects(self, prefix, region=REGION):
        """The keys in the bucket that begin so."""
        number = list(self.regions).index(region)
        top = self.directory / f"s3{number or ''}" / self.regions[region] / prefix
        return sorted(path.parent.name for path in top.rglob("xl.meta")) if top.exists() else []
