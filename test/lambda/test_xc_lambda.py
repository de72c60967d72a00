"""xc-lambda: the package, the account before and after, and each command of docs/lambda.md."""
import hashlib
import json
import os
import re
import shutil
import time
import zipfile

import harness
import remote
import stack
from harness import ROOT
from remote import AccountCase, Shared


def setUpModule():
    remote.start(workers=4)
    remote.start_account()


def tearDownModule():
    remote.stop()


def as_list(value):
    return value if isinstance(value, list) else [value]


class DeployCase(AccountCase):
    def make_role(self):
        """What deploy makes first of the role."""
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
        self.aws("iam", "create-role", "--role-name", "excamera-eu-central-1",
                 "--assume-role-policy-document", json.dumps(trust))


class Account(AccountCase):
    nothing = {"functions": [], "roles": [], "buckets": [], "logs": []}

    def test_deploy_and_destroy(self):
        self.assertEqual(self.inventory(), self.nothing)
        planned = self.works("deploy", "--dry-run")
        for command in ("create-bucket", "put-bucket-lifecycle", "create-role", "put-role-policy", "create-function"):
            self.assertRegex(planned, rf"(?m)^would run: aws \S+ {command}")
        self.assertEqual(self.inventory(), self.nothing, "a dry run changes nothing")

        variables = self.works("deploy")
        self.assertRegex(variables, r"\Aexport AWS_REGION=\S+ XC_LAMBDA_FUNCTION=excamera XC_LAMBDA_BUCKET=\S+ "
                                    r"XC_LAMBDA_TOOLS=\S+\n\Z")
        there = self.inventory()
        self.assertEqual({name: len(things) for name, things in there.items()}, dict.fromkeys(there, 1))
        self.check_rights(there)
        self.check_function()
        self.assertEqual(self.works("deploy"), variables, "again, it changes nothing")
        self.assertEqual(self.inventory(), there)
        self.assertIn("function excamera: Active", self.works("status"))
        self.assertIn("would run: aws lambda delete-function", self.works("destroy", "--dry-run"))
        self.assertEqual(self.inventory(), there)
        self.works("destroy")
        self.assertEqual(self.inventory(), self.nothing)
        self.works("destroy")

    def check_rights(self, there):
        """The role can do no more than the function needs."""
        policy = self.aws("iam", "get-role-policy", "--role-name", there["roles"][0], "--policy-name", "excamera")
        allowed = {(action, resource) for statement in policy["PolicyDocument"]["Statement"]
                   for action in as_list(statement["Action"]) for resource in as_list(statement["Resource"])}
        bucket = f"arn:aws:s3:::{there['buckets'][0]}"
        expected = {(f"s3:{verb}Object", f"{bucket}/{prefix}/*") for verb in ("Get", "Put")
                    for prefix in ("data", "task", "meet")}
        expected.add(("s3:ListBucket", bucket))
        rest = allowed - expected
        self.assertEqual(allowed & expected, expected)
        self.assertEqual({action for action, _ in rest}, {"logs:CreateLogStream", "logs:PutLogEvents"})
        self.assertTrue(all(resource.endswith(":log-group:/aws/lambda/excamera:*") for _, resource in rest))
        rules = self.aws("s3api", "get-bucket-lifecycle-configuration", "--bucket", there["buckets"][0])["Rules"]
        self.assertEqual([(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules],
                         [("data/", 7), ("task/", 7), ("meet/", 7)])

    def check_function(self):
        found = self.aws("lambda", "get-function", "--function-name", "excamera")["Configuration"]
        self.assertEqual((found["Runtime"], found["Handler"], found["Timeout"]), ("provided.al2023", "bootstrap", 900))

    def test_mistakes(self):
        for arguments in (("explode",), ("deploy", "--arch", "vax"), ("deploy", "--memory", "x"), ("deploy", "--fast"),
                          ("deploy", "--arch"), ("cost", "--memory"), ("cost", "a.tsv", "--memory", "1024"),
                          ("logs", "--since", "yesterday"), ("logs", "--since"), ("logs", "all"),
                          ("cost", "nothing.tsv"), ("cost", "--estimate", "x")):
            with self.subTest(arguments):
                self.refused(*arguments)


class Neighbours(DeployCase):
    """What else is in the account, or would be if the last command had come to its end."""

    OTHER = {"XC_LAMBDA_FUNCTION": "excamera-test"}

    def make_bucket(self, name):
        where = ("--create-bucket-configuration", f"LocationConstraint={stack.REGION}")
        self.aws("s3api", "create-bucket", "--bucket", name, *where)
        self.addCleanup(harness.run, "aws", "s3", "rb", "--force", f"s3://{name}", env=self.account)

    def put(self, bucket, key):
        self.aws("s3api", "put-object", "--bucket", bucket, "--key", key, "--body", str(self.write("some", b"thing")))

    def test_two_functions(self):
        """Each has a role, log and bucket of its own, whether or not the name of one begins as the other's."""
        names = [re.search(r"BUCKET=(\S+)", self.works("deploy", **changes))[1] for changes in (self.OTHER, {})]
        self.assertEqual(names, ["excamera-test-123456789012-eu-central-1", "excamera-123456789012-eu-central-1"])
        self.assertEqual({name: len(things) for name, things in self.inventory().items()},
                         dict.fromkeys(Account.nothing, 2))
        self.works("destroy")
        self.assertEqual(self.inventory()["logs"], ["/aws/lambda/excamera-test"])
        self.assertIn("has the function been deployed?", self.refused("logs"))
        self.works("destroy", **self.OTHER)
        self.assertEqual(self.inventory(), Account.nothing)

    def test_bucket_of_somebody_else(self):
        """It is not touched; nor is what others have put into ours."""
        self.make_bucket("family-photos")
        self.put("family-photos", "photo")
        before = self.inventory()
        photos = {"XC_LAMBDA_BUCKET": "family-photos"}
        self.assertIn("family-photos is used for something else", self.refused("deploy", **photos))
        self.assertIn("family-photos stays", self.refused("destroy", **photos))
        self.assertEqual(self.inventory(), before)

        self.make_bucket("taken")
        taken = {"XC_LAMBDA_BUCKET": "taken"}
        self.works("deploy", **taken)
        self.assertIn("is used for something else", self.refused("deploy", **taken, **self.OTHER))
        self.put("taken", "photo")
        self.put("taken", "data/0123")
        self.works("deploy", **taken)
        self.assertIn("BucketNotEmpty", self.refused("destroy", **taken))
        left = self.aws("s3api", "list-objects-v2", "--bucket", "taken")["Contents"]
        self.assertEqual([found["Key"] for found in left], ["photo"])

    def test_bucket_of_another_account(self):
        """A name that anybody could guess, and that is taken. moto does not look at the owner, so this does."""
        real = shutil.which("aws", path=self.account["PATH"])
        harness.install_stubs(self.dir / "stubs", {"aws": f"""case $* in
            *'--expected-bucket-owner 123456789012'*) echo Forbidden >&2; exit 254 ;;
            *create-bucket*) echo 'An error occurred (BucketAlreadyExists)' >&2; exit 254 ;;
            *s3api*) echo "$*" >>touched ;;
            esac
            exec {real} "$@" """})
        done = self.lambda_("deploy", PATH=f"{self.dir}/stubs:{self.account['PATH']}")
        self.assertEqual((done.returncode, done.stderr), (254, b"An error occurred (BucketAlreadyExists)\n"))
        self.assertFalse((self.dir / "touched").exists())
        self.assertEqual(self.inventory(), Account.nothing)

    def test_interrupted_deploy(self):
        """Whatever it has left, destroy clears away."""
        self.make_bucket("excamera-123456789012-eu-central-1")
        self.make_role()
        self.works("destroy")
        self.assertEqual(self.inventory(), Account.nothing)

    def test_destroy_goes_on(self):
        """What cannot be removed does not save the rest."""
        self.works("deploy")
        role = ("--role-name", "excamera-eu-central-1")
        policy = self.aws("iam", "get-role-policy", *role, "--policy-name", "excamera")["PolicyDocument"]
        self.aws("iam", "put-role-policy", *role, "--policy-name", "mine", "--policy-document", json.dumps(policy))
        self.assertIn("DeleteConflict", self.refused("destroy"))
        self.assertEqual(self.inventory(), {**Account.nothing, "roles": [role[1]]})
        self.aws("iam", "delete-role-policy", *role, "--policy-name", "mine")
        self.works("destroy")
        self.assertEqual(self.inventory(), Account.nothing)


class Logs(AccountCase):
    def test_since(self):
        self.assertIn("there is no such log; has the function been deployed?", self.refused("logs"))
        self.works("deploy")
        self.addCleanup(self.works, "destroy")
        log = ("--log-group-name", "/aws/lambda/excamera", "--log-stream-name", "2025/01/01/[$LATEST]0123")
        self.aws("logs", "create-log-stream", *log)
        now = int(time.time())
        messages = {now - 7200: "long ago", now - 60: "xc-worker: first\n\tand second line\n", now: "REPORT\tof late"}
        self.aws("logs", "put-log-events", *log, "--log-events", json.dumps(
            [{"timestamp": seconds * 1000, "message": message} for seconds, message in messages.items()]))
        old, *lines = [f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(seconds))} {log[3]}\t{message.strip()}\n"
                       for seconds, message in messages.items()]
        self.assertEqual(self.works("logs"), "".join(lines))
        self.assertEqual(self.works("logs", "--since", "90m"), "".join(lines))
        self.assertEqual(self.works("logs", "--since", "3h"), "".join([old, *lines]))


class Package(AccountCase):
    def unpack(self):
        with zipfile.ZipFile(Shared.stack.programs / "excamera.zip") as package:
            package.extractall(self.dir / "content")
            return package.infolist()

    def test_content(self):
        entries = self.unpack()
        tools = (ROOT / "mk/chunk-tools").read_text().split()
        programs = ["xc-worker", *(f"tools/{tool}" for tool in tools)]
        self.assertEqual([entry.filename for entry in entries], ["bootstrap", *programs])
        self.assertTrue(all(entry.external_attr >> 16 & 0o111 for entry in entries))
        for name in programs:
            self.is_static(self.dir / "content" / name, "X86-64" if os.uname().machine == "x86_64" else "AArch64")

    def test_from_the_same_files(self):
        """Times, and who they belong to, do not count."""
        names = [entry.filename for entry in self.unpack()]
        os.utime(self.dir / "content/bootstrap", (1, 1))
        harness.must(ROOT / "lambda/pack", self.dir / "again.zip", *(self.dir / "content" / name for name in names))
        self.assertEqual((self.dir / "again.zip").read_bytes(), (Shared.stack.programs / "excamera.zip").read_bytes())
        self.assertEqual((self.dir / "tools.sha256").read_text(), (Shared.stack.programs / "tools.sha256").read_text())

    def test_built_elsewhere(self):
        """A colleague who builds the same sources has the same tools, and so shares what is in the store."""
        clone = self.dir / "clone"
        for name in ("lib", "tools", "lambda", "mk"):
            shutil.copytree(ROOT / name, clone / name)
        shutil.copy(ROOT / "Makefile", clone)
        said = harness.must(clone / "lambda/xc-lambda", "package", env={**self.account, "XC_LAMBDA_PROGRAMS": ""})
        ours = hashlib.sha256((Shared.stack.programs / "excamera.zip").read_bytes()).hexdigest()
        self.assertEqual(said.decode().splitlines()[-1], f"{ours}  {clone}/bin/lambda/excamera.zip")


class Cost(DeployCase):
    def test_of_a_run(self):
        rows = "xc-vpxenc 00000000 1 2 1 9 9 9 10.0\nxc-enc 00000000 1 2 1 9 9 9 0\n"
        self.write("timings.tsv", rows.replace(" ", "\t").encode())
        text = self.works("cost")
        self.assertIn("1 invocations, 10.0 s at 1769 MB, x86_64: 0.0003 USD", text)

    def test_estimate(self):
        self.assertIn("1000 invocations, 20000.0 s", self.works("cost", "--estimate", "1000", "20"))

    def test_of_another_function(self):
        """What is deployed, if that can be asked; what the options say, in any case."""
        estimate = ("--estimate", "1000", "20")
        self.make_role()
        self.aws("lambda", "create-function", "--function-name", "excamera", "--runtime", "provided.al2023",
                 "--handler", "bootstrap", "--role", "arn:aws:iam::123456789012:role/excamera-eu-central-1",
                 "--zip-file", f"fileb://{Shared.stack.programs}/excamera.zip", "--memory-size", "3008",
                 "--architectures", "arm64")
        self.addCleanup(self.works, "destroy")
        self.assertIn(" 20000.0 s at 3008 MB, arm64: 0.7833 USD", self.works("cost", *estimate))
        self.assertIn(" at 1024 MB, x86_64: 0.3333 USD",
                      self.works("cost", "--memory", "1024", "--arch", "x86_64", *estimate))
        self.assertIn(" at 1769 MB, x86_64: 0.5758 USD", self.works("cost", *estimate, AWS_SECRET_ACCESS_KEY=""))


class Driver(AccountCase):
    """./excamera with its steps on Lambda."""

    film = {"width": 176, "height": 144, "frames": 24}  # chunks large enough for their digests to be remembered

    def setUp(self):
        super().setUp()
        self.account.update(re.findall(r"(\w+)=(\S+)", self.works("deploy")))
        self.addCleanup(self.works, "destroy")

    def excamera(self, *arguments, **changes):
        film = harness.film(**self.film)
        return harness.run(ROOT / "excamera", film, "-o", "out.ivf", "-s", "4", "-k", "3", *arguments, cwd=self.dir,
                           env={**self.account, "ENGINE": "lambda", **changes})

    def test_begins_anew(self):
        """When the cause of a failure is mended, the film can be begun anew as well as gone on with."""
        text = self.excamera(XC_LAMBDA_BUCKET="").stderr.decode()
        self.assertIn("\nxc-lambda: XC_LAMBDA_BUCKET: is not set", text)
        self.assertTrue((self.dir / "out.ivf.work/.xc-lambda").is_dir())
        done = self.excamera("--restart")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(len(harness.our_frames(self.dir / "out.ivf")), self.film["frames"])
        self.assertFalse((self.dir / "out.ivf.work").exists())
        self.assertRegex(done.stderr.decode(), r", [\d.]+ s; [\d.]+ s of AWS Lambda to pay for\n\Z")


class Scale(AccountCase):
    def test_some_wrappers(self):
        text = harness.must(ROOT / "test/lambda/scale.py", "10", env=self.account).decode()
        self.assertRegex(text, r"\A10 wrappers, inputs of 0.2 MB: 10 waiting at once after [\d.]+ s, 0 failed\n")
        self.assertIn("20 processes", text)


class Document(AccountCase):
    """A newcomer types what docs/lambda.md says, from the first command to the last."""

    film = {"width": 64, "height": 48, "frames": 48}

    # What is not typed here, and why.
    ELSEWHERE = {
        "mk/setup build demo lambda": "a test installs nothing; .ci/run does, on a bare machine",
        "make tools lambda": "what it makes is here, since that is what we test",
        "mk/setup arm64": "as the first one",
        "xc-lambda package --arch arm64": "is in .ci/run",
        'eval "$(aws configure export-credentials --format env)"': "the CLI that PyPI has lacks that",
        'eval "$(xc-lambda deploy --arch arm64)"': "is in test_remote_arm64.py",
        "test/lambda/scale.py 800": "is above, with fewer",
        "make check-lambda": "is what runs this"}

    def commands(self):
        text = (ROOT / "docs/lambda.md").read_text()
        typed = re.findall(r"^    \$ (.*)", text, re.M)
        self.assertEqual(set(self.ELSEWHERE) - set(typed), set(), "these are not in the document")
        known = set(re.findall(r"^  xc-lambda (\w+)", self.works("--help"), re.M))
        self.assertGreater(len(known), 6)
        mentioned = set(re.findall(r"`xc-lambda (\w+)", text))
        self.assertEqual((known | mentioned) - set(re.findall(r"xc-lambda (\w+)", "\n".join(typed))), set())
        return [command for command in typed if command not in self.ELSEWHERE]

    def test_every_command(self):
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(**self.film), self.dir / "film.mp4")
        clone = self.dir / "excamera"
        clone.mkdir()
        for name in ("bin", "lambda", "mk", "gen_makefile.py", "excamera"):
            (clone / name).symlink_to(ROOT / name)
        environment = {name: value for name, value in self.account.items()
                       if name == "AWS_ENDPOINT_URL" or not name.startswith("AWS_")}
        answers = f"{stack.KEY_ID}\n{stack.SECRET}\n{stack.REGION}\n\n".encode()
        done = harness.run("bash", "-c", "set -e -o pipefail\n" + "\n".join(self.commands()), cwd=clone,
                           env=environment, stdin=answers)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertRegex(done.stderr.decode(), r"\Asplitting ...\nencoding ...\n../film.webm: 48 frames, [^\n]+\n\Z")
        self.assertEqual(len(harness.our_frames(self.dir / "film.ivf")), self.film["frames"])
        harness.must("ffmpeg", "-v", "error", "-i", self.dir / "film.webm", self.dir / "film.yuv")
        self.assertEqual((self.dir / "film.yuv").stat().st_size, self.film["frames"] * 64 * 48 * 3 // 2)
        self.assertEqual((self.dir / "work/00000003-0.state").read_bytes()[:8], b"XCSTATE\n")
        self.assertEqual(self.inventory(), Account.nothing)
