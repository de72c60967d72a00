# SPDX-License-Identifier: BSD-2-Clause
"""A step on this machine, as one of the hosts. It reads and writes the files themselves."""
import os

import files
from command import CANNOT_RUN, Failed, timeout
from errand import Errand, make_way
from files import look
from process import Process


class ErrandHere(Errand):
    """Like one to another host, but files are in place if they are no references."""

    def greet(self):
        pass

    def bring(self, file):
        """Has a file take the place of its reference."""
        if not file.step or any(self.fetch(other, file) for other in self.holders(file)):
            return
        lock = make_way(file)
        try:
            if look(file.name).step and not any(self.fetch(other, file) for other in self.holders(file)):
                self.make_anew(file.step)
        finally:
            os.close(lock)

    def fetch(self, other, file):
        """From a host. False if it does not give the whole file."""
        session, part = other.connection.open("get", file.identity), files.temporary(file.name)
        with open(part, "wb") as out:
            session.copy(out, file.size)
        if session.end() or os.path.getsize(part) != file.size:
            other.inventory.forget(file.identity)
            os.unlink(part)
            return False
        files.arrive(file.name, part, file.identity, like_before=True)
        return True

    def make_anew(self, step):
        """The new files are as old as those that they replace: make shall not take them for something new."""
        before = {name: os.stat(name) for name in step.outputs if os.path.exists(name)}
        for name in step.inputs:
            self.bring(look(name))
        process = Process(command(step), timeout())
        process.rest()
        if process.end():
            raise Failed(process.end(), process.messages())
        for name, status in before.items():
            os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns))

    def perform(self, step, finished):
        """Becomes the command, which holds the slot until it ends."""
        for name in step.inputs:
            self.bring(look(name))
        import signal  # slow to load, and not needed for other hosts
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.set_inheritable(self.lock, True)
        argv = command(step)
        try:
            os.execvp(argv[0], argv)
        except OSError as error:
            raise Failed(CANNOT_RUN[1], f"{argv[0]}: {os.strerror(error.errno)}\n".encode()) from None


def command(step):
    timed = os.environ.get("TIMINGS")
    return [*(["xc-timed", "--", timed, " ".join(step.outputs), " ".join(step.inputs)] if timed else []), *step.argv]
