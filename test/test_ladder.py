# SPDX-License-Identifier: BSD-2-Clause
"""--ladder of ./excamera: each size is what the film alone makes of it, from one reading of the film."""
import re
import signal

import harness
from harness import ROOT
from test_driver import DriverCase, number
from test_segments import dash_times, hls_names, named

FRAMES = 30
OPTIONS = ("-s", "4", "-k", "3", "-j", "2")  # three batches


class Ladder(DriverCase):
    def setUp(self):
        super().setUp()
        self.film = harness.cached(self.make_film, "ladder", suffix=".mkv")

    @staticmethod
    def make_film(path):
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(width=128, height=96, frames=FRAMES, cut=20), "-f",
                     "lavfi", "-i", "sine=duration=1.25", "-c:v", "ffv1", "-c:a", "flac", path)

    def alone(self, *options):
        """What comes of one size, as a film of its own."""
        def make(path):
            harness.must(ROOT / "excamera", self.film, "-o", path, *OPTIONS, *options)
        return harness.cached(make, "ladder", options, suffix=".webm").read_bytes()

    def read(self, name):
        return (self.dir / name).read_bytes()

    def test_files(self):
        """Each has the bytes that it has alone. One ffmpeg decodes the film for all."""
        text = self.works(self.film, "-o", "out.webm", *OPTIONS, "-q", "30", "--ladder", "96,64:40,48", "--verbose")
        self.assertEqual(self.names(), {"out-96.webm", "out-64.webm", "out-48.webm"})
        for height, level in ((96, 30), (64, 40), (48, 30)):
            with self.subTest(height):
                self.assertEqual(self.read(f"out-{height}.webm"), self.alone("--scale", f"x{height}", "-q", str(level)))
        decoding = [line for line in text.splitlines() if "yuv4mpegpipe" in line and "-frames:v 1 " not in line]
        self.assertEqual(len(decoding), 1, decoding)
        lines = [line for line in text.splitlines() if re.match(r"out-\d+\.webm: ", line)]
        self.assertEqual([line.split(", ")[:2] for line in lines], [
            [f"out-{height}.webm: {FRAMES} frames", f"{len(self.read(f'out-{height}.webm'))} bytes"]
            for height in (96, 64, 48)])

    def test_edits(self):
        self.works(self.film, "-o", "out.webm", *OPTIONS, "-q", "30", "--ladder", "64,48", "--trim", "0.2-0.9",
                   "--filter", "hflip")
        for height in (64, 48):
            self.assertEqual(self.read(f"out-{height}.webm"), self.alone(
                "-q", "30", "--trim", "0.2-0.9", "--filter", f"hflip,scale=-1:{height}"))

    def test_bitrates(self):
        """Of each file, with its sound, as ffprobe has them."""
        wanted = {96: 360000, 64: 220000}
        self.works(self.film, "-o", "out.webm", *OPTIONS, "--ladder", "96:360k,64:0.22M")
        for height, rate in wanted.items():
            found = harness.must("ffprobe", "-v", "error", "-show_entries", "format=bit_rate", "-of", "csv=p=0",
                                 self.dir / f"out-{height}.webm")
            self.assertAlmostEqual(int(found) / rate, 1, delta=0.04)

    def test_long_film(self):
        """Raw pictures of a part exist at a time. The sizes take turns, and a bitrate has other turns than a level."""
        film = harness.film(width=64, height=48, frames=60, cut=20)
        self.works(film, "-o", "out.ivf", "-s", "1", "-k", "2", "-j", "1", "--ladder", "48:50,32:60k,24:50")
        for height in (48, 32, 24):
            self.assertEqual(len(harness.vpxdec_frames(self.dir / f"out-{height}.ivf")), 60)
        self.assertAlmostEqual((self.dir / "out-32.ivf").stat().st_size * 8 / 2.5 / 60000, 1, delta=0.04)

    def test_segments(self):
        """One manifest has all sizes, whose segments have the same borders, and the pictures of the files."""
        for kind in ("dash", "hls"):
            self.works(self.film, "-o", kind, *OPTIONS, "-q", "30", "--ladder", "96,64,48", "--segments", kind)
            directory = self.dir / kind
            self.assertEqual(set(named(directory)), {path.name for path in directory.glob("*.webm")})
            for height in (96, 64, 48):
                parts = sorted(directory.glob(f"video-{height}-0*.webm"))
                data = b"".join(path.read_bytes() for path in (directory / f"video-{height}-init.webm", *parts))
                self.write("alone.webm", self.alone("--scale", f"x{height}", "-q", "30"))
                self.assertEqual(harness.ffmpeg_frames(self.write("joined.webm", data)),
                                 harness.ffmpeg_frames(self.dir / "alone.webm"))
        times = dash_times(self.dir / "dash")
        self.assertEqual(set(times), {"video-96", "video-64", "video-48", "track-1"})
        self.assertEqual(times["video-96"], times["video-64"])
        self.assertEqual(times["video-96"], times["video-48"])
        lists = hls_names(self.dir / "hls")
        self.assertEqual([length for _, length in lists["video-96.m3u8"]],
                         [length for _, length in lists["video-48.m3u8"]])
        master = (self.dir / "hls/film.m3u8").read_text()
        sizes = [self.probe(self.dir / f"{kind}/../joined.webm")["video"]]
        self.assertEqual(re.findall(r"RESOLUTION=(\S+?),.*\n(.*)", master)[-1],
                         (f"{sizes[0]['width']}x{sizes[0]['height']}", "video-48.m3u8"))
        self.assertEqual(len(re.findall("#EXT-X-STREAM-INF", master)), 3)

    def test_interrupted(self):
        """In the second size, when the first one is ready: the same command goes on, and nothing is made twice."""
        options = (*OPTIONS, "-q", "30", "--ladder", "96,64")
        for how in (signal.SIGKILL, signal.SIGINT):
            with self.subTest(how.name):
                process = self.popen(*options, output="out.webm", env=self.hold(f'*out-64.webm.work*"-o {number(4)}"*'))
                self.wait_until_held(process)
                self.interrupt(process, how)
                made = list((self.dir / "out-96.webm.work").glob("????????.ivf"))
                done = {path.name: path.stat().st_mtime_ns for path in made}
                self.assertEqual(len(done), 8)
                text = self.works(self.film, "-o", "out.webm", *options, "--keep")
                self.assertIn("out-64.webm: ", text)
                for name, time in done.items():
                    self.assertEqual((self.dir / "out-96.webm.work" / name).stat().st_mtime_ns, time)
                for height in (96, 64):
                    self.assertEqual(self.read(f"out-{height}.webm"), self.alone("--scale", f"x{height}", "-q", "30"))
                harness.must("rm", "-rf", *self.dir.iterdir())

    def test_refused(self):
        for text in ("", "96,96", "0", "96:64", "96:2T", "x96", ",".join(map(str, range(1, 15)))):
            with self.subTest(text):
                self.assertEqual(self.excamera(self.film, "-o", "out.webm", "--ladder", text).returncode, 2)
        for options, reason in ((["--scale", "x4"], "exclude each other"), (["--size", "50k"], "for each"),
                                (["--bitrate", "50k"], "for each"), (["--decode", "there"], "raw pictures here")):
            with self.subTest(options):
                self.assertIn(reason, self.fails(self.film, "-o", "out.webm", "--ladder", "48", *options))
        text = self.fails(self.film, "-o", "out.webm", "--ladder", "48,97")
        self.assertIn("has 96 lines, fewer than --ladder 97", text)
        self.assertIn("needs a film", self.fails("-", "-o", "out.webm", "--ladder", "48"))
        self.assertEqual(self.names(), set())
        (self.dir / "out-48.webm").mkdir()
        self.assertIn("out-48.webm: is a directory", self.fails(self.film, "-o", "out.webm", "--ladder", "64,48"))

    def test_plan(self):
        done = self.excamera(self.film, "-o", "out.webm", *OPTIONS, "--ladder", "64,48:40", "--dry-run")
        self.assertEqual(done.returncode, 0)
        text = done.stdout.decode()
        self.assertEqual(re.findall(r"(?m)^output: +(\S+)", text), ["out-64.webm", "out-48.webm"])
        self.assertEqual(re.findall(r"(?m)^quality: +(.+)", text), ["level 22", "level 40"])
