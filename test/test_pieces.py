# SPDX-License-Identifier: BSD-2-Clause
"""./excamera --decode there, and xc-unpack: chunks that are decoded from pieces of the film have the pictures of those
that are split off here, for many kinds of film; what cannot be cut is said and split; hostile plans and pieces."""
import contextlib
import hashlib
import os
import unittest.mock
from fractions import Fraction

import harness
from harness import BIN, Case, number
from test_driver import DriverCase
from xcdriver import cutter, graph, processes, sound
from xcdriver.report.directory import Directory
from xcdriver.report.steps import timed_steps
from xcdriver.source import Source
from xcdriver.work import Work

QUIET = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
PICTURES = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=30"]
SMALL = ["-f", "lavfi", "-i", "testsrc2=s=97x65:r=24000/1001"]
FIELDS = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=50", "-vf", "tinterlace=interleave_top,fieldorder=tff"]
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "3"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params"]
HDR = ["-pix_fmt", "yuv420p10", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-color_primaries", "bt2020"]

# Films by their names: what ffmpeg makes them of. Each has several key frames, and pictures that are not in order.
FILMS = {
    "short-gops.mp4": [*PICTURES, "-frames:v", "45", *X264, "-g", "12"],
    "one-gop.mp4": [*PICTURES, "-frames:v", "40", *X264, "-g", "1000"],
    "open-gops.mkv": [*PICTURES, "-frames:v", "45", *X264, "-g", "12", "-x264-params", "open-gop=1:scenecut=0"],
    "hevc-open.mkv": [*PICTURES, "-frames:v", "45", *X265, "log-level=none:keyint=15:open-gop=1"],
    "hidden.webm": [*PICTURES, "-frames:v", "45", "-c:v", "libvpx", "-g", "20", "-b:v", "200k", "-auto-alt-ref", "1",
                    "-lag-in-frames", "16"],
    "superframes.webm": [*PICTURES, "-frames:v", "45", "-c:v", "libvpx-vp9", "-g", "20", "-b:v", "200k", "-cpu-used",
                         "8"],
    "broadcast.ts": [*PICTURES, "-frames:v", "45", "-c:v", "mpeg2video", "-bf", "2", "-g", "12"],
    "all-key.mov": [*PICTURES, "-frames:v", "30", "-c:v", "mjpeg"],
    "packed.avi": [*PICTURES, "-frames:v", "50", "-c:v", "mpeg4", "-g", "15"],
    "rate-that-varies.mkv": [*PICTURES, "-vf", "select='not(mod(n,3))+not(mod(n,7))',setpts=PTS+0.005*random(0)/TB",
                             "-vsync", "vfr", "-frames:v", "40", *X264, "-g", "10"],
    "odd-444.mkv": [*SMALL, "-frames:v", "40", "-pix_fmt", "yuv444p", *X264, "-g", "15"],
    "ten-bits.mkv": [*PICTURES, "-frames:v", "30", "-pix_fmt", "yuv420p10", *X264, "-g", "10"],
    "hdr.mkv": [*PICTURES, "-frames:v", "30", *HDR, *X265, "log-level=none:keyint=10:colorprim=bt2020:"
                "transfer=smpte2084:colormatrix=bt2020nc"],
    "full-range.mp4": [*PICTURES, "-frames:v", "30", "-vf", "format=yuvj420p", *X264, "-g", "10", "-color_range", "pc"],
    "bt709.mp4": [*PICTURES, "-frames:v", "30", "-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709",
                  "-color_primaries", "bt709", "-color_trc", "bt709", *X264, "-g", "10"],
    "coloured-by-its-container.mov": [*PICTURES, "-frames:v", "30", "-vf", "scale=out_color_matrix=bt709",
                                      "-colorspace", "bt709", "-c:v", "mpeg4", "-movflags", "+write_colr", "-g", "10"],
    "interlaced.mp4": [*FIELDS, "-frames:v", "40", *X264, "-flags", "+ildct+ilme", "-g", "10"],
    "wide-samples.mp4": [*PICTURES, "-frames:v", "30", "-vf", "setsar=4/3", *X264, "-g", "10"],
    "begins-late.mp4": [*PICTURES, "-frames:v", "30", *X264, "-g", "10", "-output_ts_offset", "1.5"],
}
TURNED = "turned.mp4"
UNFIT = {
    "pulldown.mkv": ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=24000/1001", "-vf", "telecine,setfield=tff", "-frames:v",
                     "150", *X264, "-flags", "+ildct+ilme", "-g", "15"],
    "no-times.mpg": [*PICTURES, "-r", "25", "-frames:v", "50", "-c:v", "mpeg2video", "-bf", "2", "-g", "15"],
    "ends-soon.mp4": [*PICTURES, "-frames:v", "30", "-vsync", "passthrough", "-enc_time_base", "1:15360", *X264, "-bf",
                      "0", "-g", "10", "-bsf:v", "setts=duration=if(eq(N\\,29)\\,60\\,512)"],
    "raw.avi": [*PICTURES, "-frames:v", "10", "-c:v", "rawvideo", "-pix_fmt", "yuv420p"],
}
SIZE = 11  # frames of a chunk


def make_film(name):
    """A film of the lists, made once."""
    harness.need("ffmpeg")

    def make(path):
        if name == TURNED:
            harness.must(*QUIET, "-i", make_film("short-gops.mp4"), "-c", "copy", "-metadata:s:v", "rotate=90", "-f",
                         "mp4", path)
        else:
            kind = {"mkv": "matroska", "ts": "mpegts", "mpg": "mpeg"}
            suffix = name.rpartition(".")[2]
            harness.must(*QUIET, *(FILMS.get(name) or UNFIT[name]), "-f", kind.get(suffix, suffix), path)
    suffix = "." + name.rpartition(".")[2]
    return harness.cached(make, "pieces", name, str(FILMS.get(name) or UNFIT.get(name)), suffix=suffix)


def frames_of(path):
    """The MD5 of each frame of a chunk, and its header."""
    header, frames = harness.y4m_split(path.read_bytes())
    return [header, *(hashlib.md5(frame).hexdigest() for frame in frames)]


class Pictures(Case):
    """Every frame of every chunk, both ways."""

    def cut(self, source):
        """Cuts a film; returns the steps that make its chunks, in the directory that they run in."""
        with contextlib.ExitStack() as stack:
            work = Work(self.dir / "work", {"input": None, "chunk": 12, "batch": 8}, True)
            stack.callback(work.lock.file.close)
            made = cutter.Cutter(work, source, SIZE, stack)
            return list(made.chunks_from.steps(range(made.cut.chunks), ()))

    def check(self, name, rate=None):
        source = Source(str(make_film(name)), "none", rate, False)
        command = sound.picture_command(source)
        split = self.dir / f"split-{name}-{source.timing.rate.numerator}"
        self.xc("xc-split", "-s", SIZE, "-d", split, "-", stdin=harness.must(*command))
        expected = [frames_of(path) for path in sorted(split.glob("*.y4m"))]
        steps = self.cut(source)
        for step in steps:
            harness.must(*step.argv, cwd=self.dir / "work")
        self.assertEqual([frames_of(self.dir / "work" / step.outputs[0]) for step in steps], expected)
        return steps

    def setUp(self):
        super().setUp()
        for patch in (unittest.mock.patch.dict(os.environ, harness.environment()),
                      unittest.mock.patch.object(processes, "DRIVER", os.getpid())):  # this test's process
            patch.start()
            self.addCleanup(patch.stop)

    def test_kinds(self):
        for name in (*FILMS, TURNED):
            with self.subTest(name):
                self.check(name)

    def test_other_rates(self):
        for rate in ("12", "25", "60000/1001"):
            with self.subTest(rate=rate):
                self.check("rate-that-varies.mkv", Fraction(rate))

    def test_no_more_than_needed(self):
        """A step gets the pieces from the key frame before its pictures on, and no others."""
        steps = self.check("short-gops.mp4")
        pieces = list(dict.fromkeys(name for step in steps for name in step.inputs[1:]))
        self.assertEqual(len(pieces), 4)
        for step in steps[1:]:
            first = int(step.outputs[0][:8]) * SIZE
            last = min(first + SIZE + graph.AFTER, 44)
            self.assertLessEqual(set(step.inputs[1:]), set(pieces[(first - 1) // 12:last // 12 + 1]))


class Driver(DriverCase):
    OPTIONS = ("-q", "40", "-s", "6", "-k", "3", "-j", "2", "--no-scenes")

    def setUp(self):
        super().setUp()
        self.film = self.dir / "film.mp4"
        harness.must(*QUIET, *PICTURES, "-f", "lavfi", "-i", "sine", "-t", "1.6", *X264, "-g", "12", "-c:a", "aac",
                     self.film)

    def both_ways(self, film, *options):
        """The same bytes, wherever the film is decoded. Returns what was said."""
        self.works(film, "-o", "here.webm", *self.OPTIONS, *options)
        said = self.works(film, "-o", "there.webm", "--decode", "there", *self.OPTIONS, *options)
        self.assertEqual((self.dir / "here.webm").read_bytes(), (self.dir / "there.webm").read_bytes())
        return said

    def test_films(self):
        for structure in ("anchored", "classic"):
            self.assertNotIn("excamera: ", self.both_ways(self.film, "--structure", structure))
        self.assertEqual(self.names(), {"film.mp4", "here.webm", "there.webm"})

    def test_report(self):
        """The decoding is a step like others, for which the encoding waits."""
        self.works(self.film, "-o", "there.webm", "--decode", "there", "--keep", *self.OPTIONS)
        directory = Directory(self.dir / "there.webm.work")
        found = {step.name: step for step in timed_steps(directory.rows, directory.graph())}
        for name, step in found.items():
            self.assertEqual(step.tool, "xc-unpack" if name.endswith(".y4m") else "xc-enc")
        self.assertIn(found[f"{number(3)}.y4m"], found[f"{number(3)}-anchors.ivf"].inputs)

    def test_raw_pictures_come_from_the_steps(self):
        """A film whose decoding fails after the first chunk fails in the step that needs the picture."""
        environment = self.tools_but("xc-unpack", f'''case "$*" in *{number(4)}*) echo xc-unpack: no luck >&2; exit 1 ;;
            esac; exec "{BIN}/xc-unpack" "$@"''')
        said = self.fails(self.film, "-o", "there.webm", "--decode", "there", *self.OPTIONS, env=environment)
        self.assertIn("excamera: xc-unpack: no luck; the work is kept in there.webm.work", said)
        work = self.dir / "there.webm.work"
        before = {path: path.stat().st_mtime_ns for path in [*work.glob("*.nut"), *work.glob("*.plan")]}
        self.assertTrue(before)
        self.works(self.film, "-o", "there.webm", "--decode", "there", "--keep", *self.OPTIONS)
        self.assertEqual({path: path.stat().st_mtime_ns for path in before}, before, "pieces are not made anew")
        self.works(self.film, "-o", "here.webm", *self.OPTIONS)
        self.assertEqual((self.dir / "here.webm").read_bytes(), (self.dir / "there.webm").read_bytes())

    def test_what_is_decoded_here(self):
        for name, reason in (("pulldown.mkv", "its 3:2 pulldown"), ("no-times.mpg", "of its pictures"),
                             ("ends-soon.mp4", "shown for less than half a frame"),
                             ("raw.avi", "as large as raw pictures")):
            with self.subTest(name):
                self.assertRegex(self.both_ways(make_film(name)), f"excamera: /.*: is decoded here: .*{reason}")

    def test_another_decoding_is_noticed(self):
        """If ffmpeg makes something else of the first piece, the film is split here."""
        environment = self.tools_but("xc-unpack", f'''"{BIN}/xc-unpack" "$@" || exit
            case "$2" in first.y4m) printf x | dd of=first.y4m bs=1 seek=200 conv=notrunc 2>/dev/null ;; esac''')
        said = self.works(self.film, "-o", "there.webm", "--decode", "there", *self.OPTIONS, env=environment)
        self.assertIn("is decoded here: its first piece does not decode to its first pictures", said)


class Unpack(Case):
    """xc-unpack by itself."""

    PLAN = ("excamera-plan 2", "decoder {}", "base 1/15360", "pictures 0 8192 17",
            "filters scale=96:64,format=yuv420p", "shift 0.000000000", "rate 30/1", "frames 3 15 15")

    def setUp(self):
        super().setUp()
        harness.need("ffmpeg")
        self.xc("xc-unpack", "--decoder")
        lines = "\n".join(self.PLAN).format(self.xc("xc-unpack", "--decoder").decode().strip()).split("\n")
        self.plan = dict(line.split(" ", 1) for line in lines)
        harness.must(*QUIET, "-i", make_film("short-gops.mp4"), "-c", "copy", "-output_ts_offset", "60", "-f",
                     "segment", "-segment_format", "nut", "-segment_frames", "12,24,36", "piece%d.nut", cwd=self.dir)

    def write_plan(self, **changes):
        changes = {{"magic": "excamera-plan"}.get(word, word): value for word, value in changes.items()}
        lines = [f"{word} {value}\n" for word, value in {**self.plan, **changes}.items()]
        return self.write("a.plan", "".join(lines).encode())

    def test_a_chunk(self):
        self.write_plan()
        self.xc("xc-unpack", "-o", "a.y4m", "a.plan", "piece0.nut", "piece1.nut")
        expected = harness.must("ffmpeg", "-v", "error", "-i", make_film("short-gops.mp4"), "-vf",
                                "trim=start_frame=3:end_frame=15", "-f", "framemd5", "-")
        found = harness.must("ffmpeg", "-v", "error", "-i", "a.y4m", "-f", "framemd5", "-", cwd=self.dir)
        words = [harness.md5_words(text) for text in (found, expected)]
        self.assertEqual(words[0], words[1])
        self.assertEqual(len(words[0]), 12)

    def test_pictures_after_a_chunk(self):
        """Those that the plan names go to a film of their own, and so do single pictures; without, nothing changes."""
        self.write_plan()
        self.xc("xc-unpack", "-o", "whole.y4m", "a.plan", "piece0.nut", "piece1.nut")
        self.write_plan(frames="3 12 15")
        self.xc("xc-unpack", "-o", "a.y4m", "--next", "b.y4m", "--first", "c.y4m", "--last", "d.y4m", "a.plan",
                "piece0.nut", "piece1.nut")
        self.xc("xc-unpack", "-o", "alone.y4m", "a.plan", "piece0.nut", "piece1.nut")
        header, frames = harness.y4m_split((self.dir / "whole.y4m").read_bytes())
        for name, expected in (("a", frames[:9]), ("b", frames[9:]), ("c", frames[:1]), ("d", frames[8:9])):
            self.assertEqual(harness.y4m_split((self.dir / f"{name}.y4m").read_bytes()), (header, expected))
        self.assertEqual((self.dir / "alone.y4m").read_bytes(), (self.dir / "a.y4m").read_bytes())

    def test_no_pictures_after_a_chunk(self):
        self.write_plan()
        self.assertIn("a.plan: has no frames after the chunk", self.refuses(
            "xc-unpack", "-o", "a.y4m", "--next", "b.y4m", "a.plan", "piece0.nut", "piece1.nut"))

    def refused(self, message, *pieces, **changes):
        self.write_plan(**changes)
        text = self.refuses("xc-unpack", "-o", "a.y4m", "a.plan", *(pieces or ("piece0.nut", "piece1.nut")))
        self.assertIn(message, text)

    def test_hostile_plans(self):
        for word, values in {
                "magic": ("1", ""), "decoder": ("12", "x" * 16, "0" * 16),
                "base": ("0/1", "1", "1/-2", "1/2/3", "9" * 30),
                "pictures": ("0", "5 4 1", "0 8192 -1", "0 8192 17 more", f"0 {'9' * 30} 1", "x 1 1"),
                "shift": ("", "1e5", "nan", "0;1", "1.0.0"), "rate": ("30", "30/0", "a/b"),
                "frames": ("3 3 3", "5 4 4", "0 10001 10001", "3", "3 15", "3 15 ", "3 15 14", "3 15 10016"),
                "filters": ("", "movie=/etc/passwd", "scale=96:64,movie=x", "scale='1,2'", "scale=96:64,",
                            "null;anullsrc", "format=yuv420p[x]", "scale=96:64,drawtext=textfile=x",
                            "scale=%{x}", "scale", "scale=" + "1" * 2000)}.items():
            for value in values:
                with self.subTest(word, value=value[:40]):
                    if (word, value) != ("filters", "scale"):
                        self.refused("a.plan: ", **{word: value})
        for text in (b"", b"excamera-plan 1\n", b"excamera-plan 1", b"\0" * 100, b"XCREF xc-lambda fetch\n"):
            with self.subTest(text[:20]):
                self.write("a.plan", text)
                self.refuses("xc-unpack", "-o", "a.y4m", "a.plan", "piece0.nut")
        self.write_plan(more="1")
        self.assertIn("more than 8 lines", self.refuses("xc-unpack", "-o", "a.y4m", "a.plan", "piece0.nut"))

    def test_another_ffmpeg(self):
        self.refused("was made for another ffmpeg than /", decoder="0123456789abcdef")

    def test_pieces_that_do_not_hold_it(self):
        self.refused("only 12 of 17 pictures could be decoded", "piece0.nut", pictures="0 8192 17 end")
        self.refused("do not have all frames", "piece0.nut", frames="0 30 30")
        self.refused("a.plan: ", "piece2.nut")
        self.refused("piece9.nut: No such file", "piece9.nut")
        self.write("other.nut", b"hello")
        self.refused("other.nut: not a piece of a film", "piece0.nut", "other.nut")
        piece = (self.dir / "piece1.nut").read_bytes()
        for size in (30, len(piece) // 3):
            self.write("cut.nut", piece[:size])
            self.refused("a.plan: ", "piece0.nut", "cut.nut")

    def test_damaged_pieces(self):
        """A picture that is made up, since it cannot be decoded, is no silent loss."""
        piece = bytearray((self.dir / "piece1.nut").read_bytes())
        piece[len(piece) // 2:len(piece) // 2 + 60] = bytes(60)
        self.write("bad.nut", bytes(piece))
        self.refused("--decode=here encodes what there is", "piece0.nut", "bad.nut")
