# SPDX-License-Identifier: BSD-2-Clause
"""--trim, --crop, --scale, --filter and --keyint of ./excamera: what ffmpeg makes of a film with the same wishes."""
import array
import json
import signal

import harness
from harness import Ivf
from test_driver import DriverCase

SMALL = ("-s", "4", "-k", "3", "-q", "4")
TO_VP8 = "scale=out_range=tv:out_color_matrix=bt601,format=yuv420p"


class Edits(DriverCase):
    def setUp(self):
        super().setUp()
        self.film = harness.film(width=96, height=80, frames=72, cut=40)  # three seconds

    def expected(self, filters, *options):
        """The film as ffmpeg alone makes it."""
        harness.must("ffmpeg", "-v", "error", "-y", *options, "-i", self.film, "-vf", f"{filters},{TO_VP8}", "-f",
                     "yuv4mpegpipe", self.dir / "expected.y4m")
        return self.dir / "expected.y4m"

    def is_like(self, name, expected):
        """Shows the same pictures, of which none is missing, and no other."""
        header, frames = harness.y4m_split(expected.read_bytes())
        video = self.probe(name)["video"]
        self.assertEqual((video["width"], video["height"]), harness.y4m_size(header))
        self.assertEqual(int(video["nb_read_frames"]), len(frames))
        self.assertGreater(harness.ssim(self.dir / name, expected), 0.97)

    def test_pictures(self):
        for options, filters in ((["--crop", "60x40+7+11"], "crop=60:40:7:11:exact=1"),
                                 (["--crop", "60x40"], "crop=60:40"),
                                 (["--scale", "64x48"], "scale=64:48"), (["--scale", "48x"], "scale=48:-1"),
                                 (["--scale", "x50"], "scale=-1:50"),
                                 (["--filter", "hflip,negate"], "hflip,negate"),
                                 (["--scale", "48x", "--crop", "60x40+0+0", "--filter", "pad=64:64"],
                                  "crop=60:40:0:0,scale=48:-1,pad=64:64")):
            with self.subTest(options):
                self.works(self.film, "-o", "out.ivf", *SMALL, *options)
                self.is_like("out.ivf", self.expected(filters))

    def test_trim(self):
        """The pictures from FROM on, and before TO; also where that is no multiple of a frame."""
        for span, first, end in (("0.5-1.5", 12, 36), ("2-", 48, 72), ("0-0:00.75", 0, 18), ("0:01.01-1.99", 25, 48)):
            with self.subTest(span):
                self.works(self.film, "-o", "out.ivf", *SMALL, "--trim", span)
                self.is_like("out.ivf", self.expected(f"trim=start_frame={first}:end_frame={end},setpts=PTS-STARTPTS"))

    def test_trim_in_a_compressed_film(self):
        """Key frames are far from where the part begins; the clock of the file does not begin at 0."""
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-c:v", "mpeg4", "-q:v", "1", "-g", "60",
                     "-output_ts_offset", "7", self.dir / "in.ts")
        self.works("in.ts", "-o", "out.ivf", *SMALL, "--trim", "1.25-2.5")
        self.is_like("out.ivf", self.expected("trim=start_frame=30:end_frame=60,setpts=PTS-STARTPTS"))

    def test_sound(self):
        """Is trimmed along: a click and a flash at 2 s are at 1.2 s of what begins at 0.8 s, encoded or copied."""
        for codec in ("flac", "libvorbis"):
            with self.subTest(codec):
                harness.must("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                             "color=black:s=64x48:r=25:d=4,drawbox=enable='eq(n,50)':c=white:t=fill", "-f", "lavfi",
                             "-i",
                             "aevalsrc='if(between(t,2,2.04),sin(2*PI*1000*t),0)':s=48000:d=4", "-c:v", "ffv1", "-c:a",
                             codec, self.dir / "in.mkv")
                self.works("in.mkv", "-o", "out.webm", *SMALL, "--trim", "0.8-3")
                self.assertEqual(self.probe("out.webm")["video"]["nb_read_frames"], "55")
                # The first packet of Opus has a time below 0, which moves all.
                self.assertAlmostEqual(self.flash(), 1.2, delta=0.02)
                self.assertAlmostEqual(self.click(), self.flash(), delta=0.02)
                seconds = harness.must("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0",
                                       self.dir / "out.webm")
                self.assertAlmostEqual(float(seconds), 2.2, delta=0.06)

    def test_far_from_the_beginning(self):
        """ffmpeg does not read all that comes before, and counts from where it begins to read."""
        harness.must("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=black:s=64x48:r=30000/1001:d=60,"
                     "drawbox=enable='eq(n,1499)':c=white:t=fill", "-f", "lavfi", "-i",
                     "aevalsrc='if(between(t,50.017,50.05),sin(2*PI*1000*t),0)':s=48000:d=60", "-c:v", "mpeg4", "-g",
                     "100", "-c:a", "flac", self.dir / "in.mkv")
        text = self.works("in.mkv", "-o", "out.webm", *SMALL, "--trim", "48.5-0:51", "--verbose")
        self.assertIn(" -ss 38 -t 23.000 -i in.mkv ", text)
        self.assertEqual(self.probe("out.webm")["video"]["nb_read_frames"], "75")
        self.assertAlmostEqual(self.flash(), 1499 * 1001 / 30000 - 48.5, delta=0.035)
        self.assertAlmostEqual(self.click(), self.flash(), delta=0.035)

    def flash(self):
        """When the bright picture of out.webm is shown."""
        text = harness.must("ffprobe", "-v", "error", "-f", "lavfi", "-i", "movie=out.webm,signalstats",
                            "-show_entries",
                            "frame=pts_time:frame_tags=lavfi.signalstats.YAVG", "-of", "json", cwd=self.dir)
        frames = [(float(frame["tags"]["lavfi.signalstats.YAVG"]), float(frame["pts_time"]))
                  for frame in json.loads(text)["frames"]]
        return max(frames)[1]

    def click(self):
        """When the sound of out.webm begins, in seconds."""
        raw = harness.must("ffmpeg", "-v", "error", "-i", self.dir / "out.webm", "-map", "0:a", "-af",
                           "aresample=async=1", "-f", "s16le", "-ac", "1", "-ar", "48000", "-")
        samples = array.array("h", raw)
        return next(place for place, sample in enumerate(samples) if abs(sample) > 3000) / 48000

    def test_bad_wishes(self):
        """They are refused in one line, before anything is made."""
        for options, reason in ((["--filter", "nonsense=3"], "nonsense"), (["--crop", "200x200+0+0"], "ffmpeg cannot"),
                                (["--trim", "3.1-"], "ends after 3.0 s"), (["--scale", "16400x16"], "limit is 16368"),
                                (["--filter", "trim=start_frame=100"], "ffmpeg cannot")):
            with self.subTest(options):
                text = self.fails(self.film, "-o", "out.ivf", *options)
                self.assertRegex(text, rf"\Aexcamera: [^\n]*{reason}[^\n]*\n\Z")
                self.assertEqual(self.names(), set())
        self.assertIn("is encoded as it is", self.fails("-", "-o", "out.ivf", "--scale", "64x48"))
        for options in (["--trim", "2"], ["--trim", "2-1"], ["--trim", "-"], ["--trim", "1-x"], ["--scale", "x"],
                        ["--scale", "0x4"], ["--crop", "4x"], ["--crop", "4x4+1"], ["--filter", ""],
                        ["--filter", "a\nb"]):
            with self.subTest(options):
                self.assertEqual(self.excamera(self.film, "-o", "out.ivf", *options).returncode, 2)

    def test_other_wishes_do_not_mix(self):
        process = self.popen(*SMALL, "--scale", "64x48", env=self.hold(13))
        self.wait_until_held(process)
        self.interrupt(process, signal.SIGINT)
        for options in (["--scale", "64x50"], [], ["--scale", "64x48", "--trim", "0-2"]):
            with self.subTest(options):
                self.assertIn("belongs to an interrupted run with another",
                              self.fails(self.film, "-o", "out.ivf", *SMALL, *options))
        self.works(self.film, "-o", "out.ivf", *SMALL, "--scale", "64x48")
        self.is_like("out.ivf", self.expected("scale=64:48"))


class KeyInterval(DriverCase):
    def keys(self, *options):
        """Which frames are key frames, in a film of 72 frames, 24 per second. Frame 40, another scene, is always."""
        film = harness.film(width=48, height=48, frames=72, cut=40)
        self.works(film, "-o", "out.ivf", "-q", "40", *options)
        shown = [frame for frame in Ivf(self.dir / "out.ivf").frames if harness.is_shown(frame[1])]
        keys = [number for number, (_, data) in enumerate(shown) if harness.is_key_frame(data)]
        return [number for number in keys if number != 40]

    def test_seconds(self):
        plain = "--no-scenes"
        self.assertEqual(self.keys(plain, "--keyint", "2"), [0, 48])
        self.assertEqual(self.keys(plain, "--keyint", "1.9"), [0, 36], "at most so far apart: three chunks of twelve")
        self.assertEqual(self.keys(plain, "--keyint", "1", "-s", "6"), [0, 24, 48])
        self.assertEqual(self.keys(plain, "--keyint", "0.25"), list(range(0, 72, 6)), "chunks get shorter")
        self.assertEqual(self.keys("--keyint", "0.001", "--trim", "0-0.2"), list(range(5)), "each frame")
        self.assertEqual(self.keys("--keyint", "1"), [0, 24, 64], "counted from where a scene begins")

    def test_refused(self):
        self.assertIn("exclude each other", self.fails(self.film, "-o", "out.ivf", "--keyint", "2", "-k", "3"))
        self.assertIn("use -k", self.fails("-", "-o", "out.ivf", "--keyint", "2", stdin=self.film.read_bytes()))
        for value in ("0", "-1", "x", "nan", "inf"):
            self.assertEqual(self.excamera(self.film, "-o", "out.ivf", "--keyint", value).returncode, 2)


class Speeds(DriverCase):
    def test_each(self):
        """0, the default, searches most thoroughly; at one level, 4 gives the largest file. All play."""
        film = harness.film(width=176, height=144, frames=36)
        sizes, first = [], None
        for speed in range(5):
            self.works(film, "-o", "out.ivf", "-q", "30", "--speed", speed)
            sizes.append((self.dir / "out.ivf").stat().st_size)
            self.assertEqual(len(harness.vpxdec_frames(self.dir / "out.ivf")), 36)
            if speed == 0:
                first = (self.dir / "out.ivf").read_bytes()
        self.assertEqual(len(set(sizes)), 5)
        self.assertEqual(max(sizes), sizes[4])
        self.works(film, "-o", "out.ivf", "-q", "30")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), first)
        self.assertIn("--speed needs", self.fails(film, "-o", "other.ivf", "--speed", "2", "--structure", "classic"))
        self.assertEqual(self.excamera(film, "-o", "other.ivf", "--speed", "5").returncode, 2)
