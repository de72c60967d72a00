# SPDX-License-Identifier: BSD-2-Clause
"""Splitting the film into chunks, in the background."""
import subprocess
import sys
import time

from xcdriver import graph, sound, sources
from xcdriver.damage import damage
from xcdriver.messages import Messages
from xcdriver.output import aspect_options
from xcdriver.processes import Failure, ending, failed, log_in_memory, started


class Splitter:
    """Splits the film into chunks in the background, and writes its tracks. It stops at the latest when the ExitStack
    `stack` is closed. If an earlier run has left chunks, it continues after them; tracks are written anew."""

    def __init__(self, work, source, chunk_frames, most, stack, allow_damaged=False):
        """most: at most so many chunks exist at a time; the splitter waits until some are removed. 0: no limit."""
        self.work, self.source, self.allow_damaged = work, source, allow_damaged
        self.most = most
        if self.film and sound.are_settled(source, work):
            return
        if self.film:
            work.update(film=None)
        for path in work.path.glob("*.y4m.tmp*"):  # left by an xc-split that was killed
            path.unlink()
        cutting = ["xc-split", "-s", str(chunk_frames), "-d", str(work.path), "--skip", str(self.first_missing()),
                   *(["--at-most", str(most)] if most else []), "-"]
        self.log = stack.enter_context(log_in_memory())
        self.reader, feed = None, sys.stdin
        if not source.piped:
            feed = self.start_reader(stack)
        self.cutter = stack.enter_context(self.start(cutting, feed, self.log))
        if self.reader:
            feed.close()  # if this process kept it open, ffmpeg would not notice that xc-split has ended

    def start(self, argv, feed, log):
        return started(argv, stdin=feed, stdout=subprocess.PIPE, stderr=log, pass_fds=[self.work.lock.fileno()])

    def start_reader(self, stack):
        self.reader = stack.enter_context(self.start(sound.splitting_command(self.source, self.work.path),
                                                     subprocess.DEVNULL, subprocess.PIPE))
        self.messages = Messages(self.reader.stderr)
        return self.reader.stdout

    @property
    def film(self):
        """What is known of the whole film; None until it has been split."""
        return self.work.record["film"]

    @property
    def frames(self):
        """The number of frames in the whole film; until it is known, an estimate or None."""
        return self.film["frames"] if self.film else self.source.frames

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
        """Whether chunks or tracks are still being written. If not, self.film is known."""
        if self.film or self.cutter.poll() is None:
            return not self.film
        if self.cutter.returncode:
            raise self.failure_to_cut()
        if self.reader and self.reader.poll() is None:  # a track is longer than the video
            return True
        if self.reader:
            self.check_reader()
        self.work.update(film=self.whole_film())
        return False

    def failure_to_cut(self):
        """Why xc-split failed. If it complains about its input, ffmpeg knows more about that."""
        self.log.seek(0)
        said = "".join(line for line in self.log if line.startswith("xc-split: "))
        said = said or ending("xc-split", self.cutter.returncode)
        if not self.reader or not said.startswith("xc-split: -:"):
            return failed([self.cutter.args], said)
        try:
            self.reader.wait(10)
        except subprocess.TimeoutExpired:  # it goes on with sound
            self.reader.terminate()
            self.reader.wait()
        self.check_reader()
        reason = self.messages.first_error or said.strip()
        return Failure(f"{self.source.name}: has no picture that ffmpeg can decode: {reason}")

    def check_reader(self):
        """Raises Failure if ffmpeg failed in a way that another run, or the user, can mend."""
        self.messages.finish()
        said = self.messages
        if said.unwritten:
            raise Failure(f"{self.work.path}: ffmpeg cannot write there: {said.unwritten}")
        if said.unread and not self.allow_damaged:
            raise Failure(f"{self.source.name}: cannot be read to its end: {said.unread}; if this cannot be mended, "
                          "--allow-damaged takes what can be read")
        if self.reader.returncode or said.first_picture is None and not self.cutter.returncode:
            reasons = list(said.errors) or [ending("ffmpeg", self.reader.returncode)]
            raise Failure(f"{self.source.name}: cannot be converted: {'; '.join(reasons)}")

    def whole_film(self):
        """What the record says about the film. The tracks, to which it refers, are on disk for good."""
        summary = self.cutter.stdout.read().split()
        film = {"chunks": int(summary[1]), "frames": int(summary[3]), "start": 0, "damage": None, "digests": {},
                "empty": []}
        if self.reader:
            film["start"] = self.source.timing.start(self.messages.first_picture)
            film["damage"] = damage(self.source, self.messages, film)
            film.update(sound.settle(self.source, self.work))
        return film

    chunks_from = sources.GivenChunks()

    def aspect(self, number):
        """Options for ffmpeg that tell the aspect ratio of a chunk, which has been split off."""
        return aspect_options(self.work.chunk(number))

    def has_split_all(self, on_wait):
        """Waits until the whole film has been split, or as much of it as may exist at a time. Returns whether it is the
        whole film. Calls on_wait() while it waits."""
        self.wait_for(self.work.record["done"] + self.most if self.most else graph.LAST_CHUNK, on_wait)
        return bool(self.film)

    def wait_for(self, end, on_wait):
        """Waits until all chunks below `end` exist, or all chunks of a shorter film. Returns the number after the last
        of them. Calls on_wait() while it waits."""
        while self.is_at_work() and not self.work.chunk(end - 1).exists():
            time.sleep(0.2)
            on_wait()
        return min(end, self.film["chunks"]) if self.film else end
