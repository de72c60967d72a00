# SPDX-License-Identifier: BSD-2-Clause
"""Cutting the film into pieces, in place of splitting it into raw chunks. Its tracks are written in the background."""
import os
import subprocess
import time

from xcdriver import cut, graph, sound, sources
from xcdriver.damage import damage
from xcdriver.messages import Messages
from xcdriver.output import aspect_options
from xcdriver.processes import Failure, attempt, ending, run, started

LISTS = ("hls", "dash", "concat", "rtsp", "rtp", "sdp")  # formats that are other films, one after another
FIRST = "first.y4m"  # the first chunk, as the steps will make it


def check(source):
    """Raises Unfit if one of the reasons is known before anything is read."""
    if source.piped or not os.path.isfile(source.name):
        raise cut.Unfit("it is no file")
    if source.format.get("format_name") in LISTS:
        raise cut.Unfit("it is a list of other films")
    if source.telecined:
        raise cut.Unfit("its 3:2 pulldown is undone from its beginning on")
    if source.edits.trim or source.edits.filters:
        raise cut.Unfit("it is to be changed (--trim, --crop, --scale, --filter)")


def write_plans(work, film, names):
    """Writes the plan of each chunk. Returns, for each, the names of the pieces that it needs."""
    decoder, needed = run(["xc-unpack", "--decoder"]).strip(), []
    for chunk in range(film.chunks):
        ends_batch = work.layout.begins(chunk + 1) or chunk + 1 == film.chunks
        text, (first, last) = film.plan(chunk, 0 if ends_batch else graph.AFTER, decoder)
        path = work.path / sources.plan(chunk)
        if not path.exists() or path.read_text() != text:  # or make would take it for something new
            path.write_text(text)
        needed.append(names[first:last + 1])
    return needed


def prove(work, source, pieces, frames):
    """Makes the first chunk from its pieces, and compares it with what one run of ffmpeg over the film makes. Raises
    Unfit if it is something else."""
    status, _, errors = attempt(["xc-unpack", "-o", FIRST, sources.plan(0), *pieces], cwd=work.path)
    if status:
        raise cut.Unfit(errors.strip() or ending("xc-unpack", status))
    with started(sound.picture_command(source, "-frames:v", str(frames)), stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                 pass_fds=[work.lock.fileno()]) as process, open(work.path / FIRST, "rb") as first:
        whole, same = process.stdout.buffer, True
        while same and (block := first.read(1 << 20)):
            same = whole.read(len(block)) == block
        if not same or whole.read(1):
            raise cut.Unfit("its first piece does not decode to its first pictures")


class Cutter:
    """Like a Splitter, but of pieces and plans, all of which are there from the beginning."""

    def __init__(self, work, source, chunk_frames, stack):
        """Raises Unfit if the film cannot be cut, or would not come out the same."""
        self.work, self.source, self.reader = work, source, None
        check(source)
        self.cut = cut.Film(source, *cut.read_packets(source), chunk_frames)
        needed = write_plans(work, self.cut, cut.cut(self.cut, work.path))
        prove(work, source, needed[0], min(chunk_frames, self.frames))
        self.chunks_from = sources.Pieces(needed)
        self.options = aspect_options(work.path / FIRST)
        (work.path / FIRST).unlink()
        if not self.film or not sound.are_settled(source, work):
            self.read_tracks(stack)

    def read_tracks(self, stack):
        self.work.update(film=None)
        command = [*sound.reading(self.source), *sound.track_outputs(self.source, self.work.path)]
        self.reader = stack.enter_context(started(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                  stderr=subprocess.PIPE, pass_fds=[self.work.lock.fileno()]))
        self.messages = Messages(self.reader.stderr)

    @property
    def film(self):
        """See Splitter."""
        return self.work.record["film"]

    @property
    def film_start(self):
        """See Splitter."""
        return float(self.cut.begin / self.source.timing.rate) + self.source.timing.shift

    @property
    def frames(self):
        """The number of frames in the whole film."""
        return self.cut.end - self.cut.begin

    def aspect(self, _number):
        """See Splitter."""
        return self.options

    def is_at_work(self):
        """Whether tracks are still being written. If not, self.film is known."""
        if self.film or self.reader.poll() is None:
            return not self.film
        self.messages.finish()
        if self.messages.unwritten:
            raise Failure(f"{self.work.path}: ffmpeg cannot write there: {self.messages.unwritten}")
        if self.reader.returncode or self.messages.unread:
            reason = self.messages.unread or "; ".join(self.messages.errors) or ending("ffmpeg", self.reader.returncode)
            raise Failure(f"{self.source.name}: its tracks cannot be read: {reason}")
        film = {"chunks": self.cut.chunks, "frames": self.frames, "damage": None, "start": self.film_start}
        film["damage"] = damage(self.source, self.messages, film)
        self.work.update(film={**film, **sound.settle(self.source, self.work)})
        return False

    def wait_for(self, end, on_wait):
        """See Splitter. All chunks can be made at once; only the end of the film has to wait for the tracks."""
        while end >= self.cut.chunks and self.is_at_work():
            time.sleep(0.2)
            on_wait()
        return min(end, self.cut.chunks)
