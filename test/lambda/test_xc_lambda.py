# SPDX-License-Identifier: BSD-2-Clause
"""xc-lambda: the package, the account before and after, and each command of docs/lambda.md."""
import hashlib
import io
import json
import os
import re
import shlex
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


def minimal_zip():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("bootstrap", "exit")
    return content.getvalue()


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
        self.assertRegex(variables, r"\Aexport AWS_REGION=\S+ XC_LAMBDA_ACCOUNT=123456789012 "
                                    r"XC_LAMBDA_FUNCTION=excamera XC_LAMBDA_BUCKET=\S+ XC_LAMBDA_TOOLS=\S+\n\Z")
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
        for statement in policy["PolicyDocument"]["Statement"]:
            if as_list(statement["Action"])[0].startswith("s3:"):
                self.assertEqual(statement["Condition"], {"StringEquals": {"aws:ResourceAccount": "123456789012"}})
        rest = allowed - expected
        self.assertEqual(allowed & expected, expected)
        self.assertEqual({action for action, _ in rest}, {"logs:CreateLogStream", "logs:PutLogEvents"})
        self.assertTrue(all(resource.endswith(":log-group:/aws/lambda/excamera:*") for _, resource in rest))
        rules = self.aws("s3api", "get-bucket-lifecycle-configuration", "--bucket", there["buckets"][0])["Rules"]
        self.assertEqual([(rule["Filter"].get("Prefix") or rule["Filter"]["Tag"], rule["Expiration"]["Days"])
                          for rule in rules],
                         [({"Key": "excamera", "Value": "raw"}, 2), ("code/", 1), ("meet/", 2), ("data/", 7),
                          ("task/", 7), ("film/", 7)])

    def check_function(self):
        found = self.aws("lambda", "get-function", "--function-name", "excamera")["Configuration"]
        self.assertEqual((found["Runtime"], found["Handler"], found["Timeout"], found["EphemeralStorage"]["Size"]),
                         ("provided.al2023", "bootstrap", 900, 2048))
        self.assertEqual(found["Environment"]["Variables"], {"AWS_ENDPOINT_URL_S3": self.account["AWS_ENDPOINT_URL"]})

    def test_updates(self):
        """What somebody has changed, or an earlier version made otherwise, is as it should be after deploy."""
        self.works("deploy")
        self.addCleanup(self.works, "destroy")
        name = ("--function-name", "excamera")
        self.aws("lambda", "update-function-configuration", *name, "--timeout", "3", "--memory-size", "512",
                 "--runtime", "provided.al2", "--ephemeral-storage", "Size=512", "--environment", "Variables={}")
        self.works("deploy", "--concurrency", "50")
        self.check_function()
        self.assertEqual(self.aws("lambda", "get-function-concurrency", *name), {"ReservedConcurrentExecutions": 50})

    def test_mistakes(self):
        for mistake in ("explode", "deploy --arch vax", "deploy --memory x", "deploy --fast", "deploy --arch",
                        "deploy --concurrency x", "policy", "policy all", "clean a b", "clean a", "try --fast",
                        "cost --memory", "cost a.tsv --memory 1024", "cost nothing.tsv", "cost --estimate x",
                        "cost --estimate 1 x", "logs --since yesterday", "logs --since", "logs all"):
            with self.subTest(mistake):
                self.refused(*mistake.split())


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

    def test_unsuitable_bucket(self):
        """One that keeps what is deleted, or that the function's role could not read."""
        self.make_bucket("old")
        old = {"XC_LAMBDA_BUCKET": "old"}
        encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms",
                                                                        "KMSMasterKeyID": "my-key"}}]}
        self.aws("s3api", "put-bucket-encryption", "--bucket", "old", "--server-side-encryption-configuration",
                 json.dumps(encryption))
        self.assertIn("bucket old is encrypted with my-key", self.refused("deploy", **old))
        self.aws("s3api", "put-bucket-versioning", "--bucket", "old", "--versioning-configuration", "Status=Enabled")
        self.assertIn("bucket old has versions", self.refused("deploy", **old))

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


class Rights(AccountCase):
    """An account that takes its time, with an AWS CLI that writes down what it is asked."""

    # The actions that IAM asks for, where they are not called like the command.
    ACTIONS = {"s3api head-bucket": "s3:ListBucket", "s3api list-objects-v2": "s3:ListBucket",
               "s3api get-bucket-encryption": "s3:GetEncryptionConfiguration", "s3 rm": "s3:DeleteObject",
               **{f"stepfunctions {verb}-state-machine": f"states:{verb.title()}StateMachine"
                  for verb in ("create", "update", "describe", "delete")},
               "s3api put-bucket-lifecycle-configuration": "s3:PutLifecycleConfiguration",
               "s3api put-public-access-block": "s3:PutBucketPublicAccessBlock", "lambda wait": "lambda:GetFunction"}

    def action(self, command):
        service, name = command.split()
        return self.ACTIONS.get(command) or service.replace("s3api", "s3") + ":" + name.title().replace("-", "")

    def slow_account(self):
        """Each of these fails at first, because AWS is not ready."""
        real = shutil.which("aws", path=self.account["PATH"])
        fails = "(InvalidParameterValueException): The role defined for the function cannot be assumed by Lambda."
        harness.install_stubs(self.dir / "stubs", {"aws": f"""
            echo "$1 $2" >>{self.dir}/asked
            case $2 in
            get-account-settings) echo 10; exit ;;
            create-function) mkdir {self.dir}/role 2>/dev/null && {{ echo '{fails}' >&2; exit 254; }} ;;
            create-bucket) mkdir {self.dir}/old 2>/dev/null && {{ echo '(OperationAborted)' >&2; exit 254; }} ;;
            put-bucket-tagging) mkdir {self.dir}/new 2>/dev/null && {{ echo '(NoSuchBucket)' >&2; exit 254; }} ;;
            esac
            exec {real} "$@" """})
        # moto still knows the tags of a bucket that was deleted: this name is nobody else's.
        return {"PATH": f"{self.dir}/stubs:{self.account['PATH']}", "XC_LAMBDA_BUCKET": "excamera-slow-account"}

    def test_deploy(self):
        """It waits for what it has to, uploads once, says what is small, and needs no right that `policy` lacks."""
        slow = self.slow_account()
        deployed = self.lambda_("deploy", **slow)
        self.assertRegex(deployed.stderr.decode(), r"\Axc-lambda: this account runs 10 functions at the same time: use "
                                                   r"make -j10, [^\n]+\n\Z")
        self.assertEqual(deployed.returncode, 0)
        asked = (self.dir / "asked").read_text().splitlines()
        self.assertEqual([asked.count(command) for command in ("lambda create-function", "s3api put-object")], [2, 1])
        for arguments in (("deploy", "--memory", "1024", "--concurrency", "9", "--step-functions"), ("logs",),
                          ("status",), ("destroy",)):
            self.lambda_(*arguments, **slow)
        asked = {command for command in (self.dir / "asked").read_text().splitlines() if "configure" not in command}
        policy = json.loads(self.works("policy", "deploy"))
        allowed = {action for statement in policy["Statement"] for action in as_list(statement["Action"])}
        needed = {self.action(command) for command in asked}
        self.assertEqual(needed - allowed, set())
        # What no command is called like: code is read from the bucket, the role is handed over. Code may change.
        self.assertEqual(allowed - needed, {"s3:GetObject", "iam:PassRole", "lambda:UpdateFunctionCode",
                                            "states:UpdateStateMachine"})
        self.assertEqual({resource for statement in policy["Statement"] for resource in as_list(statement["Resource"])
                          if "excamera" not in resource}, {"*"})
        self.assertEqual(self.inventory(), Account.nothing)

    def test_refusal(self):
        """What waiting does not mend ends at once."""
        harness.install_stubs(self.dir / "stubs", {"aws": f"""
            echo "$1 $2" >>{self.dir}/asked
            case $2 in
            get-caller-identity) printf '123456789012\\tarn:aws-us-gov:iam::123456789012:user/x\\n'; exit ;;
            create-bucket) echo 'An error occurred (AccessDenied)' >&2; exit 254 ;;
            esac
            exit 1"""})
        denied = self.lambda_("deploy", PATH=f"{self.dir}/stubs:{self.account['PATH']}")
        self.assertEqual((denied.returncode, denied.stderr), (254, b"An error occurred (AccessDenied)\n"))
        self.assertEqual((self.dir / "asked").read_text().count("create-bucket"), 1)
        run = self.works("policy", "run", PATH=f"{self.dir}/stubs:{self.account['PATH']}")
        self.assertEqual(set(re.findall(r"arn:[^:]*:", run)), {"arn:aws-us-gov:"})


class Regions(AccountCase):
    """The commands for a list of regions."""

    film = {"width": 64, "height": 48, "frames": 24}
    batch = 2
    regions = (stack.REGION, "us-west-2")

    def setUp(self):
        super().setUp()
        self.account["XC_LAMBDA_REGIONS"] = " ".join(self.regions)
        self.buckets = [f"excamera-123456789012-{region}" for region in self.regions]

    def headings(self):
        return "".join(f"region {region}:\n" for region in self.regions)

    def deploy(self):
        done = self.lambda_("deploy", "--memory", "1024")
        self.assertEqual((done.returncode, done.stderr.decode()), (0, self.headings()))
        self.addCleanup(self.lambda_, "destroy")
        self.account.update(item.split("=", 1) for item in shlex.split(done.stdout.decode())[1:])

    def keys(self, bucket):
        return {item["Key"] for item in self.aws("s3api", "list-objects-v2", "--bucket", bucket).get("Contents", [])
                if not item["Key"].startswith("code/")}

    def test_from_nothing_and_back(self):
        planned = self.works("deploy", "--dry-run")
        self.assertEqual(planned.count("lambda create-function"), 2)
        self.deploy()
        self.assertEqual((self.account["XC_LAMBDA_REGIONS"], self.account["XC_LAMBDA_BUCKET"]),
                         (" ".join(self.regions), " ".join(self.buckets)))
        for region, bucket in zip(self.regions, self.buckets):
            there = self.inventory(region)
            self.assertEqual((there["functions"], there["logs"]), (["excamera"], ["/aws/lambda/excamera"]))
            self.assertEqual(set(there["buckets"]), set(self.buckets))
            policy = self.aws("iam", "get-role-policy", "--policy-name", "excamera", "--role-name",
                              f"excamera-{region}")
            self.assertIn(f"arn:aws:s3:::{bucket}/data/*", str(policy["PolicyDocument"]))
        self.assertRegex(self.works("status"), "".join(
            rf"region {region}:\nfunction excamera: Active\t[^\n]*\nbucket {bucket}: is there\n[^\n]*\n"
            for region, bucket in zip(self.regions, self.buckets)))
        self.encode()
        self.assertIn(" at 1024 MB", self.works("cost"))
        self.works("clean")
        self.assertEqual([self.keys(bucket) for bucket in self.buckets], [set()] * 2)
        self.works("destroy")
        self.assertEqual([self.inventory(region) for region in self.regions], [Account.nothing] * 2)

    def encode(self):
        expected = self.local()
        harness.must(*self.command("lambda-chunk"), cwd=self.dir, env=self.account)
        self.assertEqual(self.finished(), expected)
        for chunk, bucket in ((0, 0), (1, 0), (2, 1), (3, 1)):
            key = f"data/{hashlib.sha256((self.dir / f'{harness.number(chunk)}.y4m').read_bytes()).hexdigest()}"
            self.assertEqual([key in self.keys(name) for name in self.buckets], [bucket == 0, bucket == 1])

    def test_one_is_not_as_the_others(self):
        """It is refused before anything is started: it has nothing, or other tools."""
        self.deploy()
        self.aws("lambda", "update-function-code", "--function-name", "excamera", "--region", self.regions[1],
                 "--zip-file", f"fileb://{self.write('other.zip', minimal_zip())}")
        for said in ("has a function with other tools than the regions before it; run: xc-lambda deploy",
                     "has no function excamera; run: xc-lambda deploy"):
            done = harness.run(*self.command("lambda"), cwd=self.dir, env=self.account)
            self.assertRegex(done.stderr.decode(), rf"\A[^\n]*xc-lambda: {self.regions[1]}: {said}[^\n]*\n\Z")
            self.assertEqual(self.keys(self.buckets[0]), set())
            if "other tools" in said:
                self.aws("lambda", "delete-function", "--function-name", "excamera", "--region", self.regions[1])
        self.assertIn("function excamera: is not there", self.works("status"))

    def test_policies(self):
        for kind in ("deploy", "run"):
            statements = json.loads(self.works("policy", kind))["Statement"]
            for region in self.regions:
                self.assertEqual(statements, [s for i, s in enumerate(statements) if s not in statements[:i]])
                self.assertIn(f"arn:aws:lambda:{region}:123456789012:function:excamera", str(statements))

    def test_try(self):
        done = self.lambda_("try", "--yes")
        text = done.stdout.decode()
        self.assertEqual((done.returncode, done.stderr.decode()), (0, self.headings()))
        self.assertIn(f"are made in each of {' '.join(self.regions)}", text)
        self.assertEqual(len(re.findall("(?m)^lambda(?:-chunk)?: the bytes of a local run$", text)), 2)
        self.assertEqual([self.inventory(region) for region in self.regions], [Account.nothing] * 2)

    def test_mistakes(self):
        for changes, said in (({"XC_LAMBDA_BUCKET": "one"}, "XC_LAMBDA_BUCKET: names 1 of 2 buckets"),
                              ({"XC_LAMBDA_REGIONS": "here here"}, "XC_LAMBDA_REGIONS: has here twice"),
                              ({"XC_LAMBDA_REGIONS": "Here there"}, "XC_LAMBDA_REGIONS: 'Here' is not a region")):
            self.assertIn(said, self.refused("status", **changes))


class Try(AccountCase):
    def test_try(self):
        text = self.works("try", "--yes")
        for engine in ("lambda", "lambda-chunk"):
            self.assertRegex(text, rf"(?m)^{engine}: [\d.]+ s, \d+ invocations, \d+ ms billed$")
            self.assertRegex(text, rf"(?m)^{engine}: the bytes of a local run$")
        self.assertRegex(text, "less than five cents")
        self.assertEqual(self.inventory(), Account.nothing)

    def test_declined(self):
        self.assertEqual(self.lambda_("try").returncode, 1)
        self.assertEqual(self.inventory(), Account.nothing)


class Clean(AccountCase):
    def test_clean(self):
        """Everything that belongs to the film goes, and nothing else."""
        self.account.update(re.findall(r"(\w+)=(\S+)", self.works("deploy")))
        self.addCleanup(self.works, "destroy")
        bucket = ("--bucket", self.account["XC_LAMBDA_BUCKET"])

        def keys():
            found = self.aws("s3api", "list-objects-v2", *bucket)["Contents"]
            return {item["Key"] for item in found if not item["Key"].startswith("code/")}

        self.aws("s3api", "put-object", *bucket, "--key", "data/other")
        for engine in ("lambda", "lambda-chunk"):
            harness.must(*self.command(engine), cwd=self.dir, env=self.account)
            for path in self.dir.glob("*.ivf"):
                path.unlink()
        raw = hashlib.sha256((self.dir / "00000000.y4m").read_bytes()).hexdigest()
        tags = self.aws("s3api", "get-object-tagging", *bucket, "--key", f"data/{raw}")["TagSet"]
        self.assertEqual(tags, [{"Key": "excamera", "Value": "raw"}])
        self.assertGreater(len(keys()), 50)
        (self.dir / "reference").write_text(f"XCREF xc-lambda fetch\nsha256 {raw}\nsize 1\nbucket x\n")
        self.works("clean")
        self.assertEqual(keys(), {"data/other"})
        self.assertFalse((self.dir / ".xc-lambda").exists() or (self.dir / "reference").exists())
        self.assertTrue((self.dir / "00000000.y4m").exists())


class Logs(AccountCase):
    def test_since(self):
        self.assertIn("there is no such log; has the function been deployed?", self.refused("logs"))
        self.works("deploy")
        self.addCleanup(self.works, "destroy")
        log = ("--log-group-name", "/aws/lambda/excamera", "--log-stream-name", "2025/01/01/[$LATEST]0123")
        self.aws("logs", "create-log-stream", *log)
        now = int(time.time())
        messages = {now - 7200: "long ago", now - 60: "bootstrap: first\n\tand second line\n", now: "REPORT\tof late"}
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
        programs = [f"tools/{tool}" for tool in tools]
        modules = sorted(f"functions/{path.name}" for path in (ROOT / "lambda/functions").glob("*.py"))
        self.assertEqual([entry.filename for entry in entries], ["bootstrap", *programs, *modules])
        self.assertTrue(all(entry.external_attr >> 16 & 0o111 for entry in entries))
        machine = "X86-64" if os.uname().machine == "x86_64" else "AArch64"
        for name in programs:
            self.is_static(self.dir / "content" / name, machine)
        self.needs_what_lambda_has(self.dir / "content/bootstrap", machine)

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
        rows = "00000000-vpxenc.ivf 00000000 1 5 3 9 2000000000 1000000000 10.0\n00000000.ivf 00000000 5 9 3 9 9 0 0\n"
        self.write("timings.tsv", rows.replace(" ", "\t").encode())
        text = self.works("cost")
        self.assertIn("1 invocations, 10.0 s at 1769 MB, x86_64: 0.0003 USD\n  in 8.0 s of these a tool", text)
        # For two days, at 0.023 dollars a month for 2^30 bytes.
        self.assertIn(f"about 3.000 GB for 2 days and 0.000 GB for 7: {0.023 * 6e9 / 2**30 / 30.4:.4f} USD", text)
        self.assertIn("400,000 GB-seconds of Lambda a month are free. This run has used 17.\n", text)
        # With half a core, the 6 seconds of computing take 12.
        half = self.works("cost", "--memory", "884")
        self.assertIn(" 16.0 s at 884 MB", half)
        self.write("timings.tsv", b"nonsense\n")
        self.assertIn("line 1 is not a row", self.refused("cost"))

    def test_estimate(self):
        text = self.works("cost", "--estimate", "1000", "20", "75")
        self.assertIn("1000 invocations, 20000.0 s", text)
        self.assertIn("about 82.500 GB for 2 days", text)

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
        self.assertIn(" 34550.8 s at 1024 MB, x86_64: 0.5758 USD",
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
        text = self.excamera("--measure", XC_LAMBDA_BUCKET="").stderr.decode()
        self.assertIn("xc-lambda: XC_LAMBDA_BUCKET: is not set", text)
        self.assertTrue((self.dir / "out.ivf.work/.xc-lambda").is_dir())
        done = self.excamera("--restart")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(len(harness.our_frames(self.dir / "out.ivf")), self.film["frames"])
        self.assertFalse((self.dir / "out.ivf.work").exists())
        self.assertRegex(done.stderr.decode(), r", [\d.]+ s; [\d.]+ s of AWS Lambda to pay for; [^\n]+\n\Z")


class Scale(AccountCase):
    def test_some_wrappers(self):
        text = harness.must(ROOT / "test/lambda/scale.py", "10", env=self.account).decode()
        self.assertRegex(text, r"\A10 wrappers, inputs of 0.2 MB: 10 waiting at once after [\d.]+ s, 0 failed\n")
        self.assertIn("\n11 processes", text)  # one makes the requests of all


class Document(AccountCase):
    """A newcomer types what docs/lambda.md says, from the first command to the last."""

    film = {"width": 64, "height": 48, "frames": 48}

    # What is not typed here, and why.
    ELSEWHERE = {
        'export XC_LAMBDA_REGIONS="us-east-1 eu-west-1" && eval "$(xc-lambda deploy)"': "is above, in Regions",
        "make -j1600 -C ../work -f excamera.mk ENGINE=lambda": "needs that",
        "mk/setup build demo lambda": "a test installs nothing; .ci/run does, on a bare machine",
        "make tools lambda": "what it makes is here, since that is what we test",
        "mk/setup arm64": "as the first one",
        "xc-lambda package --arch arm64": "is in .ci/run",
        "xc-lambda try --yes": "is above",
        'eval "$(xc-lambda deploy --arch arm64)"': "is in test_remote_arm64.py",
        "test/lambda/scale.py 800": "is above, with fewer",
        'eval "$(xc-lambda deploy --step-functions)"': "is in test_film_commands, and so are the next ones",
        "xc-lambda start --structure anchored --batch 16 --quality 22 ../work": "needs that",
        "xc-lambda status ../work": "needs that",
        "xc-lambda collect ../work": "needs that",
        "python3 -m pip install imageio-ffmpeg": "a test installs nothing",
        "ffmpeg=$(python3 -c 'import imageio_ffmpeg as i; print(i.get_ffmpeg_exe())')": "needs that",
        'xc-lambda package --ffmpeg "$ffmpeg"': "is in test_remote_pieces, and so are the next ones",
        "xc-lambda deploy": "needs that", 'export PATH="$PWD/bin/lambda/ffmpeg:$PATH"': "needs that",
        "ENGINE=lambda ./excamera --decode there ../film.mp4 -o ../film.webm -j 800": "needs that",
        "make check-lambda": "is what runs this"}

    def commands(self):
        text = (ROOT / "docs/lambda.md").read_text()
        typed = re.findall(r"^    \$ ((?:.*\\\n)*.*)", text, re.M)
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
                       if name in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE") or not name.startswith("AWS_")}
        answers = f"{stack.KEY_ID}\n{stack.SECRET}\n{stack.REGION}\n\n".encode()
        done = harness.run("bash", "-c", "set -e -o pipefail\n" + "\n".join(self.commands()), cwd=clone,
                           env=environment, stdin=answers)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertRegex(done.stderr.decode(),
                         r"\Asplitting ...\nencoding ...\n(encoding: [^\n]+\n)*../film.webm: 48 frames, [^\n]+\n\Z")
        self.assertEqual(len(harness.our_frames(self.dir / "film.ivf")), self.film["frames"])
        harness.must("ffmpeg", "-v", "error", "-i", self.dir / "film.webm", self.dir / "film.yuv")
        self.assertEqual((self.dir / "film.yuv").stat().st_size, self.film["frames"] * 64 * 48 * 3 // 2)
        self.assertEqual((self.dir / "work/00000003-0.state").read_bytes()[:8], b"XCSTATE\n")
        self.assertEqual(self.inventory(), Account.nothing)
