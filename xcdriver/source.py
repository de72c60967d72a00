# SPDX-License-Identifier: BSD-2-Clause
"""The film that is to be encoded, and what has to be known of it."""
import functools
import os
import stat
import sys
from fractions import Fraction

from xcdriver import identity, pictures, rate, telecine, trial
from xcdriver.damage import COUNTS_PICTURES
from xcdriver.edits import Edits
from xcdriver.messages import ADDRESS
from xcdriver.processes import Failure, attempt, ending, parse_json
from xcdriver.sound import Timing
from xcdriver.streams import Choice, seconds

LARGEST = 16368  # columns and lines: XC_MAX_ENCODED in lib/include/excamera/picture.h
KNOWS_LENGTH = "mov,mp4,m4a,3gp,3g2,mj2"  # and here how long it is
TIMED = 0.9  # of the packets must have timestamps
PLACES, PACKETS, LEAST_PACKETS = 5, 300, 30  # in how many places of the film timestamps are looked at, how many there
MOST_READ = 1 << 28  # bytes of the film that are read for that
UNTIMED = ("yuv4mpegpipe", "image2", "rawvideo")  # have a constant rate, but no timestamps
CLOCK_MAY_START_AGAIN = ("mpegts", "mpeg", "hls", "concat", "flv", "rtsp")
LONGEST_STEP = 10  # seconds; after a longer one, ffmpeg takes the clock for another one (-dts_delta_threshold)


def real_name(name):
    """Where the film is, without "file:", which ffmpeg takes. For a program that this one starts, standard input is
    something else, so its links are followed. A pipe is refused: ffprobe and ffmpeg read the film one after the
    other."""
    name = name[len("file:"):] if name.startswith("file:") else name
    real = os.path.realpath(name) if name.startswith(("/dev/stdin", "/dev/fd/", "/proc/self/fd/")) else name
    try:
        mode = os.stat(real).st_mode
    except (OSError, ValueError):
        mode = 0
    if real.startswith(("pipe:", "fd:", "/proc/")) or any(
            is_kind(mode) for is_kind in (stat.S_ISFIFO, stat.S_ISSOCK, stat.S_ISCHR)):
        raise Failure(f"{name}: is a pipe, which can be read only once; save the film to a file, or write its pictures "
                      "to standard input: ffmpeg -i ... -pix_fmt yuv420p -f yuv4mpegpipe - | excamera - ...")
    return real


class Source:
    """The film that is to be encoded, and what ffprobe says about it."""

    def __init__(self, name, audio="all", fixed_rate=None, with_tracks=True, edits=Edits()):
        """audio: "all", "none", or the number of one track. fixed_rate: a frame rate, or None for that of the film.
        with_tracks: whether sound and subtitles are wanted at all. edits: what the user wants changed."""
        self.piped = name == "-"
        self.is_published = False  # while it is encoded
        self.edits = edits
        self.tracks = []
        self.notes = []  # lines for the user, before the work begins
        self.video = None
        self.frames = None  # an estimate of their number, or None
        self.picture_size = 0  # bytes
        self.end = None  # seconds from the start of the film to the end of its pictures, if its headers say so
        if self.piped:
            self.check_standard_input(fixed_rate)
        else:
            self.name = real_name(name)
            self.fixed_rate = fixed_rate
            # Without "file:", ffmpeg takes what comes before a colon as a protocol.
            is_odd = ":" in self.name or self.name == "-"
            url = f"file:{self.name}" if is_odd and os.path.exists(self.name) else self.name
            rates = ["-framerate", str(fixed_rate)] if fixed_rate and identity.is_sequence(self.name) else []
            self.input = [*rates, "-i", url]
            self.probe(audio, with_tracks)

    def publish(self):
        """Has its tracks written soon after they have been read, for segments, which hold no text."""
        self.is_published = True
        for track in [track for track in self.tracks if track.kind != "audio"]:
            self.tracks.remove(track)
            self.notes.append(f"{self.name}: without subtitle stream {track.index}: segments hold pictures and sound")
        if not self.piped:
            self.tracks = [track.filled(self.begin) for track in self.tracks]

    def protect(self, output):
        """Raises Failure if the output would replace the film or a part of it."""
        parts = [] if self.piped else identity.files(self.name)
        if os.path.exists(output) and any(
                part.exists() and (part.samefile(output) or part.resolve().parent.samefile(output)) for part in parts):
            raise Failure(f"{output}: is the film to be encoded, or a part of it; choose another name")

    def check_standard_input(self, fixed_rate):
        self.name = "standard input"
        if sys.stdin is None:
            raise Failure("standard input is closed")
        if sys.stdin.isatty():
            raise Failure("standard input: is a terminal, but - stands for Y4M that a program writes there")
        if fixed_rate:
            raise Failure("standard input: its frame rate is in the header of the Y4M; -r cannot change it")
        if self.edits != Edits():
            raise Failure("standard input: is encoded as it is; have the program that writes it trim, crop, scale and "
                          "filter")

    def probe(self, audio, with_tracks):
        found = self.ask("-show_streams", "-show_format", "-show_programs")
        if len(found.get("streams", [])) != found.get("format", {}).get("nb_streams"):  # it overlooks a failing write
            raise Failure("ffprobe: a part of its answer is lost")
        choice = Choice(self.name, self.input, found, audio, with_tracks)
        self.format, self.video, self.tracks, self.notes = found["format"], choice.video, choice.tracks, choice.notes
        if self.edits.trim:  # packets cannot be cut
            self.tracks = [track._replace(codec="libopus") if track.codec == "copy" else track for track in self.tracks]
        self.check_pictures()
        self.measure()
        if self.edits.filters:
            trial.settle_size(self)
        self.check_size()

    def ask(self, *options):
        """What ffprobe says about the film."""
        command = ["ffprobe", "-v", "error", "-of", "json", *options, *self.input]
        status, output, errors = attempt(command)
        if status:
            *details, reason = errors.strip().splitlines() or [ending("ffprobe", status)]
            raise Failure(reason + (f" ({ADDRESS.sub('', details[0])})" if details else ""))
        return parse_json(command, output)

    def check_pictures(self):
        width, height = self.video.get("width", 0), self.video.get("height", 0)
        if not width or not height:
            raise Failure(f"{self.name}: ffmpeg finds no picture in its video")
        self.size = width, height
        if pictures.has_alpha(self.video):
            self.notes.append(f"{self.name}: its transparency is dropped")
        if pictures.is_hdr(self.video) and not pictures.can_map_tones():
            self.notes.append(f"{self.name}: is HDR, and this ffmpeg lacks zscale or tonemap; colours will look pale")

    def check_size(self):
        width, height = self.size
        if max(width, height) > LARGEST:
            raise Failure(f"{self.name}: its pictures have {width}x{height} samples, and the encoder's limit is "
                          f"{LARGEST}x{LARGEST}; make them smaller with --scale")
        self.picture_size = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)

    def measure(self):
        """Finds the frame rate and the length of the film."""
        base, average = (rate.fraction(self.video.get(name)) for name in ("r_frame_rate", "avg_frame_rate"))
        self.begin = seconds(self.format.get("start_time")) or Fraction(0)
        start = seconds(self.video.get("start_time"))
        start = start - self.begin if start is not None else Fraction(0)
        self.pace = float(average or base or 25)  # pictures per second
        fps = self.fixed_rate or rate.choose(base, average, self.times)
        length = seconds(self.format.get("duration")) or 0
        self.telecined = not self.fixed_rate and telecine.telecined(self.input, self.video, fps, length)
        if self.telecined:
            fps *= Fraction(4, 5)
        shift = start % (1 / fps)
        if self.times and not self.telecined and not self.fixed_rate:
            shift = Fraction(rate.phase(self.times[0], fps, float(shift * fps))) / fps
        edits = self.edits  # with --trim, ffmpeg's clock may begin later
        shift = (shift - edits.seek) % (1 / fps) if edits.seek else shift
        self.timing = Timing(fps, float(shift), float(edits.begin - edits.seek))
        self.measure_length(start)

    def measure_length(self, start):
        """Of a film that is cut off, ffmpeg corrects the duration in some formats, but not how many pictures there
        were."""
        length = seconds(self.video.get("duration"))
        if self.format.get("format_name") == COUNTS_PICTURES and self.video.get("nb_frames"):
            length = Fraction(int(self.video["nb_frames"])) / Fraction(self.pace)
        total = length or seconds(self.format.get("duration"))
        if total and self.edits.begin >= total:
            raise Failure(f"{self.name}: ends after {float(total):.1f} s, before --trim begins")
        total = self.edits.shorten(total or None)
        self.frames = round(total * self.timing.rate) if total else None
        if length and self.format.get("format_name") in (COUNTS_PICTURES, KNOWS_LENGTH):
            self.end = self.edits.shorten(start + length)

    def sampled(self):
        """Which packets are looked at for their times, as ffprobe's option -read_intervals has it."""
        length = seconds(self.format.get("duration")) or 0
        places = [length * number / PLACES for number in range(PLACES)] if length > 60 else [0]
        size = int(self.format.get("bit_rate") or 0) / 8 / self.pace * len(places)
        packets = max(LEAST_PACKETS, min(PACKETS, int(MOST_READ / size))) if size else PACKETS
        return ",".join(f"{float(place + self.begin):.3f}%+#{packets}" if place else f"%+#{packets}"
                        for place in places)

    @functools.cached_property
    def times(self):
        """When pictures are shown, in seconds on ffmpeg's clock: some in each of a few places of the film. A list of
        runs on one clock; empty if the film does not say."""
        kind = self.format.get("format_name")
        if kind in UNTIMED:
            return []
        packets = self.ask("-select_streams", str(self.video["index"]), "-read_intervals", self.sampled(),
                           "-show_entries", "packet=pts_time,dts_time").get("packets", [])
        pairs = [[seconds(packet.get(name)) for name in ("pts_time", "dts_time")] for packet in packets]
        times = [(shown - self.begin, decoded if decoded is not None else shown) for shown, decoded in pairs
                 if shown is not None]
        if len(times) < len(packets) * TIMED:
            return []  # a raw stream
        return rate.runs(times, LONGEST_STEP if kind in CLOCK_MAY_START_AGAIN else None)

    def identity(self):
        """What distinguishes this film from another one. None for standard input, which can never be recognized."""
        if self.piped:
            return None
        return identity.identify(self.name, {key: self.format.get(key) for key in ("size", "duration")})
