# SPDX-License-Identifier: BSD-2-Clause
"""What ffmpeg is told: one run reads the film and writes its pictures, each of its tracks, and its metadata. All have
one clock, as in a single conversion. A second run puts the tracks beside the finished video.

Each track is a file of its own: in a common one, the order of packets would depend on threads of ffmpeg."""
import os
import tempfile
import typing
from fractions import Fraction

from xcdriver import pictures, webm
from xcdriver.files import digest
from xcdriver.messages import LEVEL
from xcdriver.processes import FFMPEG_MARKS, attempt, run

# Matroska has no negative times, but the first packet of Opus has one. So in the files of tracks, all times are later.
LATER = 60  # seconds
CONTAINERS = {".webm": "webm", ".mkv": "matroska"}  # that hold tracks beside the video
LATE = Fraction(1, 10)  # seconds
FILLING = "aresample=async=1"  # gaps of that length and more
METADATA = "film.ffmetadata"
# A muxer waits for the first packet of each stream. Such a long queue holds what comes before.
PATIENT = ["-max_muxing_queue_size", "1000000"]
# The same film gives the same bytes: no random numbers, no version of ffmpeg.
EXACT = ["-fflags", "+bitexact", "-flags", "+bitexact"]


# Has ffmpeg write sound soon after it has been read: in clusters of at most 0.2 s.
SOON = ["-cluster_time_limit", "200", "-flush_packets", "1"]


def container_of(output):
    """What ffmpeg calls the container of an output that holds tracks beside the video; None for IVF. What has no suffix
    is a directory of WebM segments."""
    return None if output.suffix.lower() == ".ivf" else CONTAINERS.get(output.suffix.lower(), "webm")


class Timing(typing.NamedTuple):
    """The frames that pictures are put on: at (number / rate) + shift, in seconds on ffmpeg's clock."""
    rate: Fraction
    shift: float
    begin: float = 0  # on that clock: what is shown then comes first

    def start(self, first_picture):
        """When the frame is shown that the first picture is put on, after the beginning."""
        number = round((first_picture - Fraction(f"{self.shift:.9f}")) * self.rate)
        return max(0., float(number / self.rate) + self.shift - self.begin) if self.begin else (
            float(number / self.rate) + self.shift)


class Track(typing.NamedTuple):
    """A track of the film that is kept."""
    index: int  # of the stream in the film
    kind: str   # "audio" or "subtitle"
    codec: str  # the encoder's name, or "copy"
    format: str = "opus"   # what comes of it
    language: str = None  # RFC 5646
    start: Fraction = None  # seconds on the film's own clock, if its headers say so
    filling: str = None  # a filter that puts silence where there is no sound

    @property
    def file(self):
        return f"track-{self.index}.mka"

    def options(self):
        """For ffmpeg: how to encode it. Opus supports these layouts of channels."""
        if self.kind == "subtitle":
            return ["-c:s", self.codec]
        if self.codec == "copy":
            return ["-c:a", "copy"]
        filters = ["aformat=channel_layouts=7.1|5.1|stereo|mono", *([self.filling] if self.filling else [])]
        return ["-c:a", self.codec, "-filter:a", ",".join(filters)]

    def filled(self, begin):
        """The track for players that jump over all that has no sound, pictures too. It is not copied if it begins later
        than the film. begin: when that begins, on its own clock."""
        is_late = self.start is not None and self.start - begin >= LATE
        codec, kind = ("libopus", "opus") if is_late else (self.codec, self.format)
        return self._replace(codec=codec, format=kind, filling=FILLING + (":first_pts=0" if is_late else ""))


def reading(source):
    """The beginning of each command that reads the film."""
    return ["ffmpeg", "-nostdin", "-hide_banner", *LEVEL, "-y", "-max_error_rate", "1", "-reinit_filter:v", "0",
            *source.edits.reading(), *source.input]


def picture_command(source, *options):
    """The command that writes the pictures to standard output, as Y4M. options: for this output."""
    return [*reading(source), "-filter_complex", pictures.graph(source), "-map", "[pictures]", "-r",
            str(source.timing.rate), *options, "-f", "yuv4mpegpipe", "-"]


def track_outputs(source, directory):
    """What a command needs besides, to write all else to the work directory."""
    command, part = [], source.edits.writing()
    soon = SOON if source.is_published else []
    for track in source.tracks:
        command += [*part, "-map", f"0:{track.index}", *track.options(), *EXACT, *PATIENT, *soon, "-output_ts_offset",
                    str(LATER), "-f", "matroska", f"file:{directory / track.file}"]
    return [*command, *part, "-map_metadata", "0", "-fflags", "+bitexact", "-f", "ffmetadata",
            f"file:{directory / METADATA}"]


def splitting_command(source, directory):
    """Both in one."""
    return [*picture_command(source), *track_outputs(source, directory)]


def ladder_command(source, directory, sizes, outputs):
    """The same for several sizes. sizes: filters for each, as lists. outputs: where ffmpeg writes the pictures of
    each."""
    command = [*reading(source), "-filter_complex", pictures.graph(source, sizes)]
    for number, output in enumerate(outputs):
        command += ["-map", f"[pictures{number}]", "-r", str(source.timing.rate), "-f", "yuv4mpegpipe", output]
    return [*command, *track_outputs(source, directory)]


def files(source, work):
    """The files of the tracks and of the metadata."""
    return [work.path / name for name in (*(track.file for track in source.tracks), METADATA)]


def is_empty(path):
    """Whether the film has nothing in this track. ffmpeg may leave a file then that it cannot read itself, so a failure
    of ffprobe is only believed if it fails again."""
    command = ["ffprobe", "-v", "quiet", "-read_intervals", "%+#1", "-show_entries", "packet=pts", "-of", "csv",
               f"file:{path}"]
    return not any(attempt(command).output for _ in range(2))


def settle(source, work):
    """Makes sure that these files are on disk for good. Returns what the record says about them: their digests, and
    which tracks are empty."""
    paths = files(source, work)
    for path in paths:
        with open(path, "rb") as stream:
            os.fsync(stream.fileno())
    return {"digests": {path.name: digest(path) for path in paths},
            "empty": [track.index for track in source.tracks if is_empty(work.path / track.file)]}


def are_settled(source, work):
    """Whether these files are there as the record has them."""
    digests = work.record["film"].get("digests", {})  # another version may have written the record
    return source.piped or all(path.is_file() and digest(path) == digests.get(path.name)
                               for path in files(source, work))


def kept_tracks(source, work):
    return [track for track in source.tracks if track.index not in work.record["film"]["empty"]]


def offset(path):
    """By how many milliseconds a track's packets have to be moved when ffmpeg copies them from their file to the
    output. When it reads Matroska, it subtracts the delay of the decoder, which before version 6 it does not add when
    it writes. A copy of the first packet shows how much that is: it is lost in the track's file, and again in the
    output."""
    with tempfile.TemporaryDirectory(prefix="excamera-") as directory:
        copy = os.path.join(directory, "copy.mka")
        run(["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", f"file:{path}", "-frames:a", "1", "-c", "copy", "-f",
             "matroska", f"file:{copy}"])
        return 2 * (webm.first_time(path) - webm.first_time(copy)) - 1000 * LATER


def milliseconds(start):
    """The unit of Matroska's times. Those of IVF are frames, so ffmpeg would round a film's start to whole frames if it
    were told of it as an offset of the input."""
    return round(1000 * start)


def joining_command(source, work, container, part):
    """The command that puts the video together with the tracks and the metadata."""
    tracks = kept_tracks(source, work)
    start = milliseconds(work.record["film"]["start"])
    inputs, maps = ["-i", f"file:{work.path}/film.ivf"], []
    for number, track in enumerate(tracks, 1):
        path = work.path / track.file
        inputs += ["-itsoffset", f"{(offset(path) - start) / 1000:.3f}", "-i", f"file:{path}"]
        maps += ["-map", f"{number}:0"]
    if not source.piped:
        inputs += ["-f", "ffmetadata", "-i", f"file:{work.path / METADATA}"]
        last = str(len(tracks) + 1)
        maps += ["-map_metadata", last, "-map_chapters", last]
    return ["ffmpeg", "-nostdin", *FFMPEG_MARKS, "-y", "-copyts", *inputs, "-map", "0:v", *maps, "-c", "copy",
            *work.record["aspect"], "-fflags", "+bitexact", "-output_ts_offset", f"{start / 1000:.3f}", "-f", container,
            f"file:{part}"]
