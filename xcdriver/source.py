"""The film that is to be encoded."""
import os
import pathlib
import sys

from xcdriver.processes import Failure, run_json

# Makes of any film what VP8 can hold: progressive pictures, limited-range BT.601, the first picture at time 0.
VIDEO_FILTERS = "yadif=deint=interlaced,scale=out_range=tv:out_color_matrix=bt601,setpts=PTS-STARTPTS"


def frame_rate(video):
    """The frame rate at which ffmpeg will convert a stream that ffprobe has described; 0 if it is unknown. The base
    rate of a film with a variable frame rate may be that of its clock, such as 1000 Hz. Then the average rate is used,
    as by av_guess_frame_rate in libavformat."""
    def value(name):
        rate, per = map(int, video.get(name, "0/0").split("/"))
        return rate / per if per else 0
    least, average = value("r_frame_rate"), value("avg_frame_rate")
    return average if least > 210 and 0 < average < 70 else least


class Source:
    """The film that is to be encoded, and what ffprobe says about it."""

    def __init__(self, name):
        self.piped = name == "-"
        # Without "file:", ffmpeg takes what comes before a colon as a protocol.
        self.name = f"file:{name}" if ":" in name and os.path.exists(name) else name
        self.path = pathlib.Path(name)
        self.audio_codecs = []
        self.frames = None  # an estimate of their number, or None
        self.picture_size = 0  # bytes
        self.delay = 0  # seconds from the start of the film to its first picture
        if not self.piped:
            self.probe()
        elif sys.stdin is None:
            raise Failure("standard input is closed")

    def probe(self):
        try:
            found = run_json(["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format",
                              "-i", self.name])
        except Failure as failure:
            raise Failure(str(failure).splitlines()[-1]) from None
        videos = [stream for stream in found["streams"] if stream["codec_type"] == "video"
                  and not stream["disposition"].get("attached_pic")]
        if not videos:
            raise Failure(f"{self.name}: has no video")
        video = videos[0]
        self.audio_codecs = [stream["codec_name"] for stream in found["streams"] if stream["codec_type"] == "audio"]
        self.picture_size = video["width"] * video["height"] * 3 // 2
        seconds = float(video.get("duration") or found["format"].get("duration") or 0)
        self.frames = round(seconds * frame_rate(video)) or None
        self.delay = max(0, float(video.get("start_time") or 0) - float(found["format"].get("start_time") or 0))

    def identity(self):
        """What distinguishes this film from another one that may later have the same name. None for standard input,
        which can never be recognized."""
        if self.piped:
            return None
        if not self.path.exists():
            return {"url": self.name}
        status = self.path.stat()
        return {"path": str(self.path.resolve()), "size": status.st_size, "mtime": status.st_mtime_ns}

    def y4m_commands(self):
        """The commands, one or none, that convert the film to Y4M."""
        if self.piped:
            return []
        return [["ffmpeg", "-nostdin", "-v", "error", "-i", self.name, "-map", "0:V:0", "-vf", VIDEO_FILTERS,
                 "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-"]]
