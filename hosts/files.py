# SPDX-License-Identifier: BSD-2-Clause
"""Which file is where. A file of the makefile is in its directory, or on hosts; then a reference stands for it here.

Files have identities: of what is made here, the SHA-256 of its bytes; of what a step makes on a host, the SHA-256 of
the step: its program, its arguments, the identities of its inputs. The same steps give the same bytes, so a file that
is made anew is the same file. A reference has the step in it, and so all that it takes to make the file anew."""
import errno
import hashlib
import itertools
import os

from command import Step
from pool import RUN_FOLDER, Fault

MAGIC = b"XCREF "  # any engine's reference begins so (mk/engine-local.mk)
OURS = b"XCREF xc-hosts fetch\n"
WORTH_KEEPING = 64 * 1024  # bytes; the digest of a smaller file is computed faster than it is written down
PIECE = 1024 * 1024
MANY = 500  # identities in a command line


class File:
    """What a name stands for: identity and size, and for a reference the step that makes it."""

    def __init__(self, name, identity, size, step=None):
        self.name, self.identity, self.size, self.step = name, identity, size, step

    @property
    def here(self):
        return self.step is None


def prepare():
    """Makes the parts of the run folder that are needed here."""
    for name in ("digests", "there", "making", "temporary"):
        os.makedirs(f"{RUN_FOLDER}/{name}", exist_ok=True)


def temporary(name):
    """A name for a file until it is complete."""
    return f"{RUN_FOLDER}/temporary/{os.path.basename(name)}.{os.getpid()}"


def write_whole(path, data):
    """Writes a file that appears whole or not at all."""
    part = temporary(path)
    with open(part, "wb") as out:
        out.write(data)
    os.replace(part, path)


def look(name):
    """The File of a name, which is in the directory of the makefile, or a program's path. Raises Fault."""
    try:
        with open(name, "rb") as source:
            start = source.read(len(OURS))
            if start == OURS:
                return read_reference(name, source.read())
            if start.startswith(MAGIC):
                raise Fault(f"{name}: is a reference of another engine, and its bytes are not here")
            status = os.fstat(source.fileno())
            return File(name, digest(name, source, status), status.st_size)
    except OSError as error:
        raise Fault(f"{name}: {os.strerror(error.errno)}") from None


def read_reference(name, text):
    """The rest of a reference: lines of a word and what it says; an argument has a line for itself."""
    fields = [line.split(" ", 1) for line in text.decode(errors="surrogateescape").splitlines()]
    try:
        (_, identity), (_, size), (_, outputs), (_, inputs), *arguments = fields
        step = Step(outputs.split(), inputs.split(), [argument for _, argument in arguments])
        return File(name, identity, int(size), step)
    except ValueError:
        raise Fault(f"{name}: is a damaged reference; delete it and make it again") from None


def write_reference(name, identity, size, step):
    lines = [f"identity {identity}", f"size {size}", f"outputs {' '.join(step.outputs)}",
             f"inputs {' '.join(step.inputs)}", *(f"argument {argument}" for argument in step.argv)]
    write_whole(name, OURS + "".join(line + "\n" for line in lines).encode(errors="surrogateescape"))


def record_of(name):
    return f"{RUN_FOLDER}/digests/" + name.replace("%", "%25").replace("/", "%2f")


def state_of(status):
    """All that changes when a file does."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def digest(name, source, status):
    """The identity of a file that is here. Of large files, and of those that came from a host, it is kept."""
    try:
        with open(record_of(name)) as record:
            identity, state = record.read().split(" ", 1)
            if state == state_of(status):
                return identity
    except (FileNotFoundError, ValueError):
        pass
    source.seek(0)
    running = hashlib.sha256()
    while piece := source.read(PIECE):
        running.update(piece)
    if status.st_size >= WORTH_KEEPING:
        keep_identity(name, running.hexdigest(), status)
    return running.hexdigest()


def keep_identity(name, identity, status):
    write_whole(record_of(name), f"{identity} {state_of(status)}".encode())


def are_states_compressed():
    """Whether tools are to write states so (docs/state-file.md)."""
    return os.environ.get("XC_COMPRESS_STATES") == "1"


def identity_of_output(name, step, program, inputs):
    """The identity of what a step writes as `name`. program: the File of its program; inputs: those of its inputs."""
    parts = [program.identity, *step.argv[1:], *(f"{file.name}={file.identity}" for file in inputs), name]
    if are_states_compressed():
        parts.append("compressed")
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def arrive(name, part, identity, like_before=False):
    """A file that has come from a host takes its place. like_before: it is as old as the reference that stood there, so
    that make does not take it for something new."""
    if like_before:
        status = os.stat(name)
        os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    status = os.stat(part)
    os.replace(part, name)
    keep_identity(name, identity, status)


class Inventory:
    """What a host has, as far as we know. It may have lost something since; it will say so."""

    def __init__(self, host):
        self.folder = f"{RUN_FOLDER}/there/{host.key}"
        os.makedirs(self.folder, exist_ok=True)

    def has(self, identity):
        return os.path.exists(f"{self.folder}/{identity}")

    def note(self, identity, name):
        with open(f"{self.folder}/{identity}", "w") as mark:
            mark.write(name)

    def forget(self, identity):
        try:
            os.unlink(f"{self.folder}/{identity}")
        except FileNotFoundError:
            pass

    def replace(self, identities):
        """The host has said all that it has."""
        known = set(os.listdir(self.folder))
        for identity in known - identities:
            self.forget(identity)
        for identity in identities - known:
            self.note(identity, "")

    def of_films(self):
        """Name and identity of all files there that are not programs."""
        for identity in os.listdir(self.folder):
            try:
                with open(f"{self.folder}/{identity}") as mark:
                    name = mark.read()
            except FileNotFoundError:
                continue
            if name and "/" not in name:
                yield name, identity

    def useless(self):
        """The identities of files there whose names stand for nothing any more, or for something else. Not too many
        for a command line."""
        found = (identity for name, identity in self.of_films() if not is_current(name, identity))
        return list(itertools.islice(found, MANY))


def is_current(name, identity):
    """Whether a name still stands for an identity; in doubt, yes."""
    try:
        with open(name, "rb") as source:
            return source.read(len(OURS)) != OURS or read_reference(name, source.read()).identity == identity
    except OSError as error:
        return error.errno != errno.ENOENT
    except Fault:
        return False
