# SPDX-License-Identifier: BSD-2-Clause
"""Comparing finished chunks with the raw pictures that they were made from."""
import contextlib
import json
import os
import shutil
import subprocess
import threading

from xcdriver import graph
from xcdriver.processes import Failure, log_in_memory, reason, started

PEAK = 255 ** 2


def write_film(directory, chunks, descriptor):
    """Writes the raw pictures of some chunks to a pipe, as one Y4M film. Stops if nobody reads them."""
    with contextlib.suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as out:
        for number, chunk in enumerate(chunks):
            with open(directory / graph.raw(chunk), "rb") as stream:
                header = stream.readline()
                out.write(header if number == 0 else b"")
                shutil.copyfileobj(stream, out, 1 << 20)


class Comparison:
    """One run of xc-ssim over some chunks, the first of which begins with a key frame. It has to be closed."""

    def __init__(self, directory, chunks, lock):
        """lock: a descriptor that the processes inherit."""
        with contextlib.ExitStack() as stack:
            self.start(directory, chunks, lock, stack)
            self.close = stack.pop_all().close

    def start(self, directory, chunks, lock, stack):
        self.log, self.output = (stack.enter_context(log_in_memory()) for _ in range(2))
        merge = ["xc-merge", "--no-check", "-o", "-", *map(graph.finished, chunks)]
        merging = stack.enter_context(started(merge, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                              stderr=self.log, pass_fds=[lock]))
        reading, writing = os.pipe()
        measure = ["xc-ssim", "--psnr", "--json", "-2", "y4m", "-", f"/dev/fd/{reading}"]
        self.process = stack.enter_context(started(measure, stdin=merging.stdout, stdout=self.output, stderr=self.log,
                                                   pass_fds=[reading, lock]))
        merging.stdout.close()
        os.close(reading)
        threading.Thread(target=write_film, args=(directory, chunks, writing), daemon=True).start()

    def has_ended(self):
        return self.process.poll() is not None

    def frames(self):
        """The SSIM and the mean squared error of each picture's luma."""
        if self.process.returncode:
            self.log.seek(0)
            raise Failure(reason(self.log.read()) or "xc-ssim: failed")
        self.output.seek(0)
        return [(frame["y"], PEAK / 10 ** (frame["psnr_y"] / 10)) for frame in json.load(self.output)["frames"]]
