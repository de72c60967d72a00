# SPDX-License-Identifier: BSD-2-Clause
"""What ./excamera tells its user: the line that is updated, on terminals of all kinds, the last line, whose figures are
those of other programs, and what would be done."""
import fcntl
import json
import os
import pty
import re
import resource
import select
import shutil
import struct
import subprocess
import termios
import time

import harness
from harness import BIN, ROOT
from test_driver import FRAMES, OPTIONS, DriverCase, number

LINE = r"encoding: frame \d+ of 21 \(\d+ %\), [\d.]+ fps, \d+:\d\d left, [\d.]+ kB of ~[\d.]+ kB"


class Terminal(DriverCase):
    """An encode on a terminal, which lasts until the test has seen enough."""

    def start(self, columns, **environment):
        env = {**self.hold(4), "TERM": "xterm", **environment}
        env = {name: value for name, value in env.items() if value is not None}
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen([ROOT / "excamera", self.film, "-o", "out.ivf", *OPTIONS, "-j", "1"],
                                        cwd=self.dir, stdin=subprocess.DEVNULL, stderr=slave, env=env)
        os.close(slave)
        self.text = ""

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))

    def read(self):
        ready = select.select([self.master], [], [], harness.TIMEOUT)[0]
        self.assertTrue(ready, f"nothing comes after {self.text!r}")
        try:
            data = os.read(self.master, 4096)
        except OSError:  # Linux reports a closed terminal in this way
            data = b""
        self.text += data.decode()
        return data

    def read_until(self, pattern):
        end = time.monotonic() + harness.TIMEOUT
        while not re.search(pattern, self.text):
            self.assertLess(time.monotonic(), end, self.text[-300:])
            self.assertTrue(self.read(), self.text)

    def read_all(self):
        self.held.unlink()
        while self.read():
            pass
        self.assertEqual(self.process.wait(harness.TIMEOUT), 0)

    def tearDown(self):
        self.end()

    def end(self):
        self.held.unlink(missing_ok=True)
        self.process.kill()
        self.process.wait()
        if self.master is not None:
            os.close(self.master)
        self.master = None
        shutil.rmtree(self.dir / "tools", ignore_errors=True)

    def updates(self):
        return re.findall(r"\r([^\r\n\x1b]*)\x1b\[J", self.text)

    def test_wide(self):
        """Stage, frames, speed, time left and size. There are no colours. The line is gone at the end."""
        self.start(120)
        self.read_until(LINE)
        self.read_all()
        self.assertNotRegex(self.text, r"\x1b\[[\d;]*m")
        self.assertRegex(self.text, r"\r\x1b\[Jout\.ivf: 21 frames, [^\n]*\n\Z")
        self.assertEqual(self.text.count("\n"), 1)

    def test_narrow(self):
        """What matters least is left out; nothing is as long as a row. The last line goes on after a whole word."""
        for columns, expected in ((60, r"\rencoding: frame \d+ of 21 \(\d+ %\), [\d.]+ fps, \d+:\d\d left\x1b"),
                                  (45, r"\rencoding: frame \d+ of 21 \(\d+ %\), \d+:\d\d left\x1b"),
                                  (20, r"\rencoding: frame \d+\b[^\x1b]*\x1b"), (1, r"\r\x1b")):
            with self.subTest(columns=columns):
                self.start(columns)
                self.read_until(expected)
                self.read_all()
                self.assertLess(max(map(len, self.updates())), columns)
                rows = self.text.rpartition("\x1b[J")[2].splitlines()
                self.assertRegex(" ".join(row.strip() for row in rows), r"\Aout\.ivf: 21 frames, .* kbit/s\Z")
                self.assertTrue(columns < 20 or max(map(len, rows)) <= columns, rows)
                self.end()

    def test_resized(self):
        """A terminal that becomes narrower breaks the line into rows, all of which are written over. Before that, there
        may be another update that knows nothing of it."""
        self.start(120)
        self.read_until(LINE + r"\x1b\[J")
        self.resize(25)
        self.read_until(r"\x1b\[\d+A\rencoding: frame \d+ of \d+[^\x1b]*\x1b\[J")
        before, rows = re.search(r"\r([^\r]*)\x1b\[J\x1b\[(\d+)A", self.text).groups()
        self.assertEqual(int(rows), (len(before) - 1) // 25)
        self.read_all()

    def test_dumb(self):
        """Lines without control characters."""
        for term in ("dumb", None):
            with self.subTest(TERM=term):
                self.start(80, TERM=term)
                self.read_until("encoding")
                self.read_all()
                self.assertNotRegex(self.text, r"[^\r\n -~]")
                self.assertRegex(self.text, r"\Asplitting \.\.\.\r\nencoding \.\.\.\r\n")
                self.end()

    def test_terminal_that_goes_away(self):
        self.start(80)
        self.read_until("encoding")
        os.close(self.master)
        self.master = None
        self.held.unlink()
        self.process.wait(harness.TIMEOUT)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())


class Summary(DriverCase):
    def figures(self, text):
        """What the last line says, as a dictionary."""
        line = text.splitlines()[-1]
        match = re.fullmatch(r"(?P<name>\S+): (?P<frames>\d+) frames, (?P<bytes>\d+) bytes, (?P<seconds>[\d.]+) s; "
                             r"(?P<cpu>[\d.]+) s of CPU, (?P<kbits>[\d.]+) kbit/s"
                             r"(?:, SSIM (?P<ssim>[\d.]+), PSNR (?P<psnr>[\d.]+) dB)?", line)
        self.assertTrue(match, line)
        return {name: float(value) for name, value in match.groupdict().items() if value and name != "name"}

    def test_figures(self):
        """Those of the file system, ffprobe, FFmpeg's filters and xc-ssim. The film has several segments."""
        film = harness.film(width=48, height=48, frames=60)
        harness.must("ffmpeg", "-v", "error", "-i", film, "-f", "lavfi", "-i", "sine=duration=3", "-c:v", "ffv1",
                     "-c:a", "flac", self.dir / "in.mkv")
        for name, source in (("out.webm", "in.mkv"), ("out.ivf", film)):
            with self.subTest(name):
                found = self.figures(self.works(source, "-o", name, "-s", "1", "-k", "3", "-q", "40", "-j", "1",
                                                "--measure"))
                path = self.dir / name
                format_ = json.loads(harness.must("ffprobe", "-v", "error", "-show_format", "-of", "json",
                                                  path))["format"]
                self.assertEqual(found["frames"], int(self.probe(name)["video"]["nb_read_frames"]))
                self.assertEqual(found["bytes"], path.stat().st_size)
                self.assertAlmostEqual(found["kbits"], path.stat().st_size * 8 / float(format_["duration"]) / 1000,
                                       delta=0.06)
                self.assertAlmostEqual(found["ssim"], harness.ssim(path, film), delta=1e-5)
                self.assertAlmostEqual(found["psnr"], self.psnr(path, film), delta=0.006)
        mean = json.loads(self.xc("xc-ssim", "--psnr", "--json", "-2", "y4m", "out.ivf", film))["mean"]
        self.assertAlmostEqual(found["ssim"], mean["y"], delta=5.1e-6)
        self.assertAlmostEqual(found["psnr"], mean["psnr_y"], delta=0.0051)

    def psnr(self, path, film):
        graph = "[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a][b]psnr"
        text = harness.run("ffmpeg", "-i", path, "-i", film, "-lavfi", graph, "-f", "null", "-").stderr.decode()
        return float(re.search(r"PSNR y:([\d.]+)", text)[1])

    def test_cpu_time(self):
        """What the kernel counts for the driver and all its children."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = self.figures(self.works(self.film, "-o", "out.ivf", *OPTIONS))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.assertAlmostEqual(found["cpu"], used, delta=0.1 + 0.1 * used)

    def test_measured_in_part(self):
        """An interrupted run did not measure, the next one does. It says of how many frames the figures are."""
        film = harness.film(width=48, height=48, frames=60)
        options = ("-s", "1", "-k", "3", "-q", "40", "-j", "1")
        process = subprocess.Popen([ROOT / "excamera", film, "-o", "out.ivf", *options], cwd=self.dir,
                                   stderr=subprocess.PIPE, env=self.hold(40))
        harness.wait_for((self.dir / f"out.ivf.work/{number(38)}.ivf").exists)
        process.terminate()
        process.communicate(timeout=harness.TIMEOUT)
        done = json.loads((self.dir / "out.ivf.work/record.json").read_text())["done"]
        self.assertIn(done, (18, 36))
        self.assertRegex(self.works(film, "-o", "out.ivf", *options, "--measure"),
                         rf"SSIM [\d.]+ of {60 - done} frames, PSNR [\d.]+ dB of {60 - done} frames\n\Z")


class HowMuch(DriverCase):
    def test_quiet(self):
        self.assertEqual(self.works(self.film, "-o", "out.ivf", *OPTIONS, "--quiet"), "")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())
        self.assertRegex(self.fails("missing.mp4", "-o", "out.ivf", "--quiet"),
                         r"\Aexcamera: [^\n]*missing.mp4[^\n]*\n\Z")

    def test_verbose(self):
        text = self.works(self.film, "-o", "out.ivf", *OPTIONS, "--verbose")
        for program in ("ffprobe", "ffmpeg", "xc-split", "make", "xc-merge"):
            self.assertIn(f"\n+ {program} ", "\n" + text)

    def test_dry_run(self):
        """It says how many frames and chunks there are, and makes nothing."""
        done = self.excamera(self.film, "-o", "out.ivf", "-s", "4", "-k", "3", "--dry-run")
        self.assertEqual((done.returncode, done.stderr, self.names()), (0, b"", set()))
        text = done.stdout.decode()
        self.assertIn(f"about {FRAMES} frames of 96x80, 24.000 per second", text)
        chunks = harness.write_chunks(self.film, self.dir, 4)
        self.assertIn(f"chunks:   {chunks}, 4 frames each, 3 per key frame", text)
        self.assertIn("no such directory", self.fails(self.film, "-o", "missing/out.ivf", "-n"))

    def room(self, film, *options, engine):
        """The bytes that --dry-run says are needed."""
        done = self.excamera(film, "-o", "out.ivf", "-s", "1", "-k", "2", "-j", "2", *options, "--dry-run",
                             env=harness.environment(ENGINE=engine))
        number, unit = re.search(r"room: +about ([\d.]+) (kB|MB) in", done.stdout.decode()).groups()
        return float(number) * {"kB": 1e3, "MB": 1e6}[unit]

    def test_room(self):
        """Raw pictures of what two segments have. Where steps run elsewhere, segments are short; where they decode the
        film there, too, only the film and the streams are here."""
        raw = 96 * 80 * 3 / 2
        self.write("film.mp4", b"")
        harness.must("ffmpeg", "-v", "error", "-y", "-i", self.film, "-c:v", "libx264", self.dir / "film.mp4")
        size = (self.dir / "film.mp4").stat().st_size
        self.assertAlmostEqual(self.room(self.film, engine="local"), FRAMES * raw * 1.5, delta=0.1 * FRAMES * raw)
        self.assertAlmostEqual(self.room(self.film, engine="lambda"), 4 * raw * 1.5, delta=0.1 * raw)
        self.assertAlmostEqual(self.room("film.mp4", "--decode", "there", engine="lambda-chunk"), 2 * size,
                               delta=0.1 * size)
        self.assertAlmostEqual(self.room("film.mp4", "--decode", "there", engine="local"), FRAMES * raw * 1.5,
                               delta=0.1 * FRAMES * raw)

    def test_elsewhere_lines_keep_their_form(self):
        """Programs read them: what was there before remains, in its place."""
        env = {**harness.environment(), "PYTHONPATH": str(ROOT)}
        script = ("import time; from xcdriver import progress; now = 1000; time.monotonic = lambda: now; "
                  "p = progress.Progress(); p.begin('encoding', 96); now += 20; "
                  "p.show(lambda: 24, lambda n: (1000000, 4e6))")
        done = harness.run("python3", "-c", script, env=env)
        self.assertRegex(done.stderr.decode(), r"\Aencoding \.\.\.\nencoding: frame 24 of 96 \(25 %\), 1\.2 fps, 1:00 "
                                               r"left, 1\.0 MB of about 4\.0 MB\n\Z")


class Programs(DriverCase):
    def test_xc_bin(self):
        """The tools that measure are those that the driver uses."""
        tools = self.tools_but("xc-ssim", f"echo measured >>'{self.dir}/calls'; exec '{BIN}/xc-ssim' \"$@\"")
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "--measure", env=tools)
        self.assertEqual((self.dir / "calls").read_text(), "measured\n" * 2)
        shutil.rmtree(self.dir / "tools")
        tools = self.tools_but("xc-ssim", "echo 'xc-ssim: no luck today' >&2; exit 1")
        text = self.fails(self.film, "-o", "out.ivf", *OPTIONS, "--restart", "--measure", env=tools)
        self.assertIn("xc-ssim: no luck today; the work is kept", text)
