# SPDX-License-Identifier: BSD-2-Clause
"""--max-bitrate of ./excamera: no picture comes too late, by a simulation of our own over the packets that ffprobe
finds."""
import re
import signal

import harness
from harness import ROOT, Ivf
from test_driver import DriverCase, number

FRAMES, LEVEL = 96, "6"
OPTIONS = ("-s", "6", "-k", "4", "-j", "2", "-q", LEVEL)  # four batches, of a second each
ROUNDING = 0.001  # seconds: WebM's times are whole milliseconds


def packets(path):
    text = harness.must("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time,size",
                        "-of", "csv=p=0", path).decode()
    return [(float(time), int(size)) for time, size in (line.split(",")[:2] for line in text.split())]


def spare(path, rate, buffer):
    """How many seconds earlier each frame could be needed: those before it have gone, and the bucket has been filled
    since, but not above its edge. Below 0, one comes too late."""
    capacity, (before, _) = rate * buffer, packets(path)[0]
    content = least = capacity
    for time, size in packets(path):
        content = min(capacity, content + (time - before) * rate) - 8 * size
        least, before = min(least, content), time
    return least / rate


class CeilingCase(DriverCase):
    """Of a made film, MOVING, that a FILTER of ffmpeg makes longer, to so many PICTURES."""

    def setUp(self):
        super().setUp()
        self.film = harness.cached(self.make_film, "ceiling", self.MOVING, self.FILTER, self.PICTURES, suffix=".mkv")

    def make_film(self, path):
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(width=112, height=96, **self.MOVING), "-vf",
                     self.FILTER, "-frames:v", self.PICTURES, "-c:v", "ffv1", path)

    def said(self, text):
        """What the last line says: seconds that were left, negative if they lacked."""
        match = re.search(r", (within|beyond) (\S+) kbit/s with a buffer of (\S+) s "
                          r"\((?:a frame comes )?([\d.]+) s (?:to spare|too late)\)\n\Z", text)
        self.assertTrue(match, text)
        return float(match[2]), float(match[3]), float(match[4]) * (1 if match[1] == "within" else -1)

    def begin_and_interrupt(self, how, chunk, first, *arguments):
        """Interrupts a run when what begins with the chunk `first` has been made coarser, and before `chunk` and those
        after it, but not the one before it, are finished after that."""
        later = "|".join(f"*--follow*{number(other)}*" for other in range(chunk, chunk + 16))
        process = self.popen(*arguments, env=self.hold(later, f"grep -q '\"{first}\": \\[' record.json"))
        self.wait_until_held(process)
        self.assertTrue((self.dir / f"out.ivf.work/{number(chunk - 1)}.ivf").exists())
        self.interrupt(process, how)
        harness.must("rm", "-r", self.dir / "tools")


class Ceiling(CeilingCase):
    """Of a film in which a picture stands still for two seconds; then everything moves."""
    MOVING = {"frames": 49, "cut": 20}
    FILTER, PICTURES = "tpad=start=47:start_mode=clone", FRAMES

    def plain(self, *options):
        def make(path):
            harness.must(ROOT / "excamera", self.film, "-o", path, *OPTIONS, *options)
        return harness.cached(make, "ceiling", options, suffix=".ivf")

    def test_every_picture_comes_in_time(self):
        for rate, buffer, output, options in ((180000, 1, "out.ivf", []), (150000, 1, "out.webm", []),
                                              (250000, 0.5, "out.ivf", ["--structure", "classic"])):
            with self.subTest(rate=rate, buffer=buffer, options=options):
                self.assertLess(spare(self.plain(*options), rate, buffer), -0.1, "the plain film does not fit")
                text = self.works(self.film, "-o", output, *OPTIONS, *options, "--max-bitrate", rate, "--buffer",
                                  buffer)
                found = spare(self.dir / output, rate, buffer)
                self.assertGreaterEqual(found, -ROUNDING)
                told = self.said(text)
                self.assertEqual(told[:2], (rate / 1000, buffer))
                self.assertAlmostEqual(told[2], found, delta=0.0006 + (ROUNDING if output == "out.webm" else 0))
                self.assertEqual(len(harness.vpxdec_frames(self.dir / output)), FRAMES)

    def test_what_fits_stays(self):
        """Batches that fit keep the level and the bytes that they have without a limit."""
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "--max-bitrate", "0.15M")
        plain, ours = [Ivf(path).frames for path in (self.plain(), self.dir / "out.ivf")]
        keys = [place for place, (_, data) in enumerate(plain) if harness.is_key_frame(data)]
        self.assertEqual(ours[:keys[1]], plain[:keys[1]])
        self.assertNotEqual([data for _, data in ours], [data for _, data in plain])
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "--max-bitrate", "50M")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.plain().read_bytes())

    def test_the_same_bytes(self):
        """With any -j, and after an interruption while a batch is encoded again."""
        limit = ("--max-bitrate", "150k", "--buffer", "1.5")
        self.works(self.film, "-o", "expected.ivf", *OPTIONS, *limit)
        expected = (self.dir / "expected.ivf").read_bytes()
        self.works(self.film, "-o", "out.ivf", *OPTIONS, *limit, "-j", "5")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)
        for how in (signal.SIGKILL, signal.SIGTERM):
            self.begin_and_interrupt(how, 14, 12, *OPTIONS, *limit)
            self.assertIn("with another max bitrate", self.fails(self.film, "-o", "out.ivf", *OPTIONS, *limit[:2]))
        self.works(self.film, "-o", "out.ivf", *OPTIONS, *limit)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)

    def test_out_of_reach(self):
        """Everything is as small as it can be, and the last line says how much is lacking."""
        _, _, left = self.said(self.works(self.film, "-o", "out.ivf", *OPTIONS, "--max-bitrate", "5k"))
        self.assertAlmostEqual(left, spare(self.dir / "out.ivf", 5000, 2), delta=0.0006)
        self.assertLess(left, 0)
        self.works(self.film, "-o", "least.ivf", *OPTIONS[:-1], "63")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "least.ivf").read_bytes())

    def test_segments_of_several_sizes(self):
        """Each size has the limit for itself; nothing is published before it keeps it."""
        self.works(self.film, "-o", "out", *OPTIONS, "--max-bitrate", "150k", "--segments", "dash", "--ladder",
                   "96,72:10")
        for height in (96, 72):
            parts = sorted((self.dir / "out").glob(f"video-{height}-0*.webm"))
            data = b"".join(path.read_bytes() for path in (self.dir / f"out/video-{height}-init.webm", *parts))
            self.assertGreaterEqual(spare(self.write("joined.webm", data), 150000, 2), -ROUNDING)

    def test_refused(self):
        for options in (["--max-bitrate", "0"], ["--max-bitrate", "2T"], ["--max-bitrate", "2M", "--buffer", "0"],
                        ["--max-bitrate", "2M", "--buffer", "nan"]):
            with self.subTest(options):
                self.assertEqual(self.excamera(self.film, "-o", "out.ivf", *options).returncode, 2)
        for options, reason in ((["--buffer", "2"], "is for --max-bitrate"),
                                (["--max-bitrate", "2M", "--target", "ssim=0.9"], "--target exclude each other"),
                                (["--max-bitrate", "50k", "--bitrate", "51k"], "less than the bitrate"),
                                (["--max-bitrate", "50k", "--ladder", "48:51k"], "less than the bitrate")):
            with self.subTest(options):
                self.assertIn(reason, self.fails(self.film, "-o", "out.ivf", *options))


class WithABitrate(CeilingCase):
    """A limit beside --bitrate and --size: both are kept. Everything moves for four seconds; then the picture stands
    still as long."""
    MOVING = {"frames": 97, "cut": 40}
    FILTER, PICTURES = "tpad=start=95:start_mode=clone,reverse", 192
    OPTIONS = ("-s", "6", "-k", "4", "-j", "2")
    RATE = 136000
    LIMIT = ("--max-bitrate", "136k", "--buffer", "0.5")

    def test_mean_and_limit(self):
        """The easy part gets what the hard one could not take."""
        for structure, target in (("anchored", ["--bitrate", "100k"]), ("prepared", ["--size", "100k"])):
            with self.subTest(structure):
                options = (*self.OPTIONS, "--structure", structure, *target)
                self.works(self.film, "-o", "plain.ivf", *options)
                self.assertLess(spare(self.dir / "plain.ivf", self.RATE, 0.5), -0.05, "the plain film does not fit")
                text = self.works(self.film, "-o", "out.ivf", *options, *self.LIMIT)
                found = spare(self.dir / "out.ivf", self.RATE, 0.5)
                self.assertGreaterEqual(found, 0)
                self.assertAlmostEqual((self.dir / "out.ivf").stat().st_size / 100000, 1, delta=0.03)
                self.assertEqual(self.said(text)[:2], (self.RATE / 1000, 0.5))
                self.assertAlmostEqual(self.said(text)[2], found, delta=0.0006)
                self.assertIn(", wanted 100", text)
                self.assertEqual(len(harness.vpxdec_frames(self.dir / "out.ivf")), 192)

    def test_the_same_bytes(self):
        """With any -j, and after an interruption, also in the middle of a batch."""
        options = (*self.OPTIONS, "--no-scenes", "--bitrate", "100k", *self.LIMIT)
        self.works(self.film, "-o", "expected.ivf", *options)
        expected = (self.dir / "expected.ivf").read_bytes()
        self.works(self.film, "-o", "out.ivf", *options, "-j", "5")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)
        (self.dir / "out.ivf").unlink()
        for how, chunk in ((signal.SIGKILL, 11), (signal.SIGTERM, 14)):
            self.begin_and_interrupt(how, chunk, 8, *options)
        self.works(self.film, "-o", "out.ivf", *options)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)

    def test_out_of_reach(self):
        """The limit counts, and the last line tells how far the film is from its target."""
        text = self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--size", "140k", "--max-bitrate", "140k",
                          "--buffer", "1")
        self.assertGreaterEqual(spare(self.dir / "out.ivf", 140000, 1), 0)
        self.assertLess(float(re.search(r"wanted 140000 bytes \(([+-][\d.]+) %\)", text)[1]), -3)
