"""Splitting the film into chunks, in the background."""
import os
import subprocess
import sys
import time

from xcdriver.processes import failed, log_in_memory, started


class Splitter:
    """Splits the film into chunks in the background. It stops at the latest when the ExitStack `stack` is closed. If an
    earlier run has left chunks, it continues after them."""

    def __init__(self, work, source, chunk_frames, most, stack):
        """most: at most so many chunks exist at a time; the splitter waits until some are removed. 0: no limit."""
        self.work = work
        self.estimate = source.frames
        if self.film:
            return
        for path in work.path.glob("*.y4m.tmp*"):  # left by an xc-split that was killed
            path.unlink()
        first = self.first_missing()
        self.commands = [*source.y4m_commands(), ["xc-split", "-s", str(chunk_frames), "-d", str(work.path), "--skip",
                                                  str(first), *(["--at-most", str(most)] if most else []), "-"]]
        self.log = stack.enter_context(log_in_memory())
        self.processes, feed = [], sys.stdin if source.piped else open(os.devnull)
        for argv in self.commands:
            process = started(argv, stdin=feed, stdout=subprocess.PIPE, stderr=self.log, pass_fds=[work.lock.fileno()])
            self.processes.append(stack.enter_context(process))
            feed.close()  # if this process kept it open, the writer would not notice that the reader has ended
            feed = self.processes[-1].stdout

    @property
    def film(self):
        """The number of chunks and frames in the whole film; None until it is known."""
        return self.work.record["film"]

    @property
    def frames(self):
        """The number of frames in the whole film; until it is known, an estimate or None."""
        return self.film["frames"] if self.film else self.estimate

    def first_missing(self):
        """The number of the first chunk to split off. The last chunk of an earlier run is removed if it may be
        incomplete, because that run did not get to the end of the film."""
        done = end = self.work.record["done"]
        while self.work.chunk(end).exists():
            end += 1
        if end == done:
            return end
        whole, last = (self.work.chunk(number).stat().st_size for number in (done, end - 1))
        if end - 1 == done or last < whole:
            end -= 1
            self.work.chunk(end).unlink()
        return end

    def is_at_work(self):
        """Whether chunks are still being split off. If not, self.film is known."""
        if not self.film and self.processes[-1].poll() is not None:
            summary = self.processes[-1].stdout.read().split()
            if any([process.wait() for process in self.processes]):
                raise failed(self.commands, self.reason())
            self.work.update(film={"chunks": int(summary[1]), "frames": int(summary[3])})
        return not self.film

    def reason(self):
        """Why splitting failed. If xc-split failed, messages of ffmpeg are left out: they only say that its output pipe
        is broken."""
        self.log.seek(0)
        said = self.log.read().splitlines()
        if self.processes[-1].returncode:
            said = [line for line in said if line.startswith("xc-split: ")]
        ends = [f"{argv[0]}: ended with status {process.returncode}"
                for argv, process in zip(self.commands, self.processes) if process.returncode]
        return "\n".join(said or ends)

    def wait_for(self, end, on_wait):
        """Waits until all chunks below `end` exist, or all chunks of a shorter film. Returns the number after the last
        of them. Calls on_wait() while it waits."""
        while self.is_at_work() and not self.work.chunk(end - 1).exists():
            time.sleep(0.2)
            on_wait()
        return min(end, self.film["chunks"]) if self.film else end
