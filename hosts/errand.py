# SPDX-License-Identifier: BSD-2-Clause
"""A step on a host: what it needs is brought there, what is wanted here comes back."""
import os
import time

import files
from command import find_program, judge, programs_of
from files import look
from pool import RUN_FOLDER, Fault, Lost, locked
from ssh import Connection

ATTEMPTS = 5  # to have a step's files on the host when it begins; others may crowd them out


def make_way(file):
    """Locked while a file is made anew, by whoever needs it first."""
    return locked(f"{RUN_FOLDER}/making/{file.identity}")


class Errand:
    """What steps have to do with a host, on one of its slots. `pool` has the other hosts, too."""

    def __init__(self, pool, host, slot, lock=None):
        self.pool, self.host, self.slot, self.lock = pool, host, slot, lock
        self.connection = Connection(host, slot, pool.run)
        self.inventory = files.Inventory(host)
        self.begun, self.said = time.time(), b""

    def greet(self):
        """Makes sure that the host can be reached. Raises Lost."""
        self.connection.greet(self.inventory)
        self.pool.found(self.host)

    def is_back(self):
        """Whether the host can be reached again after its connection has ended; if not, it is lost."""
        try:
            self.connection.greet(self.inventory, since=self.begun)
            return True
        except Lost:
            return False

    # Bringing what is needed

    def send(self, file, source):
        """Puts on the host what can be read from the descriptor `source`. False if that is not the whole file."""
        session = self.connection.open("put", file.identity, str(file.size), stdin=source)
        said, status = session.rest(), session.end()
        if said.startswith(b"full"):
            raise Lost("its disk is full")
        if status and not said.startswith(b"broken"):
            session.broken()
        if not status:
            self.inventory.note(file.identity, file.name)
        return not status

    def holders(self, file):
        """Errands to the other hosts that have a file."""
        for host in self.pool.hosts:
            other = not host.here and host is not self.host and Errand(self.pool, host, self.slot % host.slots)
            if other and other.inventory.has(file.identity) and self.pool.is_usable(host):
                try:
                    other.greet()
                except Lost as lost:
                    self.pool.lose(host, lost)
                if other.inventory.has(file.identity):
                    yield other

    def bring(self, file):
        """Makes sure that the host has a file. At most one step brings the same file to the same host."""
        lock = locked(f"{RUN_FOLDER}/making/{self.host.key}.{file.identity}")
        try:
            if self.inventory.has(file.identity):
                return
            if file.step:
                self.bring_from_elsewhere(file)
                return
            with open(file.name, "rb") as source:
                if not self.send(file, source.fileno()):
                    raise Fault(f"{file.name}: changed while it was being used")
        finally:
            os.close(lock)

    def bring_from_elsewhere(self, file):
        """What no host has any more is made anew, where it is needed, on the slot that we have already."""
        if any(self.relay(other, file) for other in self.holders(file)):
            return
        lock = make_way(file)
        try:
            if not any(self.relay(other, file) for other in self.holders(file)):
                self.run(file.step)
        finally:
            os.close(lock)

    def relay(self, other, file):
        """From another host to this one. False if the other does not give it."""
        session = other.connection.open("get", file.identity)
        try:
            whole = self.send(file, session.output)
        finally:
            session.end()
        if not whole:
            other.inventory.forget(file.identity)
        return whole

    # The step itself

    def perform(self, step, finished):
        """Runs a step for make. Those of its outputs that are `finished` come here, of the others references."""
        self.greet()
        for name, identity, size, part in self.run(step, finished):
            if part:
                files.arrive(name, part, identity)
            else:
                files.write_reference(name, identity, size, step)
        os.write(2, self.said)

    def run(self, step, finished=()):
        """Runs a step. Returns name, identity and size of each output, and for those that are `finished` the temporary
        file in which it has come here."""
        timed = os.environ.get("TIMINGS")
        inputs = [look(name) for name in step.inputs]
        ours = look(find_program(step.argv[0]))
        needed = [step.argv[0], *programs_of(step.argv[0])[1:], *(["xc-timed"] if timed else [])]
        programs = [self.program_there(name) for name in needed]
        outputs = {name: files.identity_of_output(name, step, ours, inputs) for name in step.outputs}
        words = [*(word for program in programs for word in ("-x", program.identity, os.path.basename(program.name))),
                 *(word for file in inputs for word in ("-i", file.identity, file.name)),
                 *(word for name, identity in outputs.items() for word in ("-o", identity, name)),
                 *(word for name in finished for word in ("-s", name)),
                 *self.cleaning(finished),
                 *(["-t"] if timed else []), *(["-z"] if files.are_states_compressed() else []), "--",
                 *(["xc-timed", "--", ".timings", " ".join(step.outputs), " ".join(step.inputs)] if timed else []),
                 os.path.basename(step.argv[0]), *step.argv[1:]]
        for _ in range(ATTEMPTS):
            for file in [*programs, *inputs]:
                if not self.inventory.has(file.identity):
                    self.bring(file)
            answer = self.ask(words, step.argv[0])
            if answer:
                return self.take(*answer, outputs, finished)
        raise Lost("does not keep what it gets")

    def program_there(self, name):
        """The program for the host's kind of machine."""
        path, machine = find_program(name), self.connection.machine()
        if machine == os.uname().machine:
            return look(path)
        folder = os.environ.get(f"XC_TOOLS_{machine}")
        if not folder:
            raise Lost(f"is another kind of machine; XC_TOOLS_{machine} has to name the directory of tools for it")
        return look(os.path.join(folder, os.path.basename(name)))

    def cleaning(self, finished):
        """Whenever a chunk is finished, what the host has in vain is deleted there."""
        useless = self.inventory.useless() if finished else []
        for identity in useless:
            self.inventory.forget(identity)
        return [word for identity in useless for word in ("-f", identity)]

    def ask(self, words, program):
        """Has the worker run a command. Returns the session and the sizes of the outputs, or None if the host lacked
        something after all."""
        session = self.connection.open("step", *words)
        verdict, *numbers = session.line().split()
        if verdict == "done":
            return session, list(map(int, numbers))
        session.end()
        if verdict == "full":
            raise Lost("its disk is full")
        if verdict == "failed":
            judge(int(numbers[0]), os.path.basename(program), session.messages())
        for identity in numbers:
            self.inventory.forget(identity)
        return None

    def take(self, session, sizes, outputs, finished):
        """What comes of a command that has succeeded."""
        times, size_of, parts = session.line(), dict(zip(outputs, sizes)), {}
        for name in finished:
            parts[name] = files.temporary(name)
            with open(parts[name], "wb") as part:
                session.copy(part, size_of[name])
        if session.end() or any(os.path.getsize(part) != size_of[name] for name, part in parts.items()):
            session.broken()
        self.said = session.messages()
        for name, identity in outputs.items():
            self.inventory.note(identity, name)
        if times:
            with open(os.environ["TIMINGS"], "a") as log:
                log.write(times + "\n")
        return [(name, identity, size_of[name], parts.get(name)) for name, identity in outputs.items()]
