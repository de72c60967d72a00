"""Starting and ending processes, and reporting what went wrong with them."""
import contextlib
import os
import shlex
import signal
import subprocess


class Failure(Exception):
    """A message for the user. The driver prints it and exits with status 1."""


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP has arrived. The argument is its number."""


@contextlib.contextmanager
def no_signals():
    """Ignores those three signals inside the block."""
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def started(argv, **more):
    """Starts a process that does not outlive the block, however the block ends. A process that still runs then is told
    to stop, and is killed if it does not within ten seconds."""
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
    """A file for the messages of commands. It is in memory, so that it can be written even when the disk is full."""
    return os.fdopen(os.memfd_create("log"), "w+", errors="replace")


def failed(commands, output):
    """The failure of a pipeline of commands, with what they printed."""
    pipeline = " | ".join(shlex.join(map(str, argv)) for argv in commands)
    return Failure(f"this command failed:\n  {pipeline}\n{output.strip()}")


def run(argv, **more):
    """Runs a command and returns its standard output. Raises Failure if its exit status is not 0."""
    with started(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more) as process:
        output, errors = process.communicate()
    if process.returncode:
        raise failed([argv], errors)
    return output
