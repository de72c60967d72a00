"""The directory where a film is while it is encoded, and what is known there about it."""
import fcntl
import json
import os
import shutil

from driver.processes import Failure


class Work:
    """The directory where the film is while it is encoded, and the record of what has been done there."""

    def __init__(self, path, arguments, restart):
        self.path = path
        self.record_path = path / "record.json"
        # done: so many chunks at the film's beginning; film: how long it is, once that is known
        self.record = {"arguments": arguments, "done": 0, "film": None, "aspect": None}
        path.mkdir(parents=True, exist_ok=True)
        if not self.record_path.exists() and set(os.listdir(path)) - {"lock", "record.tmp"}:
            raise Failure(f"{path}: has files in it that are not mine")
        self.lock = open(path / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"{path}: another excamera is at work there") from None
        if restart or not self.resume(arguments):
            self.empty()
            self.save()

    def resume(self, arguments):
        """Whether this run can go on with what an earlier one has left."""
        if not self.record_path.exists():
            return False
        try:
            earlier = json.loads(self.record_path.read_text())
            other = [name for name, value in arguments.items() if earlier["arguments"].get(name) != value]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Failure(f"{self.record_path}: is damaged; --restart throws it away") from None
        if other:
            raise Failure(f"{self.path}: is what an interrupted run with another {', '.join(other)} has left; "
                          "--restart throws it away")
        if not arguments["input"] or not self.has_begun():
            return False
        self.record.update(earlier)
        return True

    def has_begun(self):
        """Whether there is more than raw pictures."""
        return (self.path / "excamera.mk").exists()

    def update(self, **changes):
        self.record.update(changes)
        self.save()

    def save(self):
        temporary = self.record_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.record, indent=4) + "\n")
        temporary.replace(self.record_path)

    def empty(self):
        """Throws away everything but the lock and the record. If this is interrupted, nothing looks begun."""
        (self.path / "excamera.mk").unlink(missing_ok=True)
        for path in self.path.iterdir():
            if path.is_dir():  # in which the remote engines remember the digests of files
                shutil.rmtree(path)
            elif path not in (self.record_path, self.path / "lock"):
                path.unlink()

    def chunk(self, number):
        return self.path / f"{number:08d}.y4m"

    def chunks(self):
        """All that are there."""
        return list(self.path.glob("[0-9]" * 8 + ".y4m"))

    def remove_chunks(self):
        """The raw pictures of what is done."""
        for path in self.chunks():
            if int(path.stem) < self.record["done"]:
                path.unlink()

    def remove(self):
        shutil.rmtree(self.path)
