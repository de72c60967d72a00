# SPDX-License-Identifier: BSD-2-Clause
"""A host by way of OpenSSH: one kept connection for several commands at once, and the worker there."""
import hashlib
import os

from command import timeout
from pool import RUN_FOLDER, Fault, Lost, locked
from process import Late, Process

WORKER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "worker")
SESSIONS = 8  # commands at once on a connection; by default, sshd allows ten
PATIENCE = 60  # seconds for what should take one

# A host that does not answer for 15 seconds is lost, and so is one that cannot be reached within ten.
OPTIONS = ("-T -x -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 "
           "-o ControlMaster=auto -o ControlPersist=60 -o LogLevel=ERROR").split()

# Where hosts keep their files, unless HOSTS_CACHE names another directory, and what may be in such a name.
CACHE = "${XDG_CACHE_HOME:-$HOME/.cache}/excamera"
PLAIN = "./@%+,:-_"


class Broken(Lost):
    """A connection has ended before its time. A new one may do better."""


def control_folder():
    """The directory of the sockets of kept connections. Names of sockets have to be short, so it is not the run
    folder. Nobody else may write there."""
    folder = f"{os.environ.get('XDG_RUNTIME_DIR') or '/tmp'}/xc-hosts-{os.getuid()}"
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.lstat(folder)
    if status.st_uid != os.getuid() or status.st_mode & 0o170077 != 0o040000:
        raise Fault(f"{folder}: is not a directory that only this user can enter; remove it")
    return folder


def cache_folder():
    """The directory of all files on a host, as its shell sees it."""
    folder = os.environ.get("HOSTS_CACHE") or CACHE
    if folder != CACHE and not all(c.isascii() and c.isalnum() or c in PLAIN for c in folder):
        raise Fault(f"HOSTS_CACHE: {folder}: may have letters, digits and {PLAIN} only")
    return folder


def options():
    """The user's options for ssh. They come first, and so take precedence."""
    given = os.environ.get("SSH_OPTIONS", "")
    if set(given) & set("'\"\\"):
        import shlex  # rarely needed, and slow to load
        return shlex.split(given)
    return given.split()


def quoted(word):
    """For a shell."""
    return "'" + word.replace("'", "'\\''") + "'"


class Session(Process):
    """A command on a host while it runs."""

    def line(self):
        """The next line that it prints. Raises Broken if there is none."""
        line = self.in_time(super().line)
        if not line.endswith(b"\n"):
            self.end()
            self.broken()
        return line[:-1].decode(errors="surrogateescape")

    def rest(self):
        return self.in_time(super().rest)

    def copy(self, out, size):
        self.in_time(super().copy, out, size)

    def in_time(self, method, *arguments):
        try:
            return method(*arguments)
        except Late:
            self.end()
            raise Lost("a step has taken too long there") from None

    def finish(self):
        """Waits for the end of a command that prints nothing more. Raises Broken if it fails."""
        if self.end():
            self.broken()

    def broken(self):
        said = self.messages().decode(errors="replace").strip().splitlines()
        raise Broken(said[-1] if said else "the connection has ended")


class Connection:
    """A host. `slot` is the number of the slot that asks: each few slots share a kept connection."""

    def __init__(self, host, slot, run):
        self.host, self.run, self.number = host, run, slot // SESSIONS
        self.known = f"{RUN_FOLDER}/known/{host.key}"
        os.makedirs(f"{RUN_FOLDER}/known", exist_ok=True)

    def control(self, number):
        name = hashlib.sha256(f"{os.getcwd()} {self.host.name}".encode(errors="surrogateescape")).hexdigest()[:16]
        return f"ControlPath={control_folder()}/{name}.{number}"

    def ssh(self, *words):
        return ["ssh", *options(), *OPTIONS, "-o", self.control(self.number), *words]

    def open(self, verb, *words, stdin=None):
        """Starts the worker on the host."""
        command = " ".join(["exec", "sh", *map(quoted, (self.worker(), verb, *words))])
        return Session(self.ssh(self.host.name, command), timeout(), stdin)

    def close(self):
        """Ends the kept connections."""
        for number in range(self.host.slots // SESSIONS + 1):
            if os.path.exists(self.control(number).partition("=")[2]):
                Process(["ssh", *options(), "-o", self.control(number), "-O", "exit", self.host.name], PATIENCE).end()

    # Getting acquainted

    def facts(self):
        """What the host said of itself in this run of make: (machine, path of the worker); None if it has not yet."""
        try:
            with open(self.known) as known:
                run, machine, worker = known.read().split("\n", 2)
                return (machine, worker) if run == self.run else None
        except FileNotFoundError:
            return None

    def machine(self):
        return self.facts()[0]

    def worker(self):
        return self.facts()[1]

    def greet(self, inventory, since=0):
        """Makes sure that the worker is on the host, and that what we know of the host is true. The first step of a run
        does it for all; once more if the last time was before `since`. Raises Lost."""
        lock = locked(f"{self.known}.lock")
        try:
            if not self.facts() or os.path.getmtime(self.known) < since:
                self.introduce(inventory)
        finally:
            os.close(lock)

    def introduce(self, inventory):
        """Puts the worker on the host. Returns the host's numbers: cores, KiB free, seconds since 1970."""
        with open(WORKER, "rb") as source:
            folder, name = cache_folder(), "worker-" + hashlib.sha256(source.read()).hexdigest()[:16]
            script = (f'cd && umask 077 && mkdir -p "{folder}" && cd "{folder}" && mkdir -p data tmp && '
                      f"cat >tmp/worker.$$ && mv tmp/worker.$$ {name} && exec sh ./{name} hello")
            os.lseek(source.fileno(), 0, os.SEEK_SET)
            session = Session(self.ssh(self.host.name, f"exec sh -c '{script}'"), PATIENCE, source.fileno())
        words = session.line().split(" ", 5)
        if words[0] != "hello":
            session.end()
            raise Lost(f"has another thing to say than expected: {' '.join(words)[:60]}")
        there = set(session.rest().decode().split())
        session.finish()
        inventory.replace(there)
        with open(f"{self.known}.new", "w", errors="surrogateescape") as known:
            known.write(f"{self.run}\n{words[1]}\n{words[5]}/{name}")
        os.replace(f"{self.known}.new", self.known)
        return [int(word) for word in words[2:5]]
