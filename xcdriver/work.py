# SPDX-License-Identifier: BSD-2-Clause
"""The work directory of a film, and the record of what has been done there."""
import contextlib
import fcntl
import json
import os
import shutil
import time

from xcdriver import engine, files, graph
from xcdriver.layout import FilmLayout
from xcdriver.makefile import SUMS
from xcdriver.processes import Failure, run

PATIENCE = 300  # seconds that a run waits for the processes of one that was killed


class Lock:
    """Keeps other runs out of a directory. All processes of a run inherit the lock, and hold it until they end, even if
    the driver is killed. The file names the driver that holds it."""

    def __init__(self, directory):
        self.directory = directory
        self.file = open(directory / "lock", "a+")
        end = time.monotonic() + PATIENCE
        while not self.taken():
            if self.holder_lives() or time.monotonic() > end:
                raise Failure(f"{directory}: another excamera is using this directory; wait for it, or end it")
            time.sleep(0.1)
        self.file.truncate(0)
        self.file.write(f"{os.getpid()}\n")
        self.file.flush()

    def taken(self):
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    def holder_lives(self):
        """Whether the driver that holds the lock still runs. If it does not, its processes will end soon."""
        self.file.seek(0)
        number = self.file.read().strip()
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            return False
        except (ValueError, OverflowError, PermissionError):
            pass
        return True

    def fileno(self):
        return self.file.fileno()


class Work:
    """The directory that holds a film while it is encoded, locked against other runs, and its record."""

    OWN_FILES = ("lock", "record.json", "record.old", "record.tmp")

    def __init__(self, path, arguments, restart, unsaid=()):
        """arguments: all that the output depends on. unsaid: names of those that the user has not chosen; an earlier
        run goes on with its own."""
        self.path = path
        self.outgoing = path / "upload"  # where raw chunks are that have to be uploaded (uploads.py)
        self.record_path = path / "record.json"
        # done: how many chunks, from the first on, are finished. film: the film's length, once it is known.
        self.record = {"arguments": arguments, "done": 0, "film": None, "aspect": None}
        if path.exists() and not path.is_dir():
            raise Failure(f"{path}: is no directory; choose another one with --work DIR")
        path.mkdir(parents=True, exist_ok=True)
        records = {"record.json", "record.old"}
        if not records & set(os.listdir(path)) and set(os.listdir(path)) - set(self.OWN_FILES):
            raise Failure(f"{path}: contains files that excamera did not write; choose another directory with --work")
        self.lock = Lock(path)
        # Here xc-split notes the checksums of raw pictures. The makefile has its own list for what it makes.
        self.raw_sums = path.resolve() / "raw.sums"
        os.environ["XC_SUMS"] = str(self.raw_sums)
        if restart or not self.resume(arguments, unsaid):
            self.layout = self.new_layout()
            self.empty()
            self.save()
        else:
            self.discard_damaged()

    def read_record(self):
        """The record of an earlier run; None if there is none. If a power cut has damaged it, the one before will do:
        what is in the directory counts."""
        damaged = None
        for name in ("record.json", "record.old"):
            try:
                record = json.loads((self.path / name).read_text())
                if {"arguments", "done", "film", "aspect"} <= record.keys() and record["arguments"].keys():
                    return record
                damaged = damaged or name
            except FileNotFoundError:
                pass
            except (ValueError, KeyError, TypeError, AttributeError):
                damaged = damaged or name
        if damaged:
            raise Failure(f"{self.path / damaged}: is damaged; --restart discards it")
        return None

    def new_layout(self):
        """The layout before any scene is known."""
        arguments = self.record["arguments"]
        return FilmLayout(arguments["batch"], arguments["chunk"], bool(arguments.get("scenes")))

    def resume(self, arguments, unsaid):
        """Whether this run can continue an earlier one. If so, takes over its record."""
        earlier = self.read_record()
        if earlier is None:
            return False
        arguments.update({name: earlier["arguments"].get(name) for name in unsaid})
        other = [name for name, value in arguments.items() if earlier["arguments"].get(name) != value]
        if other:
            raise Failure(f"{self.path}: belongs to an interrupted run with another {', '.join(other)}; "
                          "--restart discards it")
        if not arguments["input"] or not self.has_begun():
            return False
        self.record.update(earlier)
        self.layout = self.new_layout()
        self.learn_scenes(earlier.get("scenes", []))
        return True

    def learn_scenes(self, scenes):
        """Takes scenes that have been found into the layout, and into the record, which is saved with the next
        change."""
        self.layout = self.layout.with_scenes(scenes)
        if self.layout.at_scenes:
            self.record["scenes"] = self.layout.scenes

    def has_begun(self):
        """Whether encoding has begun, so that there may be more than raw pictures."""
        return (self.path / "excamera.mk").exists()

    def update(self, **changes):
        """Changes the record, in memory and on disk."""
        self.record.update(changes)
        self.save()

    def save(self):
        temporary = self.path / "record.tmp"
        if self.record_path.exists():  # and always does from then on: others read it
            shutil.copyfile(self.record_path, temporary)
            files.sync(temporary)
            os.replace(temporary, self.path / "record.old")
        temporary.write_text(json.dumps(self.record, indent=4) + "\n")
        files.sync(temporary)
        files.replace(temporary, self.record_path)

    def discard_damaged(self):
        """Removes the files that a power cut has left without their data, and what tools that were killed have left.
        What is missing then is made again."""
        for path in self.path.glob("*.tmp*"):
            path.unlink()
        shutil.rmtree(self.outgoing, ignore_errors=True)
        chunks = [path for path in sorted(self.chunks()) if not engine.is_reference(path)]
        for sums, paths in ((self.path / SUMS, [self.path]), (self.raw_sums, chunks)):
            listed = run(["xc-check", "--list", "--sums", sums, *paths]) if paths else ""
            for name in listed.splitlines():
                (self.path / name).unlink()
        lost = [chunk for chunk in range(self.record["done"]) if not self.is_finished(chunk)]
        if lost:
            self.update(done=self.layout.batch(lost[0]).start)
        self.discard_after_gap()

    def discard_after_gap(self):
        """Removes raw chunks that follow a missing one, since xc-split writes all from the first missing one on. If one
        is missing, the film has to be read again."""
        done, film = self.record["done"], self.record["film"]
        there = sorted(number for number in (graph.chunk_of(path.name) for path in self.chunks()) if number >= done)
        whole = [number for place, number in enumerate(there) if number == done + place]
        for number in there[len(whole):]:
            self.chunk(number).unlink()
        if film and done + len(whole) < film["chunks"]:
            self.update(film=None)

    def discard_references(self):
        """Removes references to raw chunks, whose pictures are needed here."""
        for path in self.chunks():
            if engine.is_reference(path):
                path.unlink()
        self.discard_after_gap()

    def is_finished(self, chunk):
        return (self.path / graph.finished(chunk)).exists()

    def empty(self):
        """Removes everything except the lock and the record. The makefile goes first: if this is interrupted, the
        directory does not look as if encoding had begun."""
        (self.path / "excamera.mk").unlink(missing_ok=True)
        for path in self.path.iterdir():
            if path.is_dir():  # what the remote engines keep there; a process of theirs may end now, and remove its own
                while path.exists():
                    with contextlib.suppress(FileNotFoundError):
                        shutil.rmtree(path)
            elif path.name not in self.OWN_FILES:
                path.unlink()

    def chunk(self, number):
        """The path of a chunk's raw pictures."""
        return self.path / graph.raw(number)

    def chunks(self):
        """The paths of all raw chunks that exist."""
        return list(self.path.glob(graph.RAW_PATTERN))

    def chunks_split(self):
        """How many chunks of the film have been split off."""
        return self.record["done"] + len(self.chunks())

    def remove_chunks(self):
        """Removes the raw pictures of finished chunks."""
        for path in self.chunks():
            if graph.chunk_of(path.name) < self.record["done"]:
                path.unlink()

    def remove(self):
        """Removes the whole directory. The record goes last: until then, a later run knows that it is ours."""
        self.empty()
        for name in sorted(self.OWN_FILES, key="record.json".__eq__):
            with contextlib.suppress(FileNotFoundError):
                (self.path / name).unlink()
        self.path.rmdir()
