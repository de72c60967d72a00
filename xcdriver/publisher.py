# SPDX-License-Identifier: BSD-2-Clause
"""The output of --segments: a directory with a WebM segment for each batch and for the sound beside it, and the
playlist, which names what is there for good. It grows while the rest of the film is encoded."""
import functools
import math
import os
import pathlib
import re

from xcdriver import graph, ivf, playlists, proof
from xcdriver.cut import half_up
from xcdriver.processes import Failure
from xcdriver.segments import PART, Sound, Video, blocks, publish_file
from xcdriver.sound import milliseconds

OWN = re.compile(rf"(film\.(m3u8|mpd)|(video|track)(-\d+)?(\.m3u8|-(init|\d{{8}})\.webm))({re.escape(PART)})?")
LATE = 10  # seconds by which a film's sound may come later in its file than its pictures


def check_output(output):
    """Raises Failure if segments cannot be written to this directory, or if it has other files."""
    try:
        if not output.exists():
            if not pathlib.Path(os.path.realpath(output)).parent.is_dir():
                raise Failure(f"{os.path.realpath(output.parent)}: no such directory")
            output.mkdir()
            output.rmdir()
            return
        others = [name for name in sorted(os.listdir(output)) if not OWN.fullmatch(name)]
        if others:
            raise Failure(f"{output}: has other files than segments, such as {others[0]}; choose another directory")
        probe = output / f"film.mpd{PART}"
        probe.touch()
        probe.unlink()
    except NotADirectoryError:
        raise Failure(f"{output}: is no directory, which --segments needs for its files") from None
    except OSError as error:
        raise Failure(f"{output}: cannot be written: {error.strerror}") from None


class Publisher:
    """Publishes the batches of a film as they are finished, in all its sizes. What there is, is in the record of the
    work of the first one, which has the sound, too."""

    def __init__(self, rungs):
        self.work, self.options = rungs[0].work, rungs[0].options
        self.directory = self.options.output
        self.frames = self.options.chunk * self.work.layout.most
        self.ends = dict.fromkeys(rungs, 0)  # chunks before these do not change any more
        self.splitter = None
        self.videos = {rung: Video(self.directory, rung.work.path, playlists.Stream(
            "-".join(["video", *([rung.label] if rung.label else [])]), "video", "vp8")) for rung in rungs}
        self.sounds = [
            Sound(self.directory, self.work.path, playlists.Stream(f"track-{track.index}", "audio", track.format,
                                                                   track.language), self.work.path / track.file)
            for track in rungs[0].source.tracks]
        self.writers = [*self.videos.values(), *self.sounds]
        self.shift = 0
        self.resume(self.work.record.get("segments"))

    def resume(self, record):
        """Goes on after the segments that an earlier run has published, if all of them are there."""
        streams = [record["streams"][writer.stream.name] for writer in self.writers] if record else []
        for writer, (_, pieces) in zip(self.writers, streams):
            pieces = [playlists.Piece(*piece) for piece in pieces]
            for number, piece in enumerate(pieces):
                path = self.directory / writer.stream.file(number)
                if not path.is_file() or path.stat().st_size != piece.size:
                    return
        for writer, (used, pieces) in zip(self.writers, streams):
            writer.used, writer.stream.pieces[:] = used, [playlists.Piece(*piece) for piece in pieces]
            self.shift = record["shift"]

    def save(self):
        self.work.update(segments={"shift": self.shift, "streams": {
            writer.stream.name: [writer.used, writer.stream.pieces] for writer in self.writers}})

    @functools.cached_property
    def rate(self):
        """That of standard input is known when a chunk has been made."""
        return ivf.header(self.work.path / graph.finished(0)).rate

    @property
    def batches(self):
        """How many are published."""
        return len(self.writers[0].stream.pieces)

    def time(self, frame, start):
        """When a frame is shown, in milliseconds after the beginning of the film."""
        return half_up(1000 * frame / self.rate) + milliseconds(start)

    def next_batch(self):
        """The chunks of the next batch to be published, if all of them are finished in all sizes."""
        batch, film = self.work.layout.numbered(self.batches), self.work.record["film"]
        first, stop = batch.start, min(batch.stop, film["chunks"] if film else graph.LAST_CHUNK)
        is_finished = first < stop and all(stop <= end and all(map(rung.work.is_finished, range(first, stop)))
                                           for rung, end in self.ends.items())
        return range(first, stop) if is_finished else None

    def has_sound(self, time, split):
        """Whether the sound before this time is there. A track may have none: this is certain when the film has been
        read to its end, and likely when its pictures have been read much further."""
        if self.work.record["film"]:
            return True
        return all(sound.reaches(time) or split >= time + 1000 * LATE for sound in self.sounds)

    def advance(self, rung, end, frames_split):
        """Publishes the batches that are finished. Of a size, no chunk before `end` changes any more. frames_split: how
        far the film has been read."""
        self.ends[rung] = end
        film = self.work.record["film"]
        start = film["start"] if film else self.splitter.film_start
        while start is not None and (chunks := self.next_batch()):
            first, end = map(self.work.layout.frame, (chunks.start, chunks.stop))
            frames = (min(end, film["frames"]) if film else end) - first
            time = self.time(first + frames, start)
            if not self.has_sound(time, self.time(frames_split, start)):
                return
            self.publish(chunks, first, frames, start, time)

    def publish(self, chunks, first_frame, frames, start, end):
        """Publishes a batch. See Video.publish."""
        if not first_frame:
            self.begin(milliseconds(start))
        for rung, video in self.videos.items():
            video.publish(chunks, first_frame, frames, milliseconds(start), end, self.shift, rung.work.record["aspect"])
        for sound in self.sounds:
            sound.publish(end, self.shift)
        self.save()
        self.write(False)

    def begin(self, start):
        """Removes what another film has left, the playlist first. As in a single file, nothing has a time below 0: the
        first packet of Opus would have one. start: of the pictures, in milliseconds."""
        self.directory.mkdir(exist_ok=True)
        found = [path for path in self.directory.iterdir() if OWN.fullmatch(path.name)]
        for path in sorted(found, key=lambda path: path.suffix == ".webm"):
            path.unlink()
        self.shift = -min(0, start, *(sound.first_time() for sound in self.sounds))

    def write(self, is_complete):
        streams = [writer.stream for writer in self.writers if writer.stream.pieces]
        for rung, video in self.videos.items():
            video.stream.shape = ivf.header(rung.work.path / graph.finished(0))
        longest = math.ceil(self.frames / self.rate) + 1  # for a cluster of sound
        for name, text in playlists.TEXTS[self.options.segments](streams, longest, is_complete):
            publish_file(self.directory / name, lambda out, text=text: out.write(text.encode()))

    def finish(self, progress):
        """Publishes the rest, when all chunks are finished. Returns how many frames the film has."""
        progress.note("publishing the last segments")
        film = self.work.record["film"]
        for rung in self.ends:
            self.advance(rung, film["chunks"], film["frames"])
        if self.batches < len(self.work.layout.batches(film["chunks"])):
            raise Failure(f"{self.work.path}: lacks finished chunks; the same command makes them")
        layout = self.work.layout
        end = layout.frame(layout.batch(film["chunks"] - 1).start)  # the last batch may be shorter than others
        while any(sound.has_more() for sound in self.sounds):  # it is longer than the pictures
            end += self.frames
            for sound in self.sounds:
                sound.publish(self.time(end, film["start"]), self.shift)
        self.save()
        self.write(True)
        for rung, video in self.videos.items() if self.options.verify else []:
            progress.begin("verifying", film["frames"])
            self.verify(rung, video.stream, progress)
        return film["frames"]

    def verify(self, rung, stream, progress):
        joined = rung.work.path / "joined.webm"
        names = [stream.init, *map(stream.file, range(len(stream.pieces)))]
        with open(joined, "wb") as out:
            for name in names:
                out.writelines(blocks(self.directory / name, 0, math.inf))
        proof.verify(joined, rung.work, rung.options, progress)
        joined.unlink()

    def extent(self, rung):
        """Of a size, with the sound: the bytes of all files, and the kilobits per second of all segments. Playlists
        count where they name no other sizes."""
        writers = [self.videos[rung], *self.sounds]
        others = [video.stream.name for video in self.videos.values() if video is not self.videos[rung]]
        size = sum(path.stat().st_size for path in self.directory.iterdir() if not others or (
            path.suffix == ".webm" and not path.name.startswith(tuple(f"{name}-" for name in others))))
        pieces = [piece for writer in writers for piece in writer.stream.pieces]
        return size, 8 * sum(piece.size for piece in pieces) / max(piece.end for piece in pieces)
