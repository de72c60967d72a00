"""Processes that the driver starts and ends, and how it says that something went wrong."""
import contextlib
import os
import shlex
import signal
import subprocess


class Failure(Exception):
    """What the user is told, on standard error, before the driver exits with status 1."""


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP came."""


@contextlib.contextmanager
def no_signals():
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def started(argv, **more):
    """A process that does not live on behind the block, however that ends: it is told to stop, and given the time to
    clean up behind itself."""
    try:
        process = subprocess.Popen(argv, text=True, errors="replace", **more)
    except FileNotFoundError:
        raise Failure(f"{argv[0]} is not installed") from None
    try:
        yield process
    finally:
        with no_signals():
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def log_in_memory():
    """A file for what commands say, which can be written even when the disk is full."""
    return os.fdopen(os.memfd_create("log"), "w+", errors="replace")


def failed(commands, output):
    pipeline = " | ".join(shlex.join(map(str, argv)) for argv in commands)
    return Failure(f"this failed:\n  {pipeline}\n{output.strip()}")


def run(argv, **more):
    """Runs a command to its end; returns what it wrote to standard output."""
    with started(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more) as process:
        output, errors = process.communicate()
    if process.returncode:
        raise failed([argv], errors)
    return output
