# SPDX-License-Identifier: BSD-2-Clause
"""Comparing finished chunks with the raw pictures that they were made from."""
import contextlib
import json
import os
import shutil
import subprocess
import threading
import time

from xcdriver import graph, vmaf
from xcdriver.processes import Failure, log_in_memory, reason, started
from xcdriver.target import PEAK


def write_film(directory, chunks, descriptor):
    """Writes the raw pictures of some chunks to a pipe, as one Y4M film. Stops if nobody reads them."""
    with contextlib.suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as out:
        for number, chunk in enumerate(chunks):
            with open(directory / graph.raw(chunk), "rb") as stream:
                header = stream.readline()
                out.write(header if number == 0 else b"")
                shutil.copyfileobj(stream, out, 1 << 20)


def decoding(chunks, state):
    """The pipeline that writes the pictures of finished chunks to standard output. state: the file with the state
    before them; None: they begin with a key frame."""
    given = ["-S", state] if state else []
    return [["xc-merge", "--no-check", *given, "-o", "-", *map(graph.finished, chunks)],
            ["xc-decode", *given, "--y4m", "-"]]


class Comparison:
    """Compares some chunks by one metric, while the driver does other things. It has to be closed."""

    def __init__(self, work, chunks, metric, each, before=0, state=None, ahead=None):
        """work: the directory, its lock, and the layout. chunks: if there is no state, the first begins with a key
        frame. before: so many of them only lead to the others and are not compared. each: of VMAF, one in so many
        frames is measured: those whose numbers in the film are multiples of it. ahead: so many more frames are not
        compared by VMAF, and numbers begin with 0 after them."""
        first = work.layout.frame(chunks[before])
        self.metric, self.each, self.skip = metric, each, first - work.layout.frame(chunks[0])
        self.first, self.ahead = (first, 0) if ahead is None else (0, ahead)
        with contextlib.ExitStack() as stack:
            self.start(work, chunks, before, state, stack)
            self.close = stack.pop_all().close

    def start(self, work, chunks, before, state, stack):
        self.log, self.output = (stack.enter_context(log_in_memory()) for _ in range(2))
        lock, feed = work.lock.fileno(), subprocess.DEVNULL
        for argv in decoding(chunks, state):
            process = stack.enter_context(started(argv, cwd=work.path, stdin=feed, stdout=subprocess.PIPE,
                                                  stderr=self.log, pass_fds=[lock]))
            feed = process.stdout
            stack.callback(feed.close)
        reading, writing = os.pipe()
        if self.metric == "vmaf":
            raw = chunks[before:]
            argv = vmaf.command((self.skip + self.ahead, self.ahead), self.first, self.each, (0, reading))
        else:
            argv, raw = ["xc-ssim", "--psnr", "--json", "-1", "y4m", "-2", "y4m", "-", f"/dev/fd/{reading}"], chunks
        self.process = stack.enter_context(started(argv, stdin=feed, stdout=self.output, stderr=self.log,
                                                   pass_fds=[reading, lock]))
        os.close(reading)
        threading.Thread(target=write_film, args=(work.path, raw, writing), daemon=True).start()

    def has_ended(self):
        return self.process.poll() is not None

    def frames(self):
        """Of each frame the loss, which is how far the metric is from perfect, and for SSIM the mean squared error of
        the luma. For VMAF, only some frames are measured; see vmaf.figures()."""
        if self.process.returncode:
            self.log.seek(0)
            raise Failure(reason(self.log.read()) or f"{self.process.args[0]}: failed")
        self.output.seek(0)
        if self.metric == "vmaf":
            return vmaf.figures(self.output.read(), self.first, self.each)
        frames = json.load(self.output)["frames"][self.skip:]
        return [(1 - frame["y"], PEAK / 10 ** (frame["psnr_y"] / 10)) for frame in frames]


def compare(beginners, jobs, on_wait):
    """Runs comparisons, as many at a time as there are jobs and processors. beginners: functions that return one each.
    Returns what came of each, in their order."""
    waiting, running, done = list(enumerate(beginners)), {}, {}
    jobs = min(jobs, len(os.sched_getaffinity(0)))
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, begin = waiting.pop(0)
                running[number] = begin()
            for number in [number for number, one in running.items() if one.has_ended()]:
                done[number] = running[number].frames()
                running.pop(number).close()
            time.sleep(0.05 if running else 0)
            on_wait()
    finally:
        for one in running.values():
            one.close()
    return [frames for _, frames in sorted(done.items())]
