# SPDX-License-Identifier: BSD-2-Clause
"""The texts that tell players which segments there are: playlists for HLS (RFC 8216), a manifest for MPEG-DASH
(ISO/IEC 23009-1). All times are in milliseconds, as in the segments."""
import dataclasses
import math
import typing
from xml.sax.saxutils import quoteattr

MASTER = {"hls": "film.m3u8", "dash": "film.mpd"}
DIGITS = 8
CODECS = {"vp8": "vp8", "opus": "opus", "vorbis": "vorbis"}
GAP = 100  # a stream that is silent for longer has nothing there
REFRESH = 2  # seconds after which a player of DASH asks again
BEGINNING = "1970-01-01T00:00:00Z"  # from which segments of the time 0 were to be had: whatever is named is there
ROLE = "urn:mpeg:dash:role:2011"


class Piece(typing.NamedTuple):
    """A segment: when it begins and ends, and its bytes."""
    begin: int
    end: int
    size: int


@dataclasses.dataclass
class Stream:
    """What a player can choose, and in self.pieces the segments that it has so far."""
    name: str      # with which the names of its files begin
    kind: str      # "video" or "audio"
    codec: str     # as ffmpeg calls it
    language: str = None  # RFC 5646

    def __post_init__(self):
        self.pieces = []
        self.shape = None  # of pictures (ivf.Header)

    @property
    def init(self):
        """The file that says how to decode the others."""
        return f"{self.name}-init.webm"

    def file(self, number):
        return f"{self.name}-{number:0{DIGITS}d}.webm"

    def length(self, number):
        """How long a segment lasts: until the next one, unless that comes much later."""
        piece = self.pieces[number]
        after = self.pieces[number + 1].begin if number + 1 < len(self.pieces) else piece.end
        return (after if after - piece.end < GAP else piece.end) - piece.begin

    @property
    def peak(self):
        """Bits per second of the segment that has most of them."""
        return max(math.ceil(8000 * piece.size / max(1, self.length(number)))
                   for number, piece in enumerate(self.pieces))

    @property
    def average(self):
        return math.ceil(8000 * sum(piece.size for piece in self.pieces)
                         / max(1, sum(map(self.length, range(len(self.pieces))))))


# HLS

def gap_lines(stream, length, longest):
    """Segments that are not there, as before sound that begins late. They have to name a file, which is not read."""
    while length >= GAP:
        part = min(length, 1000 * longest)
        yield from ("#EXT-X-GAP", f"#EXTINF:{part / 1000:.3f},", stream.init)
        length -= part


def media_lines(stream, begin, longest, is_complete):
    """begin: when the first of all streams begins. longest: seconds that no segment exceeds."""
    yield from ("#EXTM3U", "#EXT-X-VERSION:8", f"#EXT-X-TARGETDURATION:{longest}", "#EXT-X-MEDIA-SEQUENCE:0",
                "#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-START:TIME-OFFSET=0",
                f'#EXT-X-MAP:URI="{stream.init}"')
    for number, piece in enumerate(stream.pieces):
        yield from gap_lines(stream, piece.begin - begin, longest)
        begin = piece.begin + stream.length(number)
        yield from (f"#EXTINF:{stream.length(number) / 1000:.3f},", stream.file(number))
    if is_complete:
        yield "#EXT-X-ENDLIST"


def master_lines(streams):
    sounds = [stream for stream in streams if stream.kind == "audio"]
    yield from ("#EXTM3U", "#EXT-X-VERSION:8", "#EXT-X-INDEPENDENT-SEGMENTS")
    for number, sound in enumerate(sounds):
        language = f'LANGUAGE="{sound.language}",' if sound.language else ""
        default = "YES" if not number else "NO"
        yield (f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",{language}NAME="{sound.name}",DEFAULT={default},'
               f'AUTOSELECT=YES,URI="{sound.name}.m3u8"')
    for video in [stream for stream in streams if stream.kind == "video"]:
        both = [video, *sounds[:1]]
        codecs = ",".join(dict.fromkeys(CODECS[stream.codec] for stream in [video, *sounds]))
        width, height, rate = video.shape
        yield (f"#EXT-X-STREAM-INF:BANDWIDTH={sum(stream.peak for stream in both)},"
               f"AVERAGE-BANDWIDTH={sum(stream.average for stream in both)},"
               f'CODECS="{codecs}",RESOLUTION={width}x{height},FRAME-RATE={float(rate):.3f}'
               + (',AUDIO="audio"' if sounds else ""))
        yield f"{video.name}.m3u8"


def hls(streams, longest, is_complete):
    """Pairs of a name and a text, in the order in which they may be written: none names what is not there. longest:
    seconds that no segment exceeds."""
    begin = min(stream.pieces[0].begin for stream in streams)
    for stream in streams:
        yield f"{stream.name}.m3u8", "".join(f"{line}\n" for line in media_lines(stream, begin, longest, is_complete))
    yield MASTER["hls"], "".join(f"{line}\n" for line in master_lines(streams))


# DASH

def element(name, inner=(), **attributes):
    """An element of XML, as lines. Attributes that are None are left out."""
    opening = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items() if value is not None)
    if not inner:
        return [f"<{name}{opening}/>"]
    return [f"<{name}{opening}>", *(f"  {line}" for line in inner), f"</{name}>"]


def representation(stream):
    shape = stream.shape
    of_pictures = {"width": shape.width, "height": shape.height, "frameRate": shape.rate} if shape else {}
    timeline = [line for number, piece in enumerate(stream.pieces)
                for line in element("S", t=piece.begin, d=stream.length(number))]
    template = element("SegmentTemplate", element("SegmentTimeline", timeline), timescale=1000, startNumber=0,
                       initialization="$RepresentationID$-init.webm",
                       media=f"$RepresentationID$-$Number%0{DIGITS}d$.webm")
    return element("Representation", template, id=stream.name, bandwidth=stream.peak, **of_pictures)


def adaptation_set(number, streams, is_main):
    kind = streams[0].kind
    inner = element("Role", schemeIdUri=ROLE, value="main" if is_main else "alternate")
    for stream in streams:
        inner += representation(stream)
    return element("AdaptationSet", inner, id=number, contentType=kind, mimeType=f"{kind}/webm",
                   codecs=CODECS[streams[0].codec], lang=streams[0].language, segmentAlignment="true", startWithSAP=1)


def dash(streams, longest, is_complete):
    """The same for DASH. The texts of a film that is not complete are the same, too, whenever it is encoded."""
    videos = [stream for stream in streams if stream.kind == "video"]
    sounds = [[stream] for stream in streams if stream.kind == "audio"]
    sets = [line for number, group in enumerate([videos, *sounds])
            for line in adaptation_set(number, group, number < 2)]
    end = max(stream.pieces[-1].end for stream in streams)
    when = {"type": "static", "mediaPresentationDuration": f"PT{end / 1000:.3f}S"} if is_complete else {
        "type": "dynamic", "availabilityStartTime": BEGINNING, "publishTime": BEGINNING,
        "minimumUpdatePeriod": f"PT{REFRESH}S"}
    lines = element("MPD", element("Period", sets, id=0, start="PT0S"), xmlns="urn:mpeg:dash:schema:mpd:2011",
                    profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:webm:dash:profile:webm-live:2012", **when,
                    minBufferTime=f"PT{longest}S")
    yield MASTER["dash"], "".join(f"{line}\n" for line in ['<?xml version="1.0" encoding="UTF-8"?>', *lines])


TEXTS = {"hls": hls, "dash": dash}
