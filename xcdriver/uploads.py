# SPDX-License-Identifier: BSD-2-Clause
"""Raw chunks that make room: each is here only until it is where the steps run. Then a reference stands for it."""
import contextlib
import os
import subprocess

from xcdriver import engine, files, graph
from xcdriver.output import aspect_options
from xcdriver.processes import Failure, ending, log_in_memory, reason, run, started

# So many raw chunks of a size are here at most: sixteen on their way (lambda/uploads.c), and those that come next.
MOST_HERE = 20


def check(work):
    """Raises Failure if the steps could not run where chunks are sent to. Else the user would hear of it only when all
    chunks of a segment are there."""
    if not os.access(engine.REMOTE, os.X_OK):
        raise Failure(f"{engine.REMOTE}: is not there; make lambda builds it")
    run([engine.REMOTE, "check"], cwd=work.path)


class Uploads:
    """Those of one size. A raw chunk is sent as soon as it is whole, and becomes a reference to what was sent. As such
    it moves to the work directory, which never has a chunk before the ones before it. An interruption costs nothing
    but the raw chunks that are here, and these are split off again."""

    def __init__(self, work, first, most, batch_of, stack):
        """first: the first chunk that is split off. most: of this many chunks, references are in the work directory at
        a time; 0: no limit. batch_of: the batch of a chunk that has been split off. stack: its end stops them."""
        self.work, self.most, self.batch_of = work, most, batch_of
        self.directory = work.outgoing
        self.directory.mkdir()
        self.following = first  # the chunk that is sent next
        self.sent = {}  # of each that is on its way or waits for one before it: the process, its log, its end
        self.environment = {**os.environ, "XC_LAMBDA_RUN": f"uploads-{os.getpid()}"}  # so they share connections
        stack.callback(self.stop)

    def stop(self):
        with contextlib.ExitStack() as ends:
            for _, _, end in self.sent.values():
                ends.push(end)

    def path(self, chunk):
        return self.directory / graph.raw(chunk)

    @property
    def is_done(self):
        """Whether nothing is left of all that xc-split has written, once it has ended."""
        return not self.sent and not self.path(self.following).exists()

    def advance(self):
        """Does what can be done without waiting."""
        while self.path(self.following).exists() and not (
                self.most and self.work.chunk(self.following - self.most).exists()):
            self.send(self.following)
            self.following += 1
        for process, log, _ in self.sent.values():
            if process.poll():
                log.seek(0)
                raise Failure(reason(log.read()) or ending(engine.REMOTE, process.returncode))
        while self.sent and self.sent[min(self.sent)][0].returncode == 0:
            self.move(min(self.sent))

    def send(self, chunk):
        batch = self.batch_of(chunk)
        if self.work.record["aspect"] is None:  # all chunks of a film have the same header
            self.work.update(aspect=aspect_options(self.path(chunk)))
        where = {"XC_LAMBDA_BATCH": f"{self.work.layout.most} 0 {batch.start}"}  # lambda/place.h
        with contextlib.ExitStack() as end:
            log = end.enter_context(log_in_memory())
            process = end.enter_context(started(
                [engine.REMOTE, "store", f"{self.directory.name}/{graph.raw(chunk)}"], cwd=self.work.path,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**self.environment, **where},
                pass_fds=[self.work.lock.fileno()]))
            self.sent[chunk] = process, log, end.pop_all()

    def move(self, chunk):
        """Gives a reference, which is on the disk, its place."""
        self.sent.pop(chunk)[2].close()
        files.sync(self.path(chunk))
        os.replace(self.path(chunk), self.work.chunk(chunk))
