# SPDX-License-Identifier: BSD-2-Clause
"""./excamera: films of every kind come out right, or a line says why not. What is right is what ffmpeg makes of the
same film in one command. docs/inputs.md lists the kinds."""
import functools
import http.server
import json
import os
import pty
import re
import shutil
import socketserver
import struct
import subprocess
import threading
from fractions import Fraction

import harness
from test_driver import DriverCase

RATE = 25
FRAME = 1 / RATE
OPTIONS = ("-q", "50", "-k", "4", "-j", "2")
QUIET = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
DAMAGED = 3


def flash(at, seconds, rate=RATE, size="64x48"):
    """Input options for ffmpeg: black pictures that turn white after `at` seconds."""
    white = f"drawbox=c=white:t=fill:enable='gte(t,{at})'"
    return ["-f", "lavfi", "-i", f"color=black:s={size}:r={rate}:d={seconds},{white}"]


def beep(at, seconds):
    """Input options for ffmpeg: silence, and then a tone."""
    return ["-f", "lavfi", "-i", f"aevalsrc='0.8*sin(2800*t)*gte(t,{at})':d={seconds}"]


class InputsCase(DriverCase):
    def ffmpeg(self, *arguments):
        harness.must(*QUIET, *arguments, cwd=self.dir)

    def make(self, name, *options, at=1.5, video=3, audio=3):
        """A film whose picture turns white when its tone begins."""
        self.ffmpeg(*flash(at, video), *beep(at, audio), *options, name)

    def encode(self, film, *options, status=0, output="out.webm"):
        """Encodes the film. Returns the messages, without those about the progress."""
        done = self.excamera(film, "-o", output, *OPTIONS, *options)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, status, text)
        self.assertNotIn("Traceback", text)
        return [line for line in text.splitlines() if line.startswith("excamera: ")]

    def streams(self, name):
        text = harness.must("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", self.dir / name)
        return json.loads(text)["streams"]

    def codecs(self, name):
        return [stream["codec_name"] for stream in self.streams(name)]

    def frames(self, name="out.webm"):
        return int(self.streams(name)[0]["nb_read_frames"])

    def colour(self, name, *filters):
        """Red, green and blue of the first sample."""
        filters = ",".join([*filters, "format=rgb24,crop=1:1:0:0"])
        return tuple(harness.must("ffmpeg", "-v", "error", "-i", self.dir / name, "-frames:v", "1", "-vf", filters,
                                  "-f", "rawvideo", "-"))


def events(path):
    """When pictures begin, when they turn white, and when the tone begins, in seconds on the file's clock."""
    text = harness.run("ffmpeg", "-nostdin", "-copyts", "-i", path, "-map", "0:v", "-map", "0:a:0", "-vf",
                       "showinfo=checksum=0,blackdetect=d=0.3:pix_th=0.3", "-af",
                       "aresample=async=1,silencedetect=d=0.3:n=-30dB", "-f", "null", "-").stderr.decode()
    first = re.search(r" n: *0 .*?pts_time:(\S+)", text)[1]
    return (float(first), [float(time) for time in re.findall(r"black_end:([\d.]+)", text)],
            [float(time) for time in re.findall(r"silence_end: ([\d.]+)", text)])


def click_after_white(path):
    """By how many seconds the loudest sample comes after the first white picture."""
    shown = harness.run("ffmpeg", "-nostdin", "-copyts", "-i", path, "-map", "0:v", "-vf", "showinfo", "-f", "null",
                        "-").stderr.decode()
    white = next(float(time) for time, mean in re.findall(r"pts_time:(\S+).*?mean:\[(\d+)", shown) if int(mean) > 200)
    heard = harness.run("ffmpeg", "-nostdin", "-copyts", "-i", path, "-map", "0:a:0", "-af",
                        "aformat=s16:48000:mono,ashowinfo", "-f", "s16le", "-")
    begin = float(re.search(r" n:0 .*?pts_time:(\S+)", heard.stderr.decode())[1])
    samples = [abs(sample) for sample, in struct.iter_unpack("<h", heard.stdout)]
    return begin + samples.index(max(samples)) / 48000 - white


class Together(InputsCase):
    """Sound and picture stay together."""

    def compare(self, film, flashes=1, frame=FRAME, rate=None):
        """Encodes the film, and compares what it shows and plays with what ffmpeg makes of it."""
        with self.subTest(film):
            self.encode(film)
            harness.run(*QUIET, "-i", film, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M",
                        "-c:a", "libopus", "right.webm", cwd=self.dir)
            ours, right = events(self.dir / "out.webm"), events(self.dir / "right.webm")
            self.assertEqual((len(ours[1]), len(ours[2])), (len(right[1]), len(right[2])), (ours, right))
            self.assertGreaterEqual(min(len(ours[1]), len(ours[2])), flashes, "the film must have something to see")
            self.assertAlmostEqual(ours[0], right[0], delta=frame)
            for i, (white, tone) in enumerate(zip(ours[1], ours[2])):
                self.assertAlmostEqual(white - tone, right[1][i] - right[2][i], delta=frame)
                self.assertAlmostEqual(tone, right[2][i], delta=frame)
            if rate:
                self.assertEqual(self.streams("out.webm")[0]["r_frame_rate"], rate)

    def test_recordings_that_begin_inside_a_gop(self):
        """Their first packets give no picture."""
        for name, codec, sound in (("h264.mkv", "libx264", "aac"), ("h264.mp4", "libx264", "aac"),
                                   ("mpeg2.ts", "mpeg2video", "mp2"), ("vp8.webm", "libvpx", "libopus")):
            self.make("whole.mkv", "-c:v", codec, "-g", "50", "-c:a", sound, at=2.4, video=3, audio=3)
            self.ffmpeg("-i", "whole.mkv", "-c", "copy", "-bsf:v", "noise=drop='lt(n,20)'", name)
            self.compare(name)

    def test_joined_streams(self):
        """Timestamps start again at each joint, where picture and sound are not equally long."""
        for name, codec in (("joined.ts", "libx264"), ("joined.mpg", "mpeg2video")):
            suffix = name[-3:]
            self.make(f"a.{suffix}", "-c:v", codec, "-c:a", "mp2", at=9, video=2, audio=1)
            self.make(f"b.{suffix}", "-c:v", codec, "-c:a", "mp2", at=1, video=2, audio=2)
            data = [(self.dir / f"{part}.{suffix}").read_bytes() for part in "abab"]
            self.write(name, b"".join(data))
            self.compare(name, flashes=2)

    def test_playlist_with_a_discontinuity(self):
        text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n"
        for part, at, audio in (("a", 9, 1), ("b", 1, 2)):
            self.make(f"{part}.ts", "-c:v", "libx264", "-c:a", "aac", at=at, video=2, audio=audio)
            text += f"#EXTINF:2.0,\n{part}.ts\n#EXT-X-DISCONTINUITY\n"
        self.write("film.m3u8", (text + "#EXT-X-ENDLIST\n").encode())
        self.compare("film.m3u8")

    def test_delays_of_coders(self):
        """Encoders put some samples before the first one, which decoders drop. The pictures of the last film do not
        begin at the beginning of a frame. Each time in Matroska may be off by half a millisecond."""
        sound = "aevalsrc='0.9*between(t,1,1.0005)':s=48000:d=2"
        for name, codec in (("aac.mp4", "aac"), ("flac.mkv", "flac"), ("opus.mkv", "libopus")):
            with self.subTest(name):
                self.ffmpeg(*flash(1, 2), "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-c:a", codec, name)
                for output in ("out.webm", "out.mkv"):
                    self.encode(name, output=output)
                    self.assertAlmostEqual(click_after_white(self.dir / output), click_after_white(self.dir / name),
                                           delta=0.0011)
                self.encode(name, "--segments", "hls", output="segments")
                first = [self.first_time(f"segments/{stream}") for stream in ("video", "track-1")]
                single = [self.first_time("out.webm", stream) for stream in ("v", "a")]
                self.assertEqual(first[0] - first[1], single[0] - single[1])
                shutil.rmtree(self.dir / "segments")

    def first_time(self, name, stream=None):
        """When the first packet is shown, in milliseconds: of a file's stream, or of a stream in segments."""
        path = self.dir / name
        if stream is None:
            path = self.write("joined.webm", b"".join(
                path.with_name(f"{path.name}-{part}.webm").read_bytes() for part in ("init", "00000000")))
        text = harness.must("ffprobe", "-v", "error", *(["-select_streams", stream] if stream else []),
                            "-read_intervals", "%+#1", "-show_entries", "packet=pts_time", "-of", "csv=p=0", path)
        return round(1000 * float(text))

    def test_clock_that_wraps(self):
        """The clock of MPEG has 33 bits, and starts again after 26.5 hours."""
        self.make("in.ts", "-c:v", "mpeg2video", "-c:a", "mp2", "-output_ts_offset", "95442")
        self.compare("in.ts")

    def test_edit_list(self):
        """Cut without encoding: what lies before the cut is in the file, but not in the film."""
        self.make("whole.mp4", "-c:v", "libx264", "-g", "50", "-c:a", "aac", at=2)
        self.ffmpeg("-ss", "0.7", "-i", "whole.mp4", "-c", "copy", "cut.mp4")
        self.compare("cut.mp4")

    def test_delays(self):
        self.make("whole.mp4", "-c:v", "mpeg2video", "-c:a", "aac")
        for delay, name in (("0.6", "a.mkv"), ("-0.6", "b.mp4"), ("-0.6", "c.ts")):
            self.ffmpeg("-i", "whole.mp4", "-itsoffset", delay, "-i", "whole.mp4", "-map", "0:v", "-map", "1:a", "-c",
                        "copy", name)
            self.compare(name)

    def test_negative_start(self):
        self.make("whole.mp4", "-c:v", "mpeg4", "-c:a", "aac")
        self.ffmpeg("-i", "whole.mp4", "-c", "copy", "-output_ts_offset", "-0.8", "-avoid_negative_ts", "disabled",
                    "in.mp4")
        self.compare("in.mp4")

    def test_gap_in_the_sound(self):
        for name, codec in (("encoded.mkv", "aac"), ("copied.mkv", "libopus")):
            self.make("whole.mkv", "-c:v", "mpeg4", "-c:a", codec, at=2)
            self.ffmpeg("-i", "whole.mkv", "-c", "copy", "-bsf:a", "noise=drop='between(n,20,50)'", name)
            self.compare(name)

    def timed(self, name, rate, filters, clock):
        self.ffmpeg(*flash(2.5, 4, rate), *beep(2.5, 4), "-vf", filters, "-vsync", "passthrough", "-enc_time_base",
                    f"1:{clock}", "-video_track_timescale", str(clock), "-c:v", "mpeg4", "-bf", "0", "-c:a", "aac",
                    name)

    def test_variable_rate(self):
        """30 pictures per second, and later 60: none is lost."""
        self.timed("in.mp4", 60, "select='if(lt(t,2),not(mod(n,2)),1)',settb=1/120", 120)
        self.compare("in.mp4", rate="60/1")

    def test_jitter(self):
        """30 pictures per second in steps of 1/120 s are not 120."""
        self.timed("in.mp4", 30, "settb=1/120,setpts='N*4+round(1.4*sin(N*7.3))+1'", 120)
        self.compare("in.mp4", frame=1 / 30, rate="30/1")

    def shades(self, name):
        """When each picture that differs from the one before it is first shown, and how bright it is."""
        text = harness.must("ffmpeg", "-v", "error", "-copyts", "-i", self.dir / name, "-map", "0:v", "-vf",
                            "signalstats,metadata=print:file=-:key=lavfi.signalstats.YAVG", "-vsync", "passthrough",
                            "-f", "null", "-").decode()
        found = []
        for time, value in re.findall(r"pts_time:(\S+)\n.*YAVG=(\S+)", text):
            if not found or abs(found[-1][1] - float(value)) > 4:
                found.append((float(time), float(value)))
        return found

    def test_every_picture_at_its_time(self):
        """No picture is lost, and none moves by more than half a frame, even if pictures do not come as a header says
        or come almost half a frame too late or too soon."""
        for claims, times, expected in (("30000/1001", "round(N*30/24)*1001/30000", "24000/1001"),
                                        ("24", "N/30", "30/1"),
                                        ("30", "if(lt(N,48),N/24,2+(N-48)/50)", "50/1"),
                                        ("60", "(N+0.4*sin(N*7.3))/60", "60/1"),
                                        ("30", "(N+floor(N/6))/30", "30/1")):
            with self.subTest(times, claims=claims):
                self.ffmpeg("-f", "lavfi", "-i", f"color=gray:s=32x32:r={claims}:d=3", "-vf",
                            "geq=lum='20+mod(N*37,200)':cb=128:cr=128", "-c:v", "libx264", "-qp", "4", "-bf", "0",
                            "made.mkv")
                self.ffmpeg("-i", "made.mkv", "-c", "copy", "-bsf:v", f"setts=ts='({times})/TB'", "in.mkv")
                self.encode("in.mkv", "-q", "4")
                self.assertEqual(self.streams("out.webm")[0]["r_frame_rate"], expected)
                ours, theirs = self.shades("out.webm"), self.shades("in.mkv")
                self.assertEqual(len(ours), len(theirs))
                for (time, value), (right, shade) in zip(ours, theirs):
                    self.assertAlmostEqual(value, shade, delta=4)
                    self.assertAlmostEqual(time, right, delta=0.5 / Fraction(expected) + 0.002)

    def test_last_picture(self):
        """However short it is shown, it is not lost; it is not repeated either, but as long as it is shown."""
        self.ffmpeg(*flash(59 / RATE, 60 / RATE), "-c:v", "mpeg4", "made.mp4")
        for part, frames in ((0.1, 60), (0.4, 60), (1, 60), (1.4, 60), (2.6, 62)):
            with self.subTest(part):
                duration = f"512*if(eq(N,59),{part},1)"  # a frame has 512 units
                self.ffmpeg("-i", "made.mp4", "-c", "copy", "-bsf:v", f"setts=duration='{duration}'", "in.mp4")
                self.encode("in.mp4")
                self.assertEqual(self.frames(), frames)
                self.assertEqual(self.colour("out.webm", "select=eq(n\\,58)"), (0, 0, 0))
                self.assertGreater(min(self.colour("out.webm", "select=eq(n\\,59)")), 240)

    def test_size_that_changes(self):
        """The film goes on in the first size, and on the same clock."""
        self.make("a.ts", "-c:v", "mpeg2video", "-c:a", "mp2", at=9, video=2, audio=2)
        self.make("b.ts", "-c:v", "mpeg2video", "-c:a", "mp2", "-vf", "scale=96:80", at=1, video=2, audio=2)
        self.write("in.ts", (self.dir / "a.ts").read_bytes() + (self.dir / "b.ts").read_bytes())
        self.compare("in.ts")
        self.assertEqual(self.frames(), 4 * RATE)
        self.assertEqual([self.streams("out.webm")[0][key] for key in ("width", "height")], [64, 48])

    def test_continued(self):
        """A run that was interrupted ends in the same bytes, with the sound."""
        self.make("in.mkv", "-c:v", "mpeg4", "-c:a", "aac", video=5, audio=6)
        self.encode("in.mkv", output="right.webm")
        self.fails("in.mkv", "-o", "out.webm", *OPTIONS, env=self.tools_but("xc-enc", "exit 1"))
        for path in (self.dir / "out.webm.work").glob("track-*"):
            path.write_bytes(path.read_bytes()[:100])  # as a power cut may leave it
        self.encode("in.mkv")
        self.assertEqual((self.dir / "out.webm").read_bytes(), (self.dir / "right.webm").read_bytes())


class Telecine(InputsCase):
    """24 pictures per second in 60 fields: the pictures come back. Other interlaced films are only deinterlaced."""

    def make(self, name, filters, rate):
        moving = f"testsrc2=s=96x64:r={rate}:d=4"
        self.ffmpeg("-f", "lavfi", "-i", moving, "-vf", filters, "-c:v", "mpeg2video", "-q:v", "2", "-flags",
                    "+ildct+ilme", name)

    def test_pulldown(self):
        for name, filters, rate, expected in (("film.ts", "telecine=pattern=23", "24000/1001", "24000/1001"),
                                              ("video.ts", "tinterlace=interleave_top", "60000/1001", "30000/1001")):
            with self.subTest(name):
                self.make(name, filters, rate)
                self.encode(name, "-q", "10")
                video, = self.streams("out.webm")
                self.assertEqual(video["r_frame_rate"], expected)
                self.assertAlmostEqual(int(video["nb_read_frames"]), 4 * Fraction(expected), delta=2)

    def test_fields_that_are_to_be_shown_twice(self):
        """Only the headers say so (soft pulldown): each picture is in the stream once, and once in the output."""
        self.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=24000/1001:d=4", "-c:v", "mpeg2video", "-bf", "0",
                    "film.m2v")
        self.write("soft.m2v", with_pulldown((self.dir / "film.m2v").read_bytes()))
        for name in ("in.mkv", "in.mpg"):
            with self.subTest(name):
                self.ffmpeg("-fflags", "+genpts", "-i", "soft.m2v", "-c", "copy", name)
                self.encode(name)
                video, = self.streams("out.webm")
                self.assertEqual(video["r_frame_rate"], "24000/1001")
                self.assertAlmostEqual(int(video["nb_read_frames"]), 96, delta=2)


def with_pulldown(stream):
    """A progressive MPEG-2 stream of 24 pictures per second, as one of 30 frames whose headers tell how to make 3:2
    pulldown of it (ISO/IEC 13818-2, section 6.2)."""
    data, at, picture = bytearray(stream), 0, 0
    while (at := data.find(b"\0\0\1", at)) >= 0:
        if data[at + 3] == 0xb3:  # sequence header
            data[at + 7] = data[at + 7] & 0xf0 | 4  # 30000/1001 frames per second
        elif data[at + 3] == 0xb5 and data[at + 4] >> 4 == 1:  # sequence extension
            data[at + 5] &= ~8  # not progressive
        elif data[at + 3] == 0xb5 and data[at + 4] >> 4 == 8:  # picture coding extension
            top_first, repeats = ((1, 1), (0, 0), (0, 1), (1, 0))[picture % 4]
            data[at + 7] = data[at + 7] & 0x7d | top_first << 7 | repeats << 1
            data[at + 8] |= 0x80  # a progressive picture
            picture += 1
        at += 4
    return bytes(data)


class Streams(InputsCase):
    """Which streams of a film are taken."""

    def test_codec_without_a_name(self):
        """The track is left out, with a line. The other one is kept."""
        self.ffmpeg(*flash(0.5, 1), *beep(0.5, 1), "-map", "0", "-map", "1", "-map", "1", "-c:v", "mpeg4", "-c:a",
                    "aac", "two.mp4")
        for code in (b"apac", b"ac-4"):
            data = bytearray((self.dir / "two.mp4").read_bytes())
            for old, new in ((b"mp4a", code), (b"esds", b"dapa")):
                at = data.rfind(old)
                data[at:at + 4] = new
            self.write("in.mp4", data)
            for output, codecs in (("out.webm", ["vp8", "opus"]), ("out.ivf", ["vp8"])):
                with self.subTest(code=code, output=output):
                    lines = self.encode("in.mp4", output=output)
                    self.assertEqual(self.codecs(output), codecs)
                    self.assertEqual(self.frames(output), RATE)
                    self.assertEqual(len(lines), output == "out.webm")
                    for line in lines:
                        self.assertRegex(line, "without audio stream 2 .*[Dd]ecoder")
        self.assertRegex(self.fails("in.mp4", "-o", "one.webm", "--audio", "1"), "audio 1: .*ecoder")

    def test_stream_without_a_type(self):
        """A transport stream with private sections, for which ffprobe has no name."""
        self.make("whole.ts", "-c:v", "mpeg2video", "-c:a", "mp2", at=0.5, video=1, audio=1)
        self.write("in.ts", with_private_sections((self.dir / "whole.ts").read_bytes()))
        self.assertEqual(self.encode("in.ts"), [])
        self.assertEqual(self.codecs("out.webm"), ["vp8", "opus"])
        self.assertEqual(self.frames(), RATE)

    def test_choice_of_audio(self):
        self.ffmpeg(*flash(0.5, 1), *beep(0.5, 1), *beep(0.2, 1), "-map", "0", "-map", "1", "-map", "2", "-c:v",
                    "mpeg4", "-c:a", "aac", "-ac:a:1", "2", "in.mkv")
        for options, channels in (((), [1, 2]), (("--audio", "all"), [1, 2]), (("--audio", "0"), [1]),
                                  (("--audio", "1"), [2]), (("--audio", "none"), []), (("--no-audio",), [])):
            with self.subTest(options):
                self.encode("in.mkv", *options, output="out.mkv")
                self.assertEqual([stream["channels"] for stream in self.streams("out.mkv")[1:]], channels)
        text = self.fails("in.mkv", "-o", "o.webm", "--audio", "2")
        self.assertIn("no audio track 2; it has 2, counted from 0", text)
        self.assertIn("--audio", self.fails("in.mkv", "-o", "o.webm", "--audio", "x"))

    def test_program_of_the_video(self):
        """The largest video, as ffmpeg chooses it, and the sound of its program."""
        self.ffmpeg(*flash(0.5, 1), *beep(0.5, 1), *flash(0.7, 1, size="96x80"), *beep(0.7, 1), "-map", "0", "-map",
                    "1", "-map", "2", "-map", "3", "-c:v", "mpeg2video", "-c:a", "mp2", "-ac:a:1", "2", "-program",
                    "title=a:st=0:st=1", "-program", "title=b:st=2:st=3", "in.ts")
        self.encode("in.ts")
        video, *sound = self.streams("out.webm")
        self.assertEqual((video["width"], video["height"]), (96, 80))
        self.assertEqual([stream["channels"] for stream in sound], [2])

    def test_track_without_sound(self):
        """It is declared, but has no packet."""
        self.make("whole.mp4", "-c:v", "mpeg4", "-c:a", "aac", video=1, audio=1)
        self.ffmpeg("-i", "whole.mp4", "-f", "lavfi", "-i", "anullsrc", "-map", "0", "-map", "1", "-c", "copy",
                    "-c:a:1", "aac", "-bsf:a:1", "noise=drop=1", "-t", "1", "in.mkv")
        self.encode("in.mkv")
        self.assertEqual(self.codecs("out.webm"), ["vp8", "opus"])

    def test_text_metadata_and_chapters(self):
        """Text subtitles become WebVTT. Subtitles that are pictures are left out, with a line."""
        self.write("text.srt", b"1\n00:00:00,200 --> 00:00:00,600\nWhite soon\n")
        self.write("meta", b";FFMETADATA1\ntitle=A flash\n[CHAPTER]\nTIMEBASE=1/10\nSTART=5\nEND=10\ntitle=White\n")
        self.ffmpeg(*flash(0.5, 1), *beep(0.5, 1), "-i", "text.srt", "-i", "text.srt", "-i", "meta", "-map", "0",
                    "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4", "-map_chapters", "4", "-metadata:s:a",
                    "language=fin", "-c:v", "mpeg4", "-c:a", "aac", "-c:s", "srt", "in.mkv")
        data = (self.dir / "in.mkv").read_bytes()
        at = data.rindex(b"S_TEXT/UTF8")
        self.write("in.mkv", data[:at] + b"S_HDMV/PGS\0" + data[at + 11:])
        lines = self.encode("in.mkv")
        self.assertRegex("\n".join(lines), r"\A.*without subtitle stream 3 \(hdmv_pgs_subtitle\).*\Z")
        self.assertEqual(self.codecs("out.webm"), ["vp8", "opus", "webvtt"])
        text = harness.must("ffmpeg", "-v", "error", "-i", self.dir / "out.webm", "-map", "0:s", "-f", "srt", "-")
        self.assertRegex(text.decode(), r"00:00:00,2\d\d --> 00:00:00,6\d\d\nWhite soon")
        found = json.loads(harness.must("ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_chapters",
                                        "-show_streams", self.dir / "out.webm"))
        self.assertEqual(found["format"]["tags"]["title"], "A flash")
        self.assertEqual([chapter["tags"]["title"] for chapter in found["chapters"]], ["White"])
        self.assertAlmostEqual(float(found["chapters"][0]["start_time"]), 0.5, delta=0.02)
        self.assertEqual(found["streams"][1]["tags"]["language"], "fin")


class Damage(InputsCase):
    """What is damaged or cut off is encoded as far as it goes. The user is told."""

    def cut(self, name, *options):
        """Leaves out the last part of a film of 75 frames."""
        self.make(f"whole-{name}", *options)
        data = (self.dir / f"whole-{name}").read_bytes()
        self.write(name, data[:len(data) * 6 // 10])

    def test_cut_off(self):
        for name, options in (("in.mp4", ("-c:v", "libx264", "-c:a", "aac", "-movflags", "faststart")),
                              ("in.mkv", ("-c:v", "mpeg4", "-c:a", "aac")),
                              ("in.avi", ("-c:v", "mpeg4", "-c:a", "mp2"))):
            with self.subTest(name):
                self.cut(name, *options)
                line, = self.encode(name, status=DAMAGED)
                self.assertRegex(line, rf"{name}: is damaged: .*; \d+ of 7\d frames could be encoded; --allow-damaged")
                self.assertLess(self.frames(), 60)
                self.assertIn(f" {self.frames()} of 7", line)
                right = int(harness.must("ffprobe", "-v", "quiet", "-count_frames", "-select_streams", "v",
                                         "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", self.dir / name))
                self.assertAlmostEqual(self.frames(), right, delta=2)
        line, = self.encode("in.avi", "--allow-damaged")
        self.assertRegex(line, r"is damaged: .*frames could be encoded\Z")

    def test_zeros_in_the_middle(self):
        """The container's reader notices, or fewer pictures come out than the header counts; no decoder complains."""
        for name, video, sound in (("in.avi", "mpeg4", "libmp3lame"), ("in.webm", "libvpx", "libopus"),
                                   ("in.flv", "libx264", "aac")):
            with self.subTest(name):
                self.make(f"whole-{name}", "-c:v", video, "-g", "12", "-c:a", sound, "-ar", "48000")
                self.encode(f"whole-{name}")
                data = bytearray((self.dir / f"whole-{name}").read_bytes())
                middle = len(data) // 2
                data[middle:middle + 3000] = bytes(3000)
                self.write(name, data)
                line, = self.encode(name, status=DAMAGED)
                self.assertRegex(line, rf"{name}: is damaged: .*; \d+ of 7\d frames could be encoded; --allow-damaged")

    def test_less_than_a_second_of_a_broadcast(self):
        """Recordings of broadcasts have such losses. They are mentioned."""
        self.make("whole.ts", "-c:v", "mpeg2video", "-c:a", "mp2")
        data = bytearray((self.dir / "whole.ts").read_bytes())
        middle = len(data) // 2
        data[middle:middle + 2000] = bytes(value & 255 for value in range(0, 7919 * 2000, 7919))
        self.write("in.ts", data)
        line, = self.encode("in.ts")
        self.assertIn("in.ts: is damaged: ", line)
        self.assertAlmostEqual(self.frames(), 3 * RATE, delta=2)

    def test_reason(self):
        """ffmpeg's reason is shown, and nothing is left."""
        self.make("in.avi", "-c:v", "mpeg4", "-c:a", "mp2")
        self.write("codec.avi", (self.dir / "in.avi").read_bytes().replace(b"FMP4", b"ZZ99"))
        data = (self.dir / "in.avi").read_bytes()
        self.write("noise.avi", data.replace(b"00dc", b"00zz").replace(b"\0\0\1", b"xxx"))
        self.cut("index.mp4", "-c:v", "mpeg4", "-c:a", "aac")
        for name, reason in (("codec.avi", "[Dd]ecoder|decoding"), ("noise.avi", "noise.avi: .*"),
                             ("index.mp4", "moov atom not found|Invalid data")):
            with self.subTest(name):
                text = self.fails(name, "-o", "out.webm")
                self.assertRegex(text.splitlines()[-1], rf"excamera: .*{reason}")
                self.assertNotIn("out.webm.work", self.names())

    def test_server_that_hangs_up(self):
        """A later run may get the whole film, so this one is no film. --allow-damaged takes what there is."""
        self.make("in.mkv", "-c:v", "mpeg4", "-c:a", "aac")
        data = (self.dir / "in.mkv").read_bytes()
        url = serve(self, lambda handler: handler.send(data[:len(data) // 2], length=len(data)))
        text = self.fails(f"{url}/in.mkv", "-o", "out.webm", *OPTIONS)
        self.assertRegex(text, r"cannot be read to its end: .*--allow-damaged")
        self.encode(f"{url}/in.mkv", "--allow-damaged")
        self.assertLess(self.frames(), 60)


def serve(test, answer):
    """Starts a server for HTTP that answers each request by answer(handler). Returns its address."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def send(self, data, length=None, **headers):
            self.send_response(200)
            for name, value in {"Content-Length": length or len(data), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        def do_GET(self):
            try:
                answer(self)
            except OSError:
                pass  # ffmpeg has read enough

        do_HEAD = do_GET
        log_message = functools.partialmethod(lambda *_: None)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return f"http://127.0.0.1:{server.server_address[1]}"


class Pipes(InputsCase):
    """What can be read only once is refused at once."""

    def test_pipes(self):
        os.mkfifo(self.dir / "pipe")
        for name in ("pipe", "/dev/stdin", "/dev/fd/0", "pipe:0", "/dev/null"):
            with self.subTest(name):
                process = subprocess.run([harness.ROOT / "excamera", name, "-o", "out.webm"], cwd=self.dir,
                                         timeout=harness.TIMEOUT, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                         env=harness.environment())
                self.assertEqual(process.returncode, 1)
                self.assertRegex(process.stderr.decode(), r"\Aexcamera: \S+: is a pipe.* \| excamera - .*\n\Z")

    def test_standard_input_that_is_a_file(self):
        self.make("in.mkv", "-c:v", "mpeg4", "-c:a", "aac", video=1, audio=1)
        with open(self.dir / "in.mkv", "rb") as film:
            done = subprocess.run([harness.ROOT / "excamera", "/dev/stdin", "-o", "out.webm"], cwd=self.dir, stdin=film,
                                  stderr=subprocess.PIPE, env=harness.environment())
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.codecs("out.webm"), ["vp8", "opus"])

    def test_terminal(self):
        master, slave = pty.openpty()
        done = subprocess.run([harness.ROOT / "excamera", "-", "-o", "out.webm"], cwd=self.dir, stdin=slave,
                              timeout=harness.TIMEOUT, stderr=subprocess.PIPE, env=harness.environment())
        os.close(master)
        os.close(slave)
        self.assertRegex(done.stderr.decode(), r"\Aexcamera: standard input: is a terminal.*\n\Z")
        self.assertEqual(self.names(), set())


class Colours(InputsCase):
    RED = (200, 60, 30)

    def near(self, found, expected, tolerance=6):
        for one, other in zip(found, expected):
            self.assertAlmostEqual(one, other, delta=tolerance)

    def y4m(self, name, scale):
        self.ffmpeg("-f", "lavfi", "-i", "color=0xC83C1E:s=64x48:r=10:d=0.5", "-vf", f"format=gbrp,scale={scale}",
                    "-pix_fmt", "yuvj420p" if "pc" in scale else "yuv420p", "-f", "yuv4mpegpipe", name)

    def test_full_range(self):
        """Y4M in full range is converted if it is a file, and refused on standard input."""
        self.y4m("in.y4m", "out_range=pc:out_color_matrix=bt601")
        data = (self.dir / "in.y4m").read_bytes()
        self.assertIn(b" XCOLORRANGE=FULL", data.partition(b"\n")[0])
        self.encode("in.y4m", "-q", "4")
        self.near(self.colour("out.webm", "scale=in_color_matrix=bt601"), self.RED)
        self.assertIn("full range", self.fails("-", "-o", "no.webm", stdin=data))
        self.assertEqual(self.names(), {"in.y4m", "out.webm"})

    def test_lines_of_the_readme(self):
        """The command that the README shows makes the right colours of BT.709 and of full range."""
        text = (harness.ROOT / "README.md").read_text()
        command, = re.findall(r"^(ffmpeg .*-i holiday.mp4 .*?) \|\s+xc-split .*$", text, re.M)
        for scale, tag in (("out_range=tv:out_color_matrix=bt709", "bt709"),
                           ("out_range=pc:out_color_matrix=bt601", "bt470bg")):
            self.ffmpeg("-f", "lavfi", "-i", "color=0xC83C1E:s=64x48:r=10:d=0.5", "-vf",
                        f"format=gbrp,scale={scale},format=yuv420p", "-colorspace", tag, "-c:v", "ffv1", "in.mkv")
            y4m = harness.must(*command.replace("holiday.mp4", "in.mkv").split(), cwd=self.dir)
            self.encode_standard_input(y4m)
            self.near(self.colour("out.webm", "scale=in_color_matrix=bt601"), self.RED)

    def encode_standard_input(self, data):
        done = self.excamera("-", "-o", "out.webm", "-q", "4", stdin=data)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def hdr(self, transfer):
        """The red as HDR, in which the same light has other codes."""
        self.ffmpeg("-f", "lavfi", "-i", "color=0xC83C1E:s=64x48:r=10:d=0.5", "-vf",
                    "format=gbrp,setparams=color_primaries=bt709:color_trc=bt709:range=pc,"
                    "zscale=transfer=linear:npl=100,"
                    f"format=gbrpf32le,zscale=transfer={transfer}:matrix=bt2020nc:primaries=bt2020:range=tv:npl=100,"
                    "format=yuv420p10", "-c:v", "ffv1", "-color_trc", transfer, "-color_primaries", "bt2020",
                    "-colorspace", "bt2020nc", "-color_range", "tv", "in.mkv")

    def saturation(self):
        red, green, blue = self.colour("out.webm", "scale=in_color_matrix=bt601")
        return (red - (green + blue) / 2) / red

    def test_hdr(self):
        """Its tones are mapped. A line says so where the filters are missing."""
        filters = harness.must("ffmpeg", "-v", "error", "-filters").decode()
        if " zscale " not in filters or " tonemap " not in filters:
            self.skipTest("this ffmpeg has no zscale or tonemap")
        expected = (self.RED[0] - (self.RED[1] + self.RED[2]) / 2) / self.RED[0]
        for transfer in ("smpte2084", "arib-std-b67"):
            with self.subTest(transfer):
                self.hdr(transfer)
                self.assertEqual(self.encode("in.mkv"), [])
                self.assertAlmostEqual(self.saturation(), expected, delta=0.05)
                real = shutil.which("ffmpeg")
                harness.install_stubs(self.dir / "stubs", {
                    "ffmpeg": f'case "$*" in *-filters*) exit 0 ;; esac; exec "{real}" "$@"'})
                path = f"{self.dir}/stubs:{harness.environment()['PATH']}"
                text = self.works("in.mkv", "-o", "out.webm", *OPTIONS, env=harness.environment(PATH=path))
                self.assertIn("in.mkv: is HDR, and this ffmpeg lacks zscale or tonemap", text)
                self.assertLess(self.saturation(), expected - 0.1)

    def test_transparency(self):
        for name, options in (("in.mov", ("-pix_fmt", "argb", "-c:v", "qtrle")),
                              ("in.webm", ("-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-c:v", "libvpx"))):
            with self.subTest(name):
                self.ffmpeg(*flash(0.5, 1), *options, name)
                line, = self.encode(name)
                self.assertIn("transparency is dropped", line)


class Sizes(InputsCase):
    def test_small(self):
        for width, height in ((1, 1), (2, 2), (1, 32), (3, 2)):
            with self.subTest(f"{width}x{height}"):
                self.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=0.5", "-vf",
                            f"scale={width}:{height},format=gbrp", "-c:v", "ffv1", "in.mkv")
                self.encode("in.mkv")
                video, = self.streams("out.webm")
                self.assertEqual((video["width"], video["height"], video["nb_read_frames"]), (width, height, "5"))

    def test_too_large(self):
        """Refused before anything is made, from a file and from standard input. One limit holds for all tools."""
        self.ffmpeg("-f", "lavfi", "-i", "color=s=16384x16:r=10:d=0.1", "-vf", "crop=16369:16:0:0:exact=1", "-pix_fmt",
                    "yuv420p", "-f", "yuv4mpegpipe", "in.y4m")
        before = self.names()
        self.assertIn("16368x16368", self.fails("in.y4m", "-o", "out.webm"))
        data = (self.dir / "in.y4m").read_bytes()
        self.assertIn("between 1 and 16368", self.fails("-", "-o", "out.webm", stdin=data))
        self.assertEqual(self.names(), before)


class Identity(InputsCase):
    """After an interruption, only the same film is continued."""

    def interrupt(self, film, *options):
        text = self.fails(film, "-o", "out.webm", *OPTIONS, *options, env=self.tools_but("xc-enc", "exit 1"))
        self.assertIn("out.webm.work", self.names(), text)

    def refused(self, film, *options):
        text = self.fails(film, "-o", "out.webm", *OPTIONS, *options)
        self.assertIn("belongs to an interrupted run with another input; --restart discards it", text)

    def test_film_that_was_moved(self):
        self.make("in.mkv", "-c:v", "ffv1", "-c:a", "flac")
        self.interrupt("in.mkv")
        (self.dir / "moved").mkdir()
        (self.dir / "in.mkv").rename(self.dir / "moved/film.mkv")
        os.utime(self.dir / "moved/film.mkv", (1, 1))
        data = bytearray((self.dir / "moved/film.mkv").read_bytes())
        self.write("other.mkv", data[:-300] + bytes(100) + data[-200:])
        self.refused("other.mkv")
        self.encode("moved/film.mkv")

    def test_image_sequence(self):
        """Its rate can be chosen. Other pictures under the same names are another film."""
        self.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=2", "im%04d.png")
        self.encode("im%04d.png", "-r", "10", output="ten.webm")
        video, = self.streams("ten.webm")
        self.assertEqual((video["r_frame_rate"], video["nb_read_frames"]), ("10/1", "20"))
        self.encode("im%04d.png", output="default.webm")
        self.assertEqual(self.streams("default.webm")[0]["r_frame_rate"], "25/1")
        self.interrupt("im%04d.png")
        shutil.copy(self.dir / "im0001.png", self.dir / "im0007.png")
        self.refused("im%04d.png")
        self.encode("im%04d.png", "--restart")

    def test_rate_of_a_film(self):
        """-r changes how many pictures there are, not how long the film is."""
        self.make("in.mkv", "-c:v", "mpeg4", "-c:a", "aac")
        self.encode("in.mkv", "-r", "30000/1001")
        self.assertEqual(self.streams("out.webm")[0]["r_frame_rate"], "30000/1001")
        _, (white,), (tone,) = events(self.dir / "out.webm")
        self.assertAlmostEqual(white, tone, delta=FRAME + 0.02)
        for wrong in ("0", "x", "1/0", "-3", "2000"):
            self.assertIn("--rate", self.fails("in.mkv", "-o", "no.webm", "-r", wrong))

    def test_playlist(self):
        """What it names belongs to the film."""
        for part in "ab":
            self.make(f"{part}.ts", "-c:v", "mpeg2video", "-c:a", "mp2")
        self.write("film.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:3.0,\na.ts\n#EXT-X-DISCONTINUITY\n"
                   b"#EXTINF:3.0,\nb.ts\n#EXT-X-ENDLIST\n")
        self.interrupt("film.m3u8")
        shutil.copy(self.dir / "a.ts", self.dir / "b.ts")
        self.refused("film.m3u8")

    def test_address(self):
        self.make("in.mkv", "-c:v", "mpeg4", "-c:a", "aac")
        data, tags = (self.dir / "in.mkv").read_bytes(), ["one"]
        url = serve(self, lambda handler: handler.send(data, ETag=tags[-1])) + "/in.mkv"
        self.interrupt(url)
        tags.append("two")
        self.refused(url)
        tags.append("one")
        self.encode(url)


def crc32_mpeg(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04c11db7 if crc >> 31 else crc << 1) & 0xffffffff
    return crc.to_bytes(4, "big")


def with_private_sections(stream):
    """A transport stream whose program map also lists a PID of stream type 5."""
    data, entry = bytearray(stream), b"\x05\xe1\x05\xf0\x00"
    for packet in range(0, len(data), 188):
        if (data[packet + 1] & 31) << 8 | data[packet + 2] == 0x1000 and data[packet + 1] & 64:
            start = packet + 5 + data[packet + 4]
            length = (data[start + 1] & 15) << 8 | data[start + 2]
            end = start + 3 + length - 4
            data[start + 1:start + 3] = (0xb000 | length + len(entry)).to_bytes(2, "big")
            data[end:end + len(entry)] = entry
            data[end + len(entry):end + len(entry) + 4] = crc32_mpeg(data[start:end + len(entry)])
    return bytes(data)
