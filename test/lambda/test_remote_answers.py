# SPDX-License-Identifier: BSD-2-Clause
"""What AWS answers, and what a wrapper makes of it: with a server that says what the test has written down for it."""
import base64
import http.server
import json
import os
import threading

import harness
import stack
from harness import ROOT, Case

DIGEST = "0" * 64
TASK = {"inputs": {}, "steps": [{"tool": "xc-dump", "digest": DIGEST, "arguments": [], "inputs": [],
                                 "outputs": ["out"]}], "outputs": ["out"], "publish": []}
DONE = {"outputs": {"out": {"sha256": DIGEST, "size": 1}}, "steps": [
    {"tool": "xc-dump", "for": "out", "start": 1.0, "end": 2.0, "cpu": 1.0, "memory": 1, "read": 1, "wrote": 1}],
    "seconds": 1.5}
AGAIN = {"XC_LAMBDA_ATTEMPTS": "3"}


def setUpModule():
    if not (stack.PACKAGE / "xc-remote").exists():
        raise harness.unittest.SkipTest("bin/lambda/xc-remote is not built; make lambda builds it")


def error(code, status=403, message="as written", **headers):
    """An answer of Lambda's front door."""
    return status, {"x-amzn-ErrorType": code, "x-amzn-RequestId": "id-7", **headers}, {"message": message}


def function_error(kind, message):
    """An answer that says that the function has failed."""
    return 200, {"X-Amz-Function-Error": "Unhandled"}, {"errorType": kind, "errorMessage": message}


def s3_error(code, status=403):
    text = f"<Error><Code>{code}</Code><Message>as written</Message></Error>"
    return status, {"x-amz-request-id": "ID7"}, text.encode()


def done(billed=None):
    headers = {}
    if billed:
        log = f"START\nREPORT RequestId: 1\tDuration: 9.0 ms\tBilled Duration: {billed} ms\tMemory Size: 1769 MB\n"
        headers = {"X-Amz-Log-Result": base64.b64encode(log.encode()).decode()}
    return 200, headers, DONE


class Server(http.server.ThreadingHTTPServer):
    """Lambda answers from a list, S3 from another; S3 has nothing and takes everything when its list is empty."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls, self.store, self.requests = [], [], []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, given=None):
        """given: the answer, else it is the next one of the server's lists. Those are for one request at a time."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.server.requests.append((self.command, self.path, headers, body))
        script = self.server.calls if self.command == "POST" else self.server.store
        nothing = 200 if self.command == "PUT" else 404, {}, b""
        status, more, text = given or (script.pop(0) if script else nothing)
        text = text if isinstance(text, bytes) else json.dumps(text).encode()
        self.send_response(status)
        for name, value in {**more, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_PUT = do_POST = answer

    def log_message(self, *_):
        pass


class AnswerCase(Case):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.write("task", json.dumps(TASK).encode() + b"\n")

    def environment(self, **changes):
        return harness.environment(**{
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": self.server.url, "XC_LAMBDA_BUCKET": "bucket", "HOME": str(self.dir),
            "XDG_CACHE_HOME": str(self.dir / "cache"), "XC_LAMBDA_PROGRAMS": str(stack.PACKAGE), **changes})

    def step(self, *calls, store=(), **changes):
        """Runs the step with those answers; returns what a user sees, and how many calls there were."""
        self.server.calls, self.server.store, self.server.requests = list(calls), list(store), []
        ended = harness.run(ROOT / "lambda/run", "out", "task", "", cwd=self.dir, env=self.environment(**changes))
        if ended.returncode == 0:
            self.assertTrue((self.dir / "out").read_text().startswith("XCREF "))
        return ended.stderr.decode(), len(self.calls())

    def calls(self):
        return [request for request in self.server.requests if request[0] == "POST"]

    def fails(self, *calls, after, **options):
        """A step that fails after so many calls, with one line, which is returned."""
        text, made = self.step(*calls, *[done()] * 3, **options)
        self.assertRegex(text, r"\Axc-lambda: [^\n]+\n\Z")
        self.assertEqual(made, after, text)
        return text

    def succeeds(self, *calls, **options):
        text, made = self.step(*calls, done(), **options)
        self.assertEqual((text, made), ("", len(calls) + 1))


class Calls(AnswerCase):
    def test_paid_failures(self):
        """What costs as much as a step that succeeds is tried twice."""
        larger = "give the function more memory (xc-lambda deploy --memory MB), or make shorter chunks"
        killed = "RequestId: 1 Error: Runtime exited with error: signal: killed"
        for cause in (function_error("Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 900.00 seconds"),
                      (200, {}, b"Task timed out after 3.00 seconds"),
                      function_error("Runtime.ExitError", killed), function_error("Runtime.OutOfMemory", "x"),
                      (200, {}, {"killed": "a tool was killed"})):
            with self.subTest(cause):
                self.succeeds(cause)
                self.assertIn(larger, self.fails(cause, cause, after=2))

    def test_worker_that_dies(self):
        died = function_error("Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: exit status 1")
        self.succeeds(died, died)
        self.assertIn("failed 3 times, and at last: Runtime.ExitError: RequestId: 1 Error",
                      self.fails(died, died, died, after=3, **AGAIN))

    def test_states_of_the_function(self):
        """A function that is being made or changed, and too many at the same time, are waited for."""
        pending = error("ResourceConflictException:http://internal.amazon.com/coral/", 409, "Pending")
        busy = error("TooManyRequestsException", 429, Reason="ConcurrentInvocationLimitExceeded")
        self.succeeds(*[pending, busy] * 2, XC_LAMBDA_ATTEMPTS="1")
        self.assertIn("HTTP 429 TooManyRequestsException", self.step(*[busy] * 20, XC_LAMBDA_PATIENCE="1")[0])

    def test_patience_while_others_go_on(self):
        """As long as the run finishes steps, its other steps wait."""
        self.write("timings.tsv", b"")
        ahead = os.stat(self.dir / "timings.tsv").st_mtime + 60
        os.utime(self.dir / "timings.tsv", (ahead, ahead))
        busy = error("TooManyRequestsException", 429)
        self.succeeds(*[busy] * 7, XC_LAMBDA_PATIENCE="1")

    def test_rights(self):
        """A new right needs some seconds to be known everywhere."""
        denied = error("AccessDeniedException", message="User: x is not authorized")
        self.succeeds(denied, denied)
        text = self.fails(denied, denied, denied, after=3)
        self.assertIn("HTTP 403 AccessDeniedException: User: x is not authorized (request id-7); xc-lambda policy run",
                      text)

    def test_final(self):
        """Causes that no other attempt removes."""
        for cause, words in (
                (error("ResourceNotFoundException", 404, "Function not found"), "run: xc-lambda deploy"),
                (error("UnrecognizedClientException"), "403 UnrecognizedClientException: as written (request id-7)"),
                (error("InvalidSignatureException", message="Signature expired: 1 is now earlier than 2"),
                 "set the clock of this machine"),
                (error("InvalidZipFileException", 502), "run: xc-lambda deploy"),
                (error("RequestTooLargeException", 413), "HTTP 413 RequestTooLargeException"),
                ((200, {}, {"refused": "not with me"}), "xc-lambda: the function: not with me\n")):
            with self.subTest(words):
                self.assertIn(words, self.fails(cause, after=1))

    def test_billed(self):
        """timings.tsv has what AWS bills for all attempts; without its word, what the worker has measured."""
        failed = function_error("Runtime.ExitError", "exit status 1")
        failed[1].update(done(3000)[1])
        self.succeeds()
        self.assertEqual(self.step(failed, done(1250)), ("", 2))
        billed = [line.split("\t")[8] for line in (self.dir / "timings.tsv").read_text().splitlines()]
        self.assertEqual([float(seconds) for seconds in billed], [1.5, 4.25])
        self.assertEqual(self.calls()[0][2]["x-amz-log-type"], "Tail")

    def test_function_names(self):
        arn = "arn:aws:lambda:eu-central-1:123456789012:function:film"
        for name, path in (("film", "film/invocations"), ("film:live", "film/invocations?Qualifier=live"),
                           (arn, "film/invocations"), (f"{arn}:7", "film/invocations?Qualifier=7")):
            with self.subTest(name):
                self.succeeds(XC_LAMBDA_FUNCTION=name)
                self.assertEqual(self.calls()[0][1], f"/2015-03-31/functions/{path}")
        west = arn.replace("central", "west")
        for name, words in ((west, "is a function in eu-west-1, and AWS_REGION is eu-central-1"),
                            ("a/b", "is neither"), ("film:", "is neither"), ("a" * 65, "is neither"),
                            ("arn:aws:s3:::film", "is neither"), ("film:a/b", "is neither")):
            with self.subTest(name):
                self.assertIn(words, self.fails(after=0, XC_LAMBDA_FUNCTION=name))
        self.assertIn("of account 123456789012", self.fails(after=0, XC_LAMBDA_FUNCTION=arn, XC_LAMBDA_ACCOUNT="1"))


class Store(AnswerCase):
    def test_codes(self):
        """A message names S3's code, the request, and the mend."""
        for code, status, words in (("RequestTimeTooSkewed", 403, "set the clock of this machine"),
                                    ("AuthorizationHeaderMalformed", 400, "AWS_REGION is not the region of the bucket"),
                                    ("NoSuchBucket", 404, "run: xc-lambda deploy")):
            with self.subTest(code):
                text = self.fails(store=[s3_error(code, status)] * 3, after=0)
                self.assertIn(f"HTTP {status} {code}: as written (request ID7); ", text)
                self.assertIn(words, text)

    def test_passing(self):
        for code, status in (("SlowDown", 503), ("InternalError", 500), ("RequestTimeout", 400),
                             ("OperationAborted", 409)):
            with self.subTest(code):
                self.succeeds(store=[s3_error(code, status)] * 2)
        self.succeeds(store=[s3_error("AccessDenied")])

    def test_owner(self):
        """Another account's bucket of the same name gets and gives nothing."""
        self.succeeds(XC_LAMBDA_ACCOUNT="123456789012")
        owners = [request[2].get("x-amz-expected-bucket-owner") for request in self.server.requests
                  if request[0] != "POST"]
        self.assertEqual(set(owners), {"123456789012"})
        self.assertIn("x-amz-expected-bucket-owner", self.server.requests[0][2]["authorization"])


class Credentials(AnswerCase):
    """Those that expire: by a credential_process, which here counts how often it is run."""

    NONE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": ""}

    def profile(self, script, name="default", setting="credential_process"):
        """A profile whose credentials come from a script; "$n" in it counts its runs."""
        self.write("process", f"#!/bin/sh\necho run >>{self.dir}/runs\nn=$(wc -l <{self.dir}/runs)\n{script}".encode())
        (self.dir / "process").chmod(0o755)
        section = "default" if name == "default" else f"profile {name}"
        self.write("config", f"[{section}]\nregion = eu-central-1\n{setting} = {self.dir}/process\n".encode())
        return {**self.NONE, "AWS_CONFIG_FILE": str(self.dir / "config"), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}

    GIVES = """echo '{"Version": 1, "AccessKeyId": "key-'$n'", "SecretAccessKey": "s", "SessionToken": "t",
        "Expiration": "'$(date -u -d "${life-15 minutes}" +%FT%TZ)'"}'\n"""

    def runs(self):
        return (self.dir / "runs").read_text().count("run") if (self.dir / "runs").exists() else 0

    def users(self):
        return [request[2]["authorization"].split("Credential=")[1].split("/")[0] for request in self.server.requests]

    def test_shared(self):
        """One run of the command serves all wrappers, until its credentials are about to expire."""
        given = self.profile(self.GIVES)
        self.succeeds(**given)
        self.succeeds(**given)
        self.assertEqual((self.runs(), set(self.users())), (1, {"key-1"}))
        kept = [path for path in (self.dir / "cache/excamera").iterdir()]
        self.assertEqual({path.stat().st_mode & 0o777 for path in kept}, {0o600})
        given = self.profile("life='30 seconds'\n" + self.GIVES, name="work")
        self.succeeds(**given, AWS_DEFAULT_PROFILE="work")
        self.assertGreater(self.runs(), 2)

    def test_expired(self):
        """In the middle of a run; AWS says so before the date does."""
        given = self.profile(self.GIVES)
        expired = error("ExpiredTokenException", message="The security token included in the request is expired")
        self.succeeds(expired, **given)
        self.assertEqual(self.runs(), 2)
        self.succeeds(store=[s3_error("ExpiredToken", 400)], **given)
        self.assertEqual((self.runs(), self.users()[-1]), (3, "key-3"))

    def test_log_in_again(self):
        """A session that ends in the middle of a run: the run waits for the user."""
        given = self.profile(f"[ $n != 2 ] || {{ echo log in >&2; exit 1; }}\n{self.GIVES}")
        text, _ = self.step(error("ExpiredTokenException"), done(), **given)
        self.assertRegex(text, r"\Alog in\nxc-lambda: credentials: '[^']+' gives none any more; waiting for you to log "
                               r"in again\n\Z")
        self.assertTrue((self.dir / "out").exists())
        self.assertEqual(self.runs(), 3)

    def test_none(self):
        given = self.profile("exit 1\n")
        self.assertIn("the command that this profile names gives none; log in again", self.fails(after=0, **given))
        self.write("config", b"[default]\nregion = eu-central-1\n")
        harness.install_stubs(self.dir / "stubs", {"aws": "echo what >&2; exit 1"})
        path = f"{self.dir}/stubs:{os.environ['PATH']}"
        self.assertIn("credentials: none; run: aws configure, or aws login", self.fails(after=0, PATH=path, **given))

    def test_by_the_cli(self):
        """Single sign-on, `aws login` and roles are its business."""
        given = self.profile(self.GIVES, name="work", setting="sso_session")
        stub = f'echo "$*" >{self.dir}/asked; exec {self.dir}/process'
        harness.install_stubs(self.dir / "stubs", {"aws": stub})
        self.succeeds(**{**given, "AWS_PROFILE": "work", "PATH": f"{self.dir}/stubs:{os.environ['PATH']}"})
        self.assertEqual((self.dir / "asked").read_text(),
                         "configure export-credentials --format process --profile work\n")
        self.assertEqual(set(self.users()), {"key-1"})

    def test_fixed_session(self):
        """Nobody can renew a token in the environment; one in a file may have been replaced."""
        expired = error("ExpiredTokenException", message="expired")
        self.assertIn("HTTP 403 ExpiredTokenException: expired", self.fails(expired, after=1, AWS_SESSION_TOKEN="t"))
        self.write("keys", b"[default]\naws_access_key_id = a\naws_secret_access_key = b\naws_session_token = old\n")
        given = {**self.NONE, "AWS_SHARED_CREDENTIALS_FILE": str(self.dir / "keys"), "AWS_CONFIG_FILE": "/dev/null"}
        self.assertIn("expired", self.fails(expired, after=1, **given))


# Prints the addresses that AWS's own library uses, one a line.
ADDRESSES = """
import botocore.config, botocore.session, json, sys, urllib.parse
session = botocore.session.Session()
session.set_credentials("x", "y")
for service, region, fips, dual in json.load(sys.stdin):
    config = botocore.config.Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual, signature_version="v4",
                                    s3={"us_east_1_regional_endpoint": "regional", "addressing_style": "path"})
    client = session.create_client(service, region_name=region, config=config)
    request = ("head_bucket", {"Bucket": "x.y"}) if service == "s3" else ("list_functions",)
    url = urllib.parse.urlsplit(client.generate_presigned_url(*request))
    print(f"{url.scheme}://{url.netloc}")
"""


class Addresses(Case):
    REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-5", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")

    def endpoint(self, service, **changes):
        variables = {"AWS_ENDPOINT_URL": "", "AWS_CONFIG_FILE": "/dev/null", **changes}
        return harness.run(stack.PACKAGE / "xc-remote", "endpoint", service, env=harness.environment(**variables))

    def test_as_aws_says(self):
        if not (stack.PROGRAMS / "python3").exists():
            self.skipTest("botocore is not installed; test/lambda/install does it")
        asked = [(service, region, fips, dual) for service in ("s3", "lambda") for region in self.REGIONS
                 for fips in (False, True) for dual in (False, True) if not fips or region.startswith("us-")]
        text = harness.must(stack.PROGRAMS / "python3", "-c", ADDRESSES, stdin=json.dumps(asked).encode())
        for (service, region, fips, dual), address in zip(asked, text.decode().splitlines()):
            with self.subTest(service=service, region=region, fips=fips, dual=dual):
                got = self.endpoint(service, AWS_REGION=region, AWS_USE_FIPS_ENDPOINT=str(fips).lower(),
                                    AWS_USE_DUALSTACK_ENDPOINT=str(dual).lower())
                self.assertEqual(got.stdout.decode().strip(), address, got.stderr)

    def test_refused(self):
        for words, changes in (("isolated partition", {"AWS_REGION": "us-iso-east-1"}),
                               ("have FIPS endpoints", {"AWS_REGION": "eu-west-1", "AWS_USE_FIPS_ENDPOINT": "true"}),
                               ("is not a region", {"AWS_REGION": "evil.example/x"}),
                               ("AWS_CA_BUNDLE: /nowhere: No such", {"AWS_REGION": "eu-west-1",
                                                                     "AWS_CA_BUNDLE": "/nowhere"})):
            with self.subTest(words):
                got = self.endpoint("s3", **changes)
                self.assertIn(words, got.stderr.decode())
                self.assertEqual((got.returncode, got.stdout), (1, b""))

    def test_from_the_profile(self):
        self.write("config", b"[default]\nregion = us-west-2\nuse_fips_endpoint = true\ns3 =\n    region = nonsense\n")
        got = self.endpoint("s3", AWS_CONFIG_FILE=str(self.dir / "config"), AWS_REGION="", AWS_DEFAULT_REGION="")
        self.assertEqual(got.stdout, b"https://s3-fips.us-west-2.amazonaws.com\n")
