# SPDX-License-Identifier: BSD-2-Clause
"""Starting and ending processes, and reporting what went wrong with them."""
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import time
import typing

from xcdriver.places import IN_SOURCES, ROOT

# Variables that would change what make and ffmpeg do, although nobody has set them for this run.
STRANGE_VARIABLES = ("MAKEFLAGS", "GNUMAKEFLAGS", "MFLAGS", "MAKEFILES", "MAKELEVEL", "VPXENC", "REBASE",
                     "ANCHORED_OPTIONS", "PNG2Y4M_OPTIONS", "TIMINGS", "ENGINE_DIR", "LAMBDA_DIR", "WHOLE_CHUNKS",
                     "FFREPORT")

# Has ffmpeg mark its own messages. Libraries also print to standard error, such as the loader if it ignores LD_PRELOAD.
FFMPEG_MARKS = ["-v", "level+error"]
MARK = re.compile(r"\[(?:error|fatal|panic)\] ")

PACKAGES = {"ffmpeg": "ffmpeg", "ffprobe": "ffmpeg, which has it", "make": "GNU make"}

observers = []  # called with the argv of each command that is started

PR_SET_PDEATHSIG = 1  # from linux/prctl.h
LIBC = ctypes.CDLL(None)
DRIVER = os.getpid()


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


def prepare_environment():
    """Makes the environment, which all processes inherit, fit for a run."""
    for name in STRANGE_VARIABLES:
        os.environ.pop(name, None)
    os.environ["AV_LOG_FORCE_NOCOLOR"] = "1"


def open_standard_files():
    """Opens those of the descriptors 0 to 2 that are closed. A file that got such a number would be taken for standard
    input, output or error by the processes that are started."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def not_started(program, error):
    """The failure to start a program, with the mend."""
    if shutil.which(program):
        return Failure(f"{program}: cannot be started: {getattr(error, 'strerror', error)}")
    package = PACKAGES.get(program, program)
    mend = f"run make setup in {ROOT}, or install {package}" if IN_SOURCES else f"install {package}"
    return Failure(f"{program} is not installed; {mend}")


def end_with_parent():
    """Has the kernel tell this process to stop if the driver is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != DRIVER:  # it was killed before that call
        os._exit(1)


def has_ended(process):
    """Like process.poll(), without Popen's lock: a signal that came in the middle of process.wait() may have left it
    taken, and whoever waits for it waits for ever."""
    if process.returncode is None:
        try:
            number, status = os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:
            process.returncode = 0  # poll() was interrupted when it had just asked; nobody knows
        else:
            if number:
                process.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return process.returncode is not None


def end(process):
    """Tells a process to stop, kills it if it does not within ten seconds, and waits for its end."""
    process.terminate()
    begun, pause = time.monotonic(), 0.0005
    while not has_ended(process):
        if time.monotonic() > begun + 10:
            process.kill()
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


@contextlib.contextmanager
def started(argv, **more):
    """Starts a process that does not outlive the block, however the block ends. A process that still runs then is told
    to stop, and is killed if it does not within ten seconds."""
    for observe in observers:
        observe(argv)
    try:
        process = subprocess.Popen(argv, text=True, errors="replace", preexec_fn=end_with_parent, **more)
    except (OSError, subprocess.SubprocessError) as error:
        raise not_started(argv[0], error) from None
    try:
        yield process
    finally:
        with no_signals():
            end(process)


def log_in_memory():
    """A file for the messages of commands. It is in memory, so that it can be written even when the disk is full."""
    return os.fdopen(os.memfd_create("log"), "w+", errors="replace")


def ending(program, status):
    """How a process has ended that has not succeeded, in words."""
    if status >= 0:
        return f"{program}: ended with status {status}"
    return f"{program}: was killed by {signal.Signals(-status).name}"


def reason(text):
    """The last of the lines that a command has printed, which usually says why it failed."""
    return MARK.sub("", ([line.strip() for line in text.splitlines() if line.strip()] or [""])[-1])


def complaint(text):
    """The last error of an ffmpeg with FFMPEG_MARKS, or an empty string."""
    return reason("\n".join(filter(MARK.search, text.splitlines())))


def failed(commands, output):
    """The failure of a pipeline of commands, with what they printed."""
    programs = " | ".join(argv[0] for argv in commands)
    return Failure(reason(output) or f"{programs}: failed")


class Attempt(typing.NamedTuple):
    """What came of a command."""
    status: int
    output: str
    errors: str


def attempt(argv, **more):
    """Runs a command to its end."""
    with started(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more) as process:
        output, errors = process.communicate()
    return Attempt(process.returncode, output, errors)


def run(argv, **more):
    """Runs a command and returns its standard output. Raises Failure if its exit status is not 0."""
    status, output, errors = attempt(argv, **more)
    if status:
        raise failed([argv], errors or ending(argv[0], status))
    return output


def run_without_errors(argv):
    """Runs an ffmpeg with FFMPEG_MARKS, and returns its standard output. Raises Failure if its exit status is not 0 or
    if it complains."""
    status, output, errors = attempt(argv)
    said = complaint(errors)
    if status or said:
        raise Failure(said or reason(errors) or ending(argv[0], status))
    return output


def parse_json(argv, output):
    """What a command has printed as JSON. Some commands exit with 0 if they could not print all."""
    try:
        return json.loads(output)
    except ValueError:
        raise Failure(f"{argv[0]}: its answer is cut short") from None
