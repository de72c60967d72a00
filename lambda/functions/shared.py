# SPDX-License-Identifier: BSD-2-Clause
"""What all functions do: fetch files from the bucket, run a tool, store what it made, and leave /tmp as it was.

The names of the exceptions are what Step Functions decides by whether it tries again (xcdriver/asl.py)."""
import functools
import os
import pathlib
import re
import shutil
import subprocess

import boto3
import botocore.config
import botocore.exceptions

ROOT = pathlib.Path(os.environ.get("LAMBDA_TASK_ROOT", pathlib.Path(__file__).resolve().parent.parent))
SETTINGS = botocore.config.Config(
    retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=5, read_timeout=30)


class ToolFailed(Exception):
    """A tool refuses its input. Another attempt would end in the same way."""


class ToolKilled(Exception):
    """A tool was killed, as happens when it needs more memory than there is."""


class StoreRefused(Exception):
    """S3 does not have a file, or does not let us have it."""


class StoreFailed(Exception):
    """S3 cannot be reached, or has a fault that lasts."""


class NoRoom(Exception):
    """/tmp is full."""


@functools.lru_cache(maxsize=None)
def client(service):
    """boto3's client, made when it is needed and then kept: that takes longer than a request."""
    return boto3.client(service, config=SETTINGS)


def account_of(context):
    """The account that has to own the bucket: that of the function, as its ARN says."""
    arn = str(getattr(context, "invoked_function_arn", None)).split(":")
    return {"ExpectedBucketOwner": arn[4]} if len(arn) > 5 and arn[4].isdecimal() else {}


def code_of(error):
    """S3's name of an error, and the HTTP status."""
    return str(error.response["Error"].get("Code")), error.response["ResponseMetadata"]["HTTPStatusCode"]


class Store:
    """The bucket. Requests that may succeed later are repeated by boto3, at growing and partly random intervals."""

    def __init__(self, bucket, context):
        self.bucket, self.owner = bucket, account_of(context)

    def call(self, method, key, **arguments):
        """One request about an object; returns the answer."""
        try:
            return getattr(client("s3"), method)(Bucket=self.bucket, Key=key, **self.owner, **arguments)
        except botocore.exceptions.ClientError as error:
            self.refuse(key, error)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.HTTPClientError) as error:
            raise StoreFailed(f"{key}: {error}") from error

    def refuse(self, key, error):
        """Raises what an error that S3 answers means for us."""
        code, status = code_of(error)
        if code == "404" or code.startswith("NoSuch"):
            raise StoreRefused(f"{key}: is not in bucket {self.bucket}") from error
        if status in (400, 401, 403, 405):
            raise StoreRefused(f"{key}: S3 answers {code} for bucket {self.bucket}") from error
        if status in (409, 412):  # of a condition, for put_if
            raise error
        raise StoreFailed(f"{key}: S3 answers {code}") from error

    def put_if(self, key, body, **condition):
        """Writes an object under S3's condition, IfNoneMatch or IfMatch; returns whether it was fulfilled."""
        for _ in range(8):
            try:
                self.call("put_object", key, Body=body, **condition)
                return True
            except botocore.exceptions.ClientError as error:
                if code_of(error)[1] == 412:
                    return False  # 409 says that another request for the key is under way
        raise StoreFailed(f"{key}: other requests are always in the way")

    def head(self, key):
        """What S3 knows of an object, or None if there is none."""
        try:
            return self.call("head_object", key)
        except StoreRefused as error:
            if error.__cause__.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise


class Work(Store):
    """The bucket, and a directory in /tmp for the files of one event, used as a context manager.

    Lambda gives an environment one event at a time. What is there when an event comes was left by one whose time ran
    out, so it is removed."""

    def __enter__(self):
        self.directory = pathlib.Path(os.environ.get("TMPDIR", "/tmp"), "excamera-function")
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def path(self, key):
        return self.directory / key.rpartition("/")[2]

    def fetch(self, *keys):
        """Downloads files. boto3 checks their bytes, and begins anew when a connection breaks."""
        for key in keys:
            try:
                client("s3").download_file(self.bucket, key, str(self.path(key)), ExtraArgs=self.owner)
            except botocore.exceptions.ClientError as error:
                self.refuse(key, error)
            except (boto3.exceptions.Boto3Error, botocore.exceptions.BotoCoreError,
                    botocore.exceptions.HTTPClientError) as error:
                raise StoreFailed(f"{key}: {error}") from error
            except OSError as error:
                raise NoRoom(f"{key}: {error.strerror}; the function needs more ephemeral storage") from error

    def run(self, tool, *arguments):
        """Runs a tool of the package in the directory. Arguments that are keys are given as names of files there."""
        names = [str(argument).rpartition("/")[2] for argument in arguments]
        settings = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("XC_")}
        done = subprocess.run([ROOT / "tools" / tool, *names], cwd=self.directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env={**settings, "TMPDIR": str(self.directory), "LC_ALL": "C"})
        said = done.stderr.decode(errors="replace").strip()
        if said:
            print(said)  # to the function's log
        if done.returncode < 0:
            raise ToolKilled(f"{tool}: was killed by signal {-done.returncode}, as happens when it needs more memory "
                             "than there is")
        if done.returncode:
            raise ToolFailed(line_of(tool, said) or f"{tool}: exit status {done.returncode}")

    def store(self, key):
        """Uploads a file that a tool made."""
        with open(self.path(key), "rb") as body:
            self.call("put_object", key, Body=body)


def line_of(tool, said):
    """The line that tells why a tool failed, among what it said."""
    lines = [re.sub(r"[^\x20-\x7e]", "?", line)[:500] for line in said.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(f"{tool}: ")), lines[-1] if lines else None)
