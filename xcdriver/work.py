"""The work directory of a film, and the record of what has been done there."""
import fcntl
import json
import os
import shutil

from xcdriver import graph
from xcdriver.processes import Failure


class Work:
    """The directory that holds a film while it is encoded, locked against other runs, and its record."""

    def __init__(self, path, arguments, restart):
        self.path = path
        self.record_path = path / "record.json"
        # done: how many chunks, from the first on, are finished. film: the film's length, once it is known.
        self.record = {"arguments": arguments, "done": 0, "film": None, "aspect": None}
        path.mkdir(parents=True, exist_ok=True)
        if not self.record_path.exists() and set(os.listdir(path)) - {"lock", "record.tmp"}:
            raise Failure(f"{path}: contains files that excamera did not write")
        self.lock = open(path / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"{path}: another excamera is using this directory") from None
        if restart or not self.resume(arguments):
            self.empty()
            self.save()

    def resume(self, arguments):
        """Whether this run can continue an earlier one. If so, takes over its record."""
        if not self.record_path.exists():
            return False
        try:
            earlier = json.loads(self.record_path.read_text())
            other = [name for name, value in arguments.items() if earlier["arguments"].get(name) != value]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Failure(f"{self.record_path}: is damaged; --restart discards it") from None
        if other:
            raise Failure(f"{self.path}: belongs to an interrupted run with another {', '.join(other)}; "
                          "--restart discards it")
        if not arguments["input"] or not self.has_begun():
            return False
        self.record.update(earlier)
        return True

    def has_begun(self):
        """Whether encoding has begun, so that there may be more than raw pictures."""
        return (self.path / "excamera.mk").exists()

    def update(self, **changes):
        """Changes the record, in memory and on disk."""
        self.record.update(changes)
        self.save()

    def save(self):
        temporary = self.record_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.record, indent=4) + "\n")
        temporary.replace(self.record_path)

    def empty(self):
        """Removes everything except the lock and the record. The makefile goes first: if this is interrupted, the
        directory does not look as if encoding had begun."""
        (self.path / "excamera.mk").unlink(missing_ok=True)
        for path in self.path.iterdir():
            if path.is_dir():  # where the remote engines keep the digests of files
                shutil.rmtree(path)
            elif path not in (self.record_path, self.path / "lock"):
                path.unlink()

    def chunk(self, number):
        """The path of a chunk's raw pictures."""
        return self.path / graph.raw(number)

    def chunks(self):
        """The paths of all raw chunks that exist."""
        return list(self.path.glob(graph.RAW_PATTERN))

    def remove_chunks(self):
        """Removes the raw pictures of finished chunks."""
        for path in self.chunks():
            if graph.chunk_of(path.name) < self.record["done"]:
                path.unlink()

    def remove(self):
        """Removes the whole directory."""
        shutil.rmtree(self.path)
