# SPDX-License-Identifier: BSD-2-Clause
"""Splitting the film into chunks, in the background."""
import contextlib
import os
import subprocess
import sys
import time

from xcdriver import engine, sound, sources, uploads
from xcdriver.damage import damage
from xcdriver.messages import Messages
from xcdriver.output import aspect_options
from xcdriver.processes import Failure, ending, failed, log_in_memory, started


class Reader:
    """The ffmpeg that reads the film, once for all sizes. It writes the tracks, too."""

    def __init__(self, source, work, sizes, stack):
        """sizes: filters that make each size of the film, as lists; None for a film that has one size. self.feeds has
        the pictures of each, as Y4M."""
        pipes = [os.pipe() for _ in sizes or []]
        self.feeds = [os.fdopen(feed, "rb") for feed, _ in pipes]
        ends = [end for _, end in pipes]
        command = sound.splitting_command(source, work.path) if sizes is None else sound.ladder_command(
            source, work.path, sizes, [f"pipe:{end}" for end in ends])
        try:
            self.process = stack.enter_context(started(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if sizes is None else subprocess.DEVNULL,
                stderr=subprocess.PIPE, pass_fds=[work.lock.fileno(), *ends]))
        finally:
            for end in ends:
                os.close(end)
        if sizes is None:
            self.feeds = [self.process.stdout]
        self.messages = Messages(self.process.stderr)


class Scenes:
    """How one size of a film gets its scenes: options for xc-split, and the descriptors in them. All sizes have the
    same, so that they have the same chunks and key frames: the largest one finds them."""

    def __init__(self, options=()):
        self.options, self.ends = list(options), []

    def tell(self, other):
        """Has xc-split tell that of another size. Returns how each calls its end of the pipe."""
        reading, writing = os.pipe()
        self.options += ["--scenes-to", f"/dev/fd/{writing}"]
        self.ends.append(writing)
        other.options += ["--scenes-from", f"/dev/fd/{reading}"]
        other.ends.append(reading)
        return f"/dev/fd/{writing}", f"/dev/fd/{reading}"


def scenes_of(splitters):
    """The Scenes of each size of a film; each but the last one tells those of the next smaller one."""
    if not splitters[0].work.layout.at_scenes:
        return [Scenes() for _ in splitters]
    order = sorted(splitters, key=lambda splitter: -splitter.source.picture_size)
    found = {splitter: Scenes() for splitter in order}
    found[order[0]].options.append("--scenes")
    for larger, smaller in zip(order, order[1:]):
        own, others = found[larger].tell(found[smaller])
        larger.partners[own], smaller.partners[others] = smaller, larger
    return [found[splitter] for splitter in splitters]


class Splitter:
    """Splits the film into chunks in the background, and has its tracks written. It stops at the latest when an
    ExitStack is closed. If an earlier run has left chunks, it continues after them; tracks are written anew."""

    def __init__(self, work, source, options):
        self.work, self.source, self.options, self.reader = work, source, options, None
        self.said, self.partners = b"", {}
        self.sizes, self.uploads = [], None  # the splitters of all sizes; see uploads.py
        self.written = 0  # the first chunk that is split off now

    def has_ended(self):
        """Whether an earlier run has done all of it."""
        return bool(self.film) and sound.are_settled(self.source, self.work)

    def begin(self, most, stack, reader, feed, scenes, makes_room):
        """most: at most so many chunks exist at a time; the splitter waits until some are removed. 0: no limit. reader:
        None if the film comes from standard input. feed: the pictures, as Y4M. scenes: options that say which scenes
        chunks end with, and descriptors that are among them. makes_room: whether chunks are uploaded at once."""
        if self.film:
            self.work.update(film=None)
        for path in self.work.path.glob("*.y4m.tmp*"):  # left by an xc-split that was killed
            path.unlink()
        self.written = self.first_missing()
        directory = self.work.path
        if makes_room:
            self.uploads = uploads.Uploads(self.work, self.written, most, self.batch_of, stack)
            directory, most = self.uploads.directory, min(most, uploads.MOST_HERE)
        cutting = ["xc-split", "-s", str(self.options.chunk), "-d", str(directory),
                   "--skip", str(self.written), *scenes.options,
                   *(["--at-most", str(most)] if most else []), "-"]
        self.log = stack.enter_context(log_in_memory())
        environment = {**os.environ, "XC_SUMS": str(self.work.raw_sums)}
        try:
            self.cutter = stack.enter_context(started(
                cutting, stdin=feed, stdout=subprocess.PIPE, stderr=self.log, env=environment,
                pass_fds=[self.work.lock.fileno(), *scenes.ends]))
        finally:
            for end in scenes.ends:
                os.close(end)
        os.set_blocking(self.cutter.stdout.fileno(), False)
        if reader:
            self.reader, self.messages = reader.process, reader.messages
            feed.close()  # if this process kept it open, ffmpeg would not notice that xc-split has ended

    @property
    def film(self):
        """What is known of the whole film; None until it has been split."""
        return self.work.record["film"]

    @property
    def film_start(self):
        """Seconds after which the pictures begin; None until that is known."""
        if self.film or not self.reader:
            return self.film["start"] if self.film else 0.
        first = self.messages.first_picture
        return None if first is None else self.source.timing.start(first)

    @property
    def frames(self):
        """The number of frames in the whole film; until it is known, an estimate or None."""
        return self.film["frames"] if self.film else self.source.frames

    def first_missing(self):
        """The number of the first chunk to split off. The last chunk of an earlier run is removed if it may be
        incomplete, because that run did not get to the end of the film. It always may where chunks end with scenes, or
        are not here."""
        done = end = self.work.record["done"]
        while self.work.chunk(end).exists():
            end += 1
        if end == done:
            return end
        whole, last = ends = [self.work.chunk(number) for number in (done, end - 1)]
        if end - 1 == done or self.work.layout.at_scenes or any(map(engine.is_reference, ends)) or (
                last.stat().st_size < whole.stat().st_size):
            end -= 1
            self.work.chunk(end).unlink()
        return end

    def is_at_work(self):
        """Whether chunks or tracks are still being written. If not, self.film is known."""
        has_ended = self.film or self.cutter.poll() is not None
        for size in self.sizes:  # of which none may hold up the others
            if size.uploads:
                size.uploads.advance()
        if self.film:
            return False
        self.listen()
        if not has_ended:
            return True
        if self.cutter.returncode:
            raise self.failure_to_cut()
        if self.uploads and not self.uploads.is_done:
            return True
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
        partner = next((one for name, one in self.partners.items() if said.startswith(f"xc-split: {name}:")), None)
        if partner and partner.cutter.wait():  # it has ended, since nobody is at the other end
            return partner.failure_to_cut()
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
        if said.unread and not self.options.allow_damaged:
            raise Failure(f"{self.source.name}: cannot be read to its end: {said.unread}; if this cannot be mended, "
                          "--allow-damaged takes what can be read")
        if self.reader.returncode or said.first_picture is None and not self.cutter.returncode:
            reasons = list(said.errors) or [ending("ffmpeg", self.reader.returncode)]
            raise Failure(f"{self.source.name}: cannot be converted: {'; '.join(reasons)}")

    def listen(self):
        """Takes in what xc-split has said so far: of each scene, its first chunk and frame."""
        with contextlib.suppress(BlockingIOError):
            while block := os.read(self.cutter.stdout.fileno(), 1 << 16):
                self.said += block
        *lines, rest = self.said.split(b"\n")
        told = [line.split() for line in lines if line.startswith(b"scene ")]
        if told:
            self.work.learn_scenes([[int(chunk), int(frame)] for _, chunk, _, frame in told])
        self.said = b"\n".join([*(line for line in lines if not line.startswith(b"scene ")), rest])

    def batch_of(self, chunk):
        """The batch of a chunk that has been split off."""
        self.listen()
        return self.work.layout.batch(chunk)

    def whole_film(self):
        """What the record says about the film. The tracks, to which it refers, are on disk for good."""
        summary = self.said.split()
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
        chunk = self.work.chunk(number)
        return self.work.record["aspect"] if engine.is_reference(chunk) else aspect_options(chunk)

    def wait_for(self, end, on_wait):
        """Waits until all chunks below `end` exist, or all chunks of a shorter film. Returns the number after the last
        of them. Calls on_wait() while it waits. Which of an earlier run's chunks begin scenes is known when one more
        chunk has been split off."""
        last = max(end - 1, self.written if self.work.layout.at_scenes else 0)
        while self.is_at_work() and not self.work.chunk(last).exists():
            time.sleep(0.2)
            on_wait()
        if self.film:
            return min(end, self.film["chunks"])
        self.listen()  # before xc-split gives a chunk its name, it says whether the next one begins a scene
        return end


def split(works, source, sources_of_sizes, sizes, options, most, makes_room, stack):
    """Begins to split a film, and returns a splitter for each of its sizes. works, sources_of_sizes: of each. sizes:
    see Reader; most, makes_room: see Splitter.begin()."""
    made = [Splitter(work, own, options) for work, own in zip(works, sources_of_sizes)]
    if all(splitter.has_ended() for splitter in made):
        return made
    if makes_room:
        uploads.check(works[0])
    reader = None if source.piped else Reader(source, works[0], sizes, stack)
    for splitter, feed, scenes in zip(made, reader.feeds if reader else [sys.stdin], scenes_of(made)):
        splitter.sizes = made
        splitter.begin(most, stack, reader, feed, scenes, makes_room)
    return made
