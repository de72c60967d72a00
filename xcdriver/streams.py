# SPDX-License-Identifier: BSD-2-Clause
"""Which streams of a film are taken."""
import re
from fractions import Fraction

from xcdriver.messages import ADDRESS
from xcdriver.processes import Failure, attempt, ending
from xcdriver.sound import Track

SUBTITLE_PICTURES = ("dvb_subtitle", "dvd_subtitle", "dvb_teletext", "hdmv_pgs_subtitle", "xsub")
UNKNOWN = "und"  # of languages, ISO 639
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
KEEPS_TIMES = "matroska,webm"  # here packets of sound have times of their own, so that they can be copied


def seconds(value):
    """A time that ffprobe has written, or None."""
    try:
        return Fraction(value)
    except (TypeError, ValueError):
        return None


def by_preference(streams):
    """The video streams, in the order in which ffmpeg prefers them, without cover pictures."""
    def score(stream):
        return (stream.get("width") or 0) * (stream.get("height") or 0) + (
            5000000 * stream.get("disposition", {}).get("default", 0))
    return sorted((stream for stream in streams if stream.get("codec_type") == "video"
                   and not stream.get("disposition", {}).get("attached_pic")), key=score, reverse=True)


class Choice:
    """The video of a film, and its tracks that are kept beside it."""

    def __init__(self, name, options, found, audio, with_tracks):
        """name: for messages. options: those for ffmpeg that name the film. found: what ffprobe says. audio: "all",
        "none", or the number of one track. with_tracks: whether sound and subtitles are wanted at all."""
        self.name, self.input, self.found, self.audio, self.with_tracks = name, options, found, audio, with_tracks
        self.container = found.get("format", {}).get("format_name")
        self.notes = []  # lines for the user
        videos = by_preference(found.get("streams", []))
        if not videos:
            raise Failure(f"{name}: has no video")
        wanted = [videos[0], *self.others(videos[0])]
        if self.refusal(wanted):  # one of them; now find out which
            self.notes.clear()
            video = self.first_decodable(videos)
            wanted = [video, *self.decodable(self.others(video))]
        self.video = wanted[0]
        self.tracks = [self.track(stream) for stream in wanted[1:]]

    def refusal(self, streams):
        """Why ffmpeg cannot decode all of these streams; None if it can. It opens all decoders before it finds that
        nothing of them is wanted."""
        maps = [word for stream in streams for word in ("-map", f"0:{stream['index']}")]
        trial = attempt(["ffmpeg", "-nostdin", "-v", "error", *self.input, *maps, "-c:s", "webvtt", "-t", "0", "-f",
                         "null", "-"])
        if trial.status == 0:
            return None
        return ADDRESS.sub("", trial.errors.strip().partition("\n")[0]) or ending("ffmpeg", trial.status)

    def first_decodable(self, videos):
        reasons = []
        for video in videos:
            reason = self.refusal([video])
            if not reason:
                return video
            reasons.append(reason)
        raise Failure(f"{self.name}: {reasons[0]}")

    def decodable(self, streams):
        """Those of the streams that ffmpeg can decode. The user is told about the others."""
        for stream in streams:
            reason = self.refusal([stream])
            if not reason:
                yield stream
            elif self.audio not in ("all", "none"):
                raise Failure(f"{self.name}: audio {self.audio}: {reason}")
            else:
                self.leave_out(stream, reason)

    def leave_out(self, stream, reason):
        kind, codec = stream.get("codec_type"), stream.get("codec_name", stream.get("codec_tag_string", "unknown"))
        self.notes.append(f"{self.name}: without {kind} stream {stream['index']} ({codec}): {reason}")

    def others(self, video):
        """The streams of sound and text that are wanted beside the video: those of its program, if there are programs,
        as in a transport stream."""
        if not self.with_tracks:
            return []
        programs = [{stream["index"] for stream in program.get("streams", [])}
                    for program in self.found.get("programs", [])]
        mine = set().union(*(program for program in programs if video["index"] in program))
        others = set().union(*programs) - mine if mine else set()
        streams = [stream for stream in self.found["streams"] if stream["index"] not in others]
        return [*self.wanted_audio([s for s in streams if s.get("codec_type") == "audio"]),
                *self.wanted_text([s for s in streams if s.get("codec_type") == "subtitle"])]

    def wanted_audio(self, streams):
        audio = self.audio
        if audio == "none":
            return
        if audio != "all" and audio >= len(streams):
            raise Failure(f"{self.name}: has no audio track {audio}; it has {len(streams)}, counted from 0")
        for stream in streams if audio == "all" else [streams[audio]]:
            if "0" in (stream.get("sample_rate"), str(stream.get("channels"))):
                self.leave_out(stream, "ffmpeg finds no sound in it")
            else:
                yield stream

    def wanted_text(self, streams):
        for stream in streams:
            if stream.get("codec_name") in SUBTITLE_PICTURES:
                self.leave_out(stream, "WebM has only subtitles that are text")
            else:
                yield stream

    def track(self, stream):
        if stream["codec_type"] == "subtitle":
            return Track(stream["index"], "subtitle", "webvtt")
        can_be_copied = stream.get("codec_name") in ("opus", "vorbis") and self.container == KEEPS_TIMES
        codec, format_ = ("copy", stream["codec_name"]) if can_be_copied else ("libopus", "opus")
        language = stream.get("tags", {}).get("language", UNKNOWN)
        is_known = language != UNKNOWN and LANGUAGE.fullmatch(language)
        return Track(stream["index"], "audio", codec, format_, language if is_known else None,
                     seconds(stream.get("start_time")))
