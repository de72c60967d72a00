# SPDX-License-Identifier: BSD-2-Clause
"""A command of the makefile, as the programs that stand before it see it."""
import os
import sys

from pool import Fault, Lost
from process import SIGKILL, SIGNALLED

PROGRAMS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../mk/tool-programs")
CANNOT_RUN = (126, 127)  # exit statuses for a program that cannot be executed, or whose libraries are missing
INTERRUPTED = SIGNALLED + 2
TIMEOUT = 3600  # seconds that a step may take


class Step:
    """A command, and the files that it writes and reads."""

    def __init__(self, outputs, inputs, argv):
        self.outputs, self.inputs, self.argv = outputs, inputs, argv


class Failed(Exception):
    """The command itself has failed: (exit status, what it printed)."""


def find_program(name):
    """The path of a program, as the shell would find it."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if "/" not in name else [""]:
        path = os.path.join(folder or ".", name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise Failed(CANNOT_RUN[1], f"{name}: not found\n".encode())


def programs_of(tool):
    """A step's tool, and the programs that it runs itself: a line of mk/tool-programs has first a tool, then these."""
    with open(PROGRAMS) as lines:
        return next((words for words in map(str.split, lines) if words[0] == os.path.basename(tool)), [tool])


def judge(status, program, said):
    """A command has failed elsewhere. Raises Lost if the reason is that machine's, otherwise Failed."""
    last = (said.decode(errors="replace").strip().splitlines() or ["it cannot be executed"])[-1]
    if status in CANNOT_RUN:
        raise Lost(f"cannot run {program}: {last}; tools that run anywhere: make static")
    if status == SIGNALLED + SIGKILL:
        raise Lost(f"{program} was killed there, perhaps for want of memory")
    if status > SIGNALLED:
        said += f"{program}: ended by signal {status - SIGNALLED}\n".encode()
    raise Failed(status, said)


def timeout():
    """How long a step may take."""
    text = os.environ.get("STEP_TIMEOUT") or str(TIMEOUT)
    if not text.isdecimal() or not int(text):
        raise Fault(f"STEP_TIMEOUT: {text}: is not a number of seconds")
    return int(text)


def main(engine, run):
    """A program with the arguments OUTPUTS INPUTS FINISHED COMMAND [ARGUMENT]... Shows the command as make would, has
    run(step, finished, say) run it, and returns the exit status."""
    def say(text):
        os.write(2, f"{engine}: {text}\n".encode(errors="surrogateescape"))

    outputs, inputs, finished, *argv = sys.argv[1:]
    if "s" not in os.environ.get("MAKEFLAGS", "").split(" ")[0]:
        print(" ".join(argv), flush=True)
    try:
        find_program(argv[0])
        run(Step(outputs.split(), inputs.split(), argv), finished.split(), say)
    except Failed as failed:
        os.write(2, failed.args[1])
        return failed.args[0]
    except KeyboardInterrupt:
        return INTERRUPTED
    except (Fault, Lost) as fault:
        return complain(fault)
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    return 0


def complain(why):
    """The program cannot go on. (What begins with the engine's name is no failure.)"""
    os.write(2, f"{os.path.basename(sys.argv[0])}: {why}\n".encode(errors="surrogateescape"))
    return 1
