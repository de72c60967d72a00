# SPDX-License-Identifier: BSD-2-Clause
"""The film as it is, compressed, in pieces: the steps that make raw chunks decode what they need of them, wherever they
run. The film is cut at its key frames, and nothing of it is decoded for that. Each piece is named by its digest.

For each chunk there is a plan, a file of a few lines for xc-unpack: which pictures, and what is made of them. The
pictures are those that one run of ffmpeg over the whole film would make (sound.splitting_command), by the same filters
and on the same clock."""
import bisect
import filecmp
import math
import shutil
import typing
from fractions import Fraction

from xcdriver import pictures
from xcdriver.files import digest
from xcdriver.messages import ADDRESS
from xcdriver.processes import attempt, ending

LATER = 60  # seconds: the same number is in tools/unpack_ffmpeg.c
NAME_DIGITS = 40  # of the SHA-256
HIDES_PICTURES = "vp8"  # here some packets show nothing, and only their data say which
TURNS = {0: [], 90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}  # as ffmpeg does
# What frames inherit from their container, and NUT does not hold: the names of ffprobe and of the filter setparams.
INHERITED = {"color_range": "range", "color_primaries": "color_primaries", "color_transfer": "color_trc",
             "color_space": "colorspace"}


class Unfit(Exception):
    """Why a film cannot be cut into pieces: a text."""


class Packet(typing.NamedTuple):
    """What holds a picture. Times are those that ffmpeg gives it, in units of a stream's time base."""
    time: int
    duration: int
    size: int  # bytes
    is_key: bool


def half_up(number):
    """Rounds to the nearest whole number, halves away from 0."""
    return int(math.copysign(math.floor(abs(number) + Fraction(1, 2)), number))


def copying_command(source):
    """The command that copies the film's video without decoding it, up to its output."""
    return ["ffmpeg", "-nostdin", "-v", "error", *source.input, "-map", f"0:{source.video['index']}", "-c", "copy"]


def read_packets(source):
    """The time base of a film's video, and its packets in the order of decoding."""
    status, text, errors = attempt([*copying_command(source), "-f", "framecrc", "-"])
    if status or errors.strip():
        raise Unfit(ADDRESS.sub("", errors.strip().partition("\n")[0]) or ending("ffmpeg", status))
    base, packets = None, []
    for line in text.splitlines():
        if line.startswith("#tb 0: "):
            base = Fraction(line[len("#tb 0: "):])
        elif not line.startswith("#"):
            _, _, time, duration, size, _, *more = (field.strip() for field in line.split(","))
            if time == "NOPTS":
                raise Unfit("some of its pictures have no times")
            flags = [int(field[2:], 16) for field in more if field.startswith("F=")]
            packets.append(Packet(int(time), int(duration), int(size), not flags or bool(flags[0] & 1)))
    if not packets or len({packet.time for packet in packets}) < len(packets):
        raise Unfit("two of its pictures have the same time" if packets else "it has no pictures")
    return base, packets


def orientation(video):
    """The filters by which ffmpeg turns pictures upright."""
    turn = next((data["rotation"] for data in video.get("side_data_list", []) if "rotation" in data), 0)
    if -turn % 360 not in TURNS:
        raise Unfit(f"its pictures are turned by {turn} degrees")
    return TURNS[-turn % 360]


def filters(source):
    """The filters that make of each decoded picture what VP8 can hold. In a piece, ffmpeg cannot find the size of the
    film's first picture, and how it is turned and coloured, so this is said."""
    video = source.video
    turning = orientation(video)
    width, height = video["width"], video["height"]
    if turning and turning[0].startswith("transpose"):
        width, height = height, width
    known = [f"{name}={video[key]}" for key, name in INHERITED.items() if pictures.known(video.get(key), "")]
    _, *conversion = pictures.conversion(video, source.telecined, source.edits)
    return [*([f"setparams={':'.join(known)}"] if known else []), *turning, f"scale={width}:{height}:interl=-1",
            *conversion]


class Film:
    """Which pictures of a film, by their places among those that are shown, and which of its packets make a frame."""

    def __init__(self, source, base, packets, chunk_frames):
        self.source, self.base, self.packets = source, base, packets
        self.filters, self.chunk_frames = filters(source), chunk_frames
        self.order = sorted(range(len(packets)), key=lambda place: packets[place].time)
        self.times = [packets[place].time for place in self.order]
        self.frames = [self.frame(time) for time in self.times]
        last = packets[self.order[-1]]
        self.begin, self.end = self.frames[0], self.frame(last.time + last.duration)
        if last.duration <= 0:
            raise Unfit("how long its last picture is shown is not known")
        if self.end <= self.frames[-1]:
            raise Unfit("its last picture is shown for less than half a frame")
        if sum(packet.size for packet in packets) >= (self.end - self.begin) * source.picture_size:
            raise Unfit("its pieces would be as large as raw pictures")
        self.cuts = self.choose_cuts()

    def frame(self, time):
        """The number of the frame that a picture is put on, by the filters setpts and fps (pictures.graph). yadif has
        halved the time base before."""
        halves = 2 if any(name.startswith("yadif") for name in self.filters) else 1
        base = self.base / halves
        late = half_up(Fraction(float(time * halves) - float(f"{self.source.timing.shift:.9f}") / float(base)))
        return half_up(late * base * self.source.timing.rate)

    def choose_cuts(self):
        """The packets that pieces begin with: the first one, and key frames at least a chunk apart."""
        cuts, length = [0], self.chunk_frames / self.source.timing.rate / self.base
        for place, packet in enumerate(self.packets):
            if packet.is_key and packet.time >= self.packets[cuts[-1]].time + length:
                cuts.append(place)
        return cuts

    @property
    def chunks(self):
        return -((self.begin - self.end) // self.chunk_frames)

    def pictures_of(self, begin, end):
        """The first and the last picture that the frames from begin to end - 1 depend on: those that they show; for
        yadif the ones before and after, too; for fps, which repeats a picture until the next one, the one after."""
        first, last = (bisect.bisect_right(self.frames, frame) - 1 for frame in (begin, end - 1))
        return max(0, first - 1), min(len(self.times) - 1, last + 1)

    def pieces_of(self, first, last):
        """The numbers of the first and the last piece that these pictures are decoded from. Pictures that a key frame's
        packet precedes, although they are shown before it, are decoded from the piece before."""
        found = [bisect.bisect_right(self.cuts, self.order[place]) - 1 for place in range(first, last + 1)]
        begin = min(found)
        while begin and self.packets[self.cuts[begin]].time > self.times[first]:
            begin -= 1
        return begin, max(found)

    def is_open(self, piece):
        """Whether a piece has pictures that are shown before its key frame, and so may need those of the piece before
        (an open GOP)."""
        begin, end = self.cuts[piece], (*self.cuts, len(self.packets))[piece + 1]
        return any(packet.time < self.packets[begin].time for packet in self.packets[begin:end])

    def plan(self, chunk, more, decoder):
        """The text of a chunk's plan, and the numbers of the first and last piece that it needs. more: how many frames
        of the next chunk are to be made, too."""
        begin = self.begin + chunk * self.chunk_frames
        end = min(begin + self.chunk_frames, self.end)
        stop = min(end + min(more, self.chunk_frames), self.end)
        first, last = self.pictures_of(begin, stop)
        count = 0 if self.source.video.get("codec_name") == HIDES_PICTURES else last - first + 1
        pieces = self.pieces_of(first, last)
        ends = " end" if last == len(self.times) - 1 else ""
        opens = " open" if self.is_open(pieces[0]) else ""
        rate, base = (f"{number.numerator}/{number.denominator}" for number in (self.source.timing.rate, self.base))
        lines = ["excamera-plan 2", f"decoder {decoder}", f"base {base}",
                 f"pictures {self.times[first]} {self.times[last]} {count}{ends}{opens}",
                 f"filters {','.join(self.filters)}", f"shift {self.source.timing.shift:.9f}", f"rate {rate}",
                 f"frames {begin} {end} {stop}"]
        return "".join(line + "\n" for line in lines), pieces


def settle(path, directory):
    """Moves a piece to its place, and returns its name. One that is there from an earlier run stays, with its time, by
    which make knows that nothing is new."""
    place = directory / (digest(path)[:NAME_DIGITS] + ".nut")
    if not place.exists() or not filecmp.cmp(path, place, shallow=False):
        path.replace(place)
    return place.name


def cut(film, directory):
    """Cuts the film. Returns the names of the pieces, which are then in the directory."""
    folder = directory / "pieces"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    places = ",".join(map(str, film.cuts[1:])) or str(len(film.packets))
    status, _, errors = attempt(
        [*copying_command(film.source), "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact",
         "-output_ts_offset", str(LATER), "-f", "segment", "-segment_format", "nut", "-segment_frames", places,
         f"file:{folder}/%08d.nut"])
    made = sorted(folder.iterdir())
    if status or errors.strip() or len(made) != len(film.cuts):
        raise Unfit(ADDRESS.sub("", errors.strip().partition("\n")[0]) or "ffmpeg cuts it elsewhere")
    names = [settle(path, directory) for path in made]
    shutil.rmtree(folder)
    return names
