# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the functions in Python share: a bucket, chunks of a film in it, and ways to call a function."""
import json
import re
import urllib.request
import zlib

import harness
import remote
import stack
from remote import AccountCase, Shared


def start(state_machines=False):
    """Starts what these tests need: an account, the functions and, if wanted, what runs state machines."""
    remote.start(workers=0)
    remote.start_account()
    Shared.stack.start_functions()
    if state_machines:
        Shared.stack.interpret_state_machines()


class FunctionsCase(AccountCase):
    """The chunks of a film are in self.dir; its files in the bucket begin with self.prefix."""

    film = {"width": 64, "height": 48, "frames": 24}

    def setUp(self):
        super().setUp()
        self.bucket = f"films-{zlib.crc32(self.id().encode()):x}"
        self.prefix = "film/holiday/"
        self.aws("s3api", "create-bucket", "--bucket", self.bucket, "--create-bucket-configuration",
                 f"LocationConstraint={stack.REGION}")
        self.calls_before = len(self.calls(everything=True))

    def http(self, method, path, body=None, headers=()):
        """A request to the S3 of moto, which does not look at signatures."""
        url = f"http://127.0.0.1:{Shared.stack.ports['moto']}/{path}"
        request = urllib.request.Request(url, data=body, method=method, headers={
            "Content-Type": "video/x",
            "Authorization": "AWS4-HMAC-SHA256 Credential=x/20250101/eu-central-1/s3/aws4_request",
            **dict(headers)})
        with urllib.request.urlopen(request, timeout=harness.TIMEOUT) as answer:
            return answer.read()

    def put(self, key, body, headers=()):
        self.http("PUT", f"{self.bucket}/{key}", body, headers)

    def keys(self):
        """All keys in the bucket."""
        return re.findall("<Key>(.*?)</Key>", self.http("GET", f"{self.bucket}?list-type=2").decode())

    def get(self, key):
        return self.http("GET", f"{self.bucket}/{key}")

    def encoded(self):
        """The finished chunks in the bucket."""
        return {harness.number(i): self.get(f"{self.prefix}{harness.number(i)}.ivf") for i in range(self.chunks)}

    def upload(self):
        for path in self.dir.glob("*.y4m"):
            self.put(self.prefix + path.name, path.read_bytes())

    def invoke(self, name, event):
        """Calls a function; returns its value, or the error as Lambda tells it."""
        url = f"http://127.0.0.1:{Shared.stack.ports['functions']}/2015-03-31/functions/excamera-{name}/invocations"
        with urllib.request.urlopen(url, data=json.dumps(event).encode(), timeout=harness.TIMEOUT) as answer:
            return answer.headers.get("X-Amz-Function-Error"), json.loads(answer.read())

    def invoke_later(self, name, event):
        """Has Lambda send an event to a function."""
        url = f"http://127.0.0.1:{Shared.stack.ports['functions']}/2015-03-31/functions/excamera-{name}/invocations"
        request = urllib.request.Request(url, data=json.dumps(event).encode(),
                                         headers={"X-Amz-Invocation-Type": "Event"})
        urllib.request.urlopen(request, timeout=harness.TIMEOUT).close()

    def value(self, name, event):
        error, value = self.invoke(name, event)
        self.assertIsNone(error, value)
        return value

    def fault(self, *lines):
        """What goes wrong from now on, as test/lambda/invoke tells it."""
        (Shared.stack.directory / "functions/faults").write_text("".join(f"{line}\n" for line in lines))
        self.addCleanup((Shared.stack.directory / "functions/faults").write_text, "")

    def unused_faults(self):
        """What of that has not gone wrong yet."""
        lines = (Shared.stack.directory / "functions/faults").read_text().splitlines()
        return [line for line in lines if not line.endswith(" 0")]

    def calls(self, everything=False):
        """What has been called, in this test. Others write to the log: the last line may not be whole."""
        path = Shared.stack.directory / "functions/log"
        lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
        return list(map(json.loads, lines[0 if everything else self.calls_before:]))
