# SPDX-License-Identifier: BSD-2-Clause
"""What the user wants changed in a film before it is encoded: a part of its time, and its pictures."""
import argparse
import re
import typing
from fractions import Fraction

TIME = r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)"
LONGEST = 1e8  # seconds
SHORT = 30  # seconds that are read rather than skipped
RUN_UP = 10  # seconds that are read before the part, and after it
SAME_TIME = 1e-6  # seconds


def seconds(text):
    """A time such as 90, 1:30 or 0:01:30.5."""
    match = re.fullmatch(TIME, text, re.ASCII)
    if not match or len(text) > 40:
        raise argparse.ArgumentTypeError(f"{text} is not a time such as 90, 1:30 or 0:01:30.5")
    hours, minutes, rest = (Fraction(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest


def time_span(text):
    """A type of argument: FROM-TO. Returns two times; the second one may be None."""
    start, dash, end = text.partition("-")
    if not dash or not (start or end):
        raise argparse.ArgumentTypeError(f"{text} is not FROM-TO, such as 1:30-2:00, 90- or 0-20")
    begin, stop = seconds(start or "0"), seconds(end) if end else None
    if begin > LONGEST or stop is not None and not begin < stop <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text}: the end is not after the beginning")
    return begin, stop


def crop_size(text):
    """A type of argument: WxH+X+Y or WxH. Returns a filter for ffmpeg."""
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})(?:\+(\d{1,5})\+(\d{1,5}))?", text, re.ASCII)
    if not match:
        raise argparse.ArgumentTypeError(f"{text} is not WxH+X+Y or WxH, such as 1280x536+0+92")
    width, height, *place = match.groups()
    return f"crop={width}:{height}:" + (f"{place[0]}:{place[1]}:" if place[0] else "") + "exact=1"


def scale_size(text):
    """A type of argument: WxH, Wx or xH. Returns a filter for ffmpeg."""
    match = re.fullmatch(r"([1-9]\d{0,4})?x([1-9]\d{0,4})?", text, re.ASCII)
    if not match or text == "x":
        raise argparse.ArgumentTypeError(f"{text} is not WxH, Wx or xH, such as 1280x720, 1280x or x720")
    return f"scale={match[1] or -1}:{match[2] or -1}"


def filters(text):
    """A type of argument: filters for ffmpeg, which itself says what is wrong with them."""
    if not text.strip(", ") or re.search(r"[\0\n]", text):
        raise argparse.ArgumentTypeError("is no chain of filters, such as hqdn3d or eq=gamma=1.2")
    return text


class Edits(typing.NamedTuple):
    """trim: FROM and TO in seconds, or None. filters: for ffmpeg, in order."""
    trim: tuple = None
    filters: tuple = ()

    @classmethod
    def of(cls, options):
        chain = (options.crop, options.scale, options.filter)
        return cls(options.trim, tuple(part for part in chain if part))

    @property
    def begin(self):
        """Where the part begins, in seconds from the beginning of the film."""
        return self.trim[0] if self.trim else Fraction(0)

    @property
    def seek(self):
        """Where ffmpeg begins to read, in whole seconds. Its clock is 0 then."""
        return max(0, int(self.begin) - RUN_UP) if self.begin > SHORT else 0

    def shorten(self, length):
        """What is left of a length, in seconds, or of a film whose length is not known."""
        end = self.trim[1] if self.trim else None
        ends = [time for time in (length, end) if time is not None]
        return max(Fraction(0), min(ends) - self.begin) if ends else None

    def reading(self):
        """Options for ffmpeg, before its input. They only spare it work: it reads a little more on both sides, because
        it would round the times of the part to those of pictures, and copy more of the sound."""
        seek = ["-ss", str(self.seek)] if self.seek else []
        end = ["-t", f"{float(self.trim[1] - self.seek + RUN_UP):.3f}"] if self.trim and self.trim[1] else []
        return seek + end

    def from_begin(self):
        """A filter that drops the pictures before the part."""
        return [f"select=gte(t\\,{float(self.begin - self.seek) - SAME_TIME:.6f})"] if self.trim else []

    def to_end(self, shift):
        """A filter that drops the pictures after the part, when their times are less by `shift`. It has to come after
        the filter fps, which repeats the last picture until the film ends."""
        ends = self.trim and self.trim[1] is not None
        return [f"select=lt(t\\,{float(self.trim[1] - self.seek) - shift - SAME_TIME:.6f})"] if ends else []

    def writing(self):
        """Options for ffmpeg, before an output that is no video: from which time on, and for how long."""
        if not self.trim:
            return []
        end = ["-t", f"{float(self.trim[1] - self.begin):.6f}"] if self.trim[1] else []
        return ["-ss", f"{float(self.begin - self.seek):.6f}", *end]

    def record(self):
        """For the record of a run, so that a later one notices if they have changed."""
        trim = self.trim and [str(time) if time is not None else None for time in self.trim]
        return {"trim": trim, "filter": ",".join(self.filters) or None}
