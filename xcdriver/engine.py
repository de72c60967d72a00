# SPDX-License-Identifier: BSD-2-Clause
"""The engine that runs the steps, as the driver sees it: mk/engine-NAME.mk."""
import os

from xcdriver.places import ENGINES, ROOT
from xcdriver.processes import Failure, run

NAME = os.environ.get("ENGINE") or "local"
HAS_REFERENCES = NAME in ("lambda", "lambda-chunk")  # to what is made and read elsewhere; it takes no room here
REMOTE = os.path.join(os.environ.get("XC_LAMBDA_PROGRAMS") or ROOT / "bin/lambda", "xc-remote")  # as in lambda/run
REFERENCE = b"XCREF "  # what references begin with: lambda/reference.h
MOST_JOBS = 9999  # make hangs if it has more jobs than its pipe holds bytes, 65536


def is_reference(path):
    """Whether a file stands for another one, whose data are elsewhere."""
    with open(path, "rb") as stream:
        return stream.read(len(REFERENCE)) == REFERENCE


def jobs():
    """How many steps the engine runs at once, if it says so in the variable SLOTS; if not, one per core."""
    slots = ""
    if NAME != "local":
        try:
            slots = run(["make", "-s", "-f", str(ENGINES / f"engine-{NAME}.mk"), "--eval",
                         "print-slots: ; @echo $(SLOTS)", "print-slots",
                         "ENGINE_DIR=" + str(ENGINES).replace("$", "$$")]).strip()
        except Failure as failure:
            raise Failure(f"ENGINE={NAME} in the environment: {failure}") from None
    return min(int(slots), MOST_JOBS) if slots else len(os.sched_getaffinity(0))


class Messages:
    """What the engine says while make runs, apart from all else that is in the log: lines that begin with its name.
    They do not mean that a step has failed."""

    def __init__(self, log, on_message):
        self.log, self.on_message, self.seen = log, on_message, 0

    def pass_on(self):
        """Calls on_message(line) with each that is new."""
        data = os.pread(self.log.fileno(), os.fstat(self.log.fileno()).st_size - self.seen, self.seen)
        data = data[:data.rfind(b"\n") + 1]
        self.seen += len(data)
        for line in data.decode(errors="replace").splitlines():
            if line.startswith(f"engine-{NAME}: "):
                self.on_message(line)
