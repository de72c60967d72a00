# SPDX-License-Identifier: BSD-2-Clause
"""./excamera: encoding films, with interruptions and failures."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest.mock

import harness
from harness import BIN, ROOT, Case, Ivf, number
from xcdriver import processes
from xcdriver.work import Work

FRAMES = 21
FILM = {"width": 96, "height": 80, "frames": FRAMES, "cut": 10}
# Two batches, with one frame in the last chunk. In the classic structure, to compare with the published commands.
OPTIONS = ("-s", "4", "-k", "3", "-q", "30", "--structure", "classic", "--no-scenes", "-j", "2")


class DriverCase(Case):
    def setUp(self):
        super().setUp()
        harness.need("ffmpeg", "ffprobe", "make")
        self.film = harness.film(**FILM)

    def excamera(self, *arguments, **options):
        options.setdefault("cwd", self.dir)
        return harness.run(ROOT / "excamera", *arguments, **options)

    def works(self, *arguments, **options):
        done = self.excamera(*arguments, **options)
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr.decode())
        return done.stderr.decode()

    def fails(self, *arguments, **options):
        """Returns the message. There must be no output file and no traceback."""
        before = self.names()
        done = self.excamera(*arguments, **options)
        text = done.stderr.decode()
        self.assertGreater(done.returncode, 0, text)
        self.assertIn("excamera: ", text)
        self.assertNotIn("Traceback", text)
        self.assertFalse([name for name in self.names() - before if name.endswith((".ivf", ".webm"))])
        return text

    def names(self):
        return {path.name for path in self.dir.iterdir()}

    def tools_but(self, name, script):
        """An environment in which a script replaces one of the tools."""
        tools = self.dir / "tools"
        tools.mkdir()
        for path in BIN.glob("xc-*"):
            (tools / path.name).symlink_to(path)
        (tools / name).unlink()
        harness.install_stubs(tools, {name: script})
        return harness.environment(XC_BIN=str(tools))

    def hold(self, steps, condition="true"):
        """An environment in which xc-enc does not begin with some steps until the file self.held is removed. steps: the
        number of a chunk, or a pattern of the shell for "DIRECTORY ARGUMENTS". condition: a command that succeeds while
        they are to be held. What only probes a level is not held."""
        self.held = self.write("tools.held", b"")
        pattern = f'*"-o {number(steps)}"*' if isinstance(steps, int) else steps
        return self.tools_but("xc-enc", f'''
            case "$PWD $*" in */probe*) ;; {pattern})
                while [ -e "{self.held}" ] && {condition}; do : >"{self.reached}"; sleep 0.05; done ;; esac
            exec "{BIN}/xc-enc" "$@" ''')

    @property
    def reached(self):
        """The file that says that a step is being held."""
        return self.dir / "tools/reached"

    def popen(self, *arguments, env, output="out.ivf"):
        """Encodes the film in a process group of its own, one step at a time: when a step is held, all before it are
        finished, and no other changes a file. (With two at a time, make may wait with those before it, too.)"""
        self.reached.unlink(missing_ok=True)
        return subprocess.Popen([ROOT / "excamera", self.film, "-o", output, *map(str, arguments), "-j", "1"],
                                cwd=self.dir, stderr=subprocess.PIPE, start_new_session=True, env=env)

    def wait_until_held(self, process):
        harness.wait_for(lambda: self.reached.exists() or process.poll() is not None)
        self.assertIsNone(process.poll())

    def interrupt(self, process, how):
        """Sends a signal to all processes of a run, and waits for their end. Returns what the run has said."""
        os.killpg(process.pid, how)
        text = process.communicate(timeout=harness.TIMEOUT)[1].decode()
        harness.wait_for(lambda: not harness.is_alive(process.pid))
        return text

    def probe(self, name):
        """What ffprobe says about the streams of a file, by kind. Frames are counted by decoding."""
        text = harness.must("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", self.dir / name)
        return {stream["codec_type"]: stream for stream in json.loads(text)["streams"]}

    def expected_ivf(self):
        """The result of the published commands for the film."""
        def make(path):
            work = path.parent / "work"
            work.mkdir()
            harness.encode(work, self.film, 4, 3, q=30)
            chunks = [work / f"{number(i)}.ivf" for i in range(6)]
            harness.must(BIN / "xc-merge", "-o", path, *chunks)
        return harness.cached(make, "driver", FILM, suffix=".ivf").read_bytes()


class Films(DriverCase):
    def test_ivf(self):
        text = self.works(self.film, "-o", "out.ivf", *OPTIONS)
        self.assertIn(f"{FRAMES} frames", text.splitlines()[-1])
        self.assertEqual(self.names(), {"out.ivf"})
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())
        self.assertEqual(len(harness.vpxdec_frames(self.dir / "out.ivf")), FRAMES)
        self.assertEqual(Ivf(self.dir / "out.ivf").rate, (24, 1))

    def test_webm(self):
        self.works(self.film, "-o", "out.webm", *OPTIONS)
        self.assertEqual(self.names(), {"out.webm"})
        self.write("expected.ivf", self.expected_ivf())
        pictures = harness.vpxdec_frames(self.dir / "expected.ivf")
        self.assertEqual(harness.vpxdec_frames(self.dir / "out.webm"), pictures)
        self.assertEqual(harness.ffmpeg_frames(self.dir / "out.webm"), pictures)
        streams = self.probe("out.webm")
        self.assertEqual(set(streams), {"video"})
        self.assertEqual((streams["video"]["codec_name"], streams["video"]["nb_read_frames"]), ("vp8", str(FRAMES)))
        self.assertEqual(streams["video"]["avg_frame_rate"], "24/1")

    def test_jobs_do_not_matter(self):
        for jobs in ("1", "5"):
            self.works(self.film, "-o", "out.ivf", *OPTIONS[:-1], jobs)
            self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())

    def test_the_default_structure(self):
        results = []
        for jobs in ("1", "5"):
            self.works(self.film, "-o", "out.ivf", "-s", "4", "-k", "3", "-q", "30", "-j", jobs)
            results.append((self.dir / "out.ivf").read_bytes())
        self.assertEqual(results[0], results[1])
        self.assertEqual(len(harness.vpxdec_frames(self.dir / "out.ivf")), FRAMES)
        self.xc("xc-decode", "--y4m", "-o", "out.y4m", "out.ivf")
        self.assertGreater(harness.ssim(self.dir / "out.y4m", self.film), 0.9)

    def test_standard_input(self):
        self.works("-", "-o", "out.ivf", *OPTIONS, stdin=self.film.read_bytes())
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())

    def test_names_with_spaces(self):
        (self.dir / "my films").mkdir()
        (self.dir / "my films/a 'b'.y4m").write_bytes(self.film.read_bytes())
        self.works("my films/a 'b'.y4m", "-o", "my films/$out put.ivf", *OPTIONS)
        self.assertEqual((self.dir / "my films/$out put.ivf").read_bytes(), self.expected_ivf())

    def test_odd_names(self):
        """No program takes them for an option or a protocol, and no terminal obeys them."""
        for name, shown in ((b"-x.ivf", b"-x.ivf"), (b"a\n\x1bb.ivf", b"a??b.ivf"), (b"\xff.ivf", b"\xff.ivf"),
                            (b"concat:a|%d.ivf", b"concat:a|%d.ivf")):
            with self.subTest(name):
                path = self.dir / os.fsdecode(name)
                done = self.excamera(self.film, "-o", "./" + os.fsdecode(name), *OPTIONS)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(path.read_bytes(), self.expected_ivf())
                self.assertTrue(done.stderr.splitlines()[-1].startswith(shown + b": 21 frames, "), done.stderr)
        self.write("-", self.film.read_bytes())
        self.works("./-", "-o", "out.ivf", *OPTIONS)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())
        self.assertIn("INPUT is an empty name", self.fails("", "-o", "no.ivf"))

    def test_started_by_a_link(self):
        (self.dir / "link").symlink_to(ROOT / "excamera")
        harness.must(self.dir / "link", self.film, "-o", "out.ivf", *OPTIONS, cwd=self.dir)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())

    def test_installed(self):
        """From where `make install` puts things (mk/install.mk), started through the link in bin."""
        prefix = self.dir / "a 'prefix'"
        share = prefix / "share/excamera"
        (prefix / "bin").mkdir(parents=True)
        for path in BIN.glob("xc-*"):
            (prefix / "bin" / path.name).symlink_to(path)
        for name in ("mk", "xcdriver"):
            shutil.copytree(ROOT / name, share / name, symlinks=True)
        for name in ("excamera", "gen_makefile.py"):
            shutil.copy(ROOT / name, share)
            (prefix / "bin" / name).symlink_to(f"../share/excamera/{name}")
        done = harness.run(prefix / "bin/excamera", self.film, "-o", "out.ivf", *OPTIONS, cwd=self.dir,
                           env={"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())
        text = harness.must(prefix / "bin/gen_makefile.py", 0, 0, 1, 22)
        self.assertIn(f"ENGINE_DIR ?= {share}/mk\n", text.decode())
        self.assertFalse(list(prefix.rglob("*.pyc")), "nothing is written there")

    def test_empty_environment(self):
        done = self.excamera(self.film, "-o", "out.ivf", *OPTIONS, env={"XC_BIN": str(BIN)})
        if b"is not installed" in done.stderr:
            self.skipTest(f"{done.stderr.decode().split()[1]} is not installed in {os.defpath}")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())

    def test_nobody_reads_the_messages(self):
        for redirection in ("2>&-", "2>/dev/full", "2>&1 | true"):
            with self.subTest(redirection):
                harness.must("sh", "-c", f'"$0" "$@" -o out.ivf --keep {redirection}', ROOT / "excamera", self.film,
                             *OPTIONS, cwd=self.dir)
                self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())
                (self.dir / "out.ivf").unlink()


class Audio(DriverCase):
    def source(self, name, *codec):
        """Makes the film with a tone of one second, which is longer than the video."""
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-f", "lavfi", "-i", "sine=duration=1", "-c:v", "ffv1",
                     *codec, self.dir / name)

    def check(self, codec, channels=1):
        self.works("in.mkv", "-o", "out.webm", *OPTIONS)
        streams = self.probe("out.webm")
        self.assertEqual((streams["video"]["codec_name"], streams["video"]["nb_read_frames"]), ("vp8", str(FRAMES)))
        self.assertEqual((streams["audio"]["codec_name"], streams["audio"]["channels"]), (codec, channels))
        heard = harness.must("ffmpeg", "-v", "error", "-i", self.dir / "out.webm", "-map", "0:a", "-f", "s16le",
                             "-ar", "48000", "-ac", "1", "-")
        self.assertAlmostEqual(len(heard) / 2 / 48000, 1, delta=0.05)

    def test_becomes_opus(self):
        self.source("in.mkv", "-c:a", "flac")
        self.check("opus")

    def test_vorbis_is_copied(self):
        self.source("in.mkv", "-c:a", "libvorbis")
        self.check("vorbis")
        packets = [harness.must("ffmpeg", "-v", "error", "-i", self.dir / name, "-map", "0:a", "-c", "copy",
                                "-f", "md5", "-") for name in ("in.mkv", "out.webm")]
        self.assertEqual(packets[0], packets[1])

    def test_six_channels(self):
        self.source("in.mkv", "-c:a", "flac", "-af", "pan=5.1(side)|FL=c0|FR=c0|FC=c0|LFE=c0|SL=c0|SR=c0")
        self.check("opus", channels=6)

    def test_ivf_has_none(self):
        self.source("in.mkv", "-c:a", "flac")
        self.works("in.mkv", "-o", "out.ivf", *OPTIONS)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())


class OtherMaterial(DriverCase):
    """Films in other formats are converted to what VP8 can hold."""

    def test_formats(self):
        for name, options in (("4:2:2", ["-pix_fmt", "yuv422p"]), ("10 bits", ["-pix_fmt", "yuv420p10"]),
                              ("RGB", ["-pix_fmt", "bgr0"]), ("odd size", ["-vf", "scale=95:79"])):
            with self.subTest(name):
                harness.must("ffmpeg", "-v", "error", "-y", "-i", self.film, "-c:v", "ffv1", *options,
                             self.dir / "in.mkv")
                self.works("in.mkv", "-o", "out.webm", *OPTIONS)
                self.assertEqual(self.probe("out.webm")["video"]["nb_read_frames"], str(FRAMES))

    def test_fractional_rate(self):
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-vf", "fps=30000/1001", "-c:v", "ffv1",
                     self.dir / "in.mkv")
        self.works("in.mkv", "-o", "out.ivf", *OPTIONS)
        self.assertEqual(Ivf(self.dir / "out.ivf").rate, (30000, 1001))


class Presentation(DriverCase):
    """How pictures have to be shown, which a VP8 stream itself does not say."""

    def make(self, name, *options, codec="ffv1", source=None):
        harness.must("ffmpeg", "-v", "error", "-y", "-i", source or self.film, *options, "-c:v", codec, self.dir / name)

    def shape(self, name):
        """Width divided by height on the screen."""
        width, height = self.probe(name)["video"]["display_aspect_ratio"].split(":")
        return int(width) / int(height)

    def test_shape(self):
        """Samples that are not square: 96x80 samples of 4:3, rotated or not, from a file or standard input."""
        self.make("in.mkv", "-vf", "setsar=4/3")
        self.make("upright.mp4", "-pix_fmt", "yuv420p", codec="mpeg4", source=self.dir / "in.mkv")
        self.make("in.mp4", "-metadata:s:v", "rotate=90", codec="copy", source=self.dir / "upright.mp4")
        for name, expected in (("in.mkv", 96 * 4 / 3 / 80), ("in.mp4", 80 / (96 * 4 / 3))):
            with self.subTest(name):
                self.works(name, "-o", "out.webm", *OPTIONS)
                self.assertAlmostEqual(self.shape("out.webm"), expected, delta=0.01)
        plain = self.film.read_bytes().replace(b" A1:1", b"")
        for field, expected in ((b"4:3", 96 * 4 / 3 / 80), (b"0:0", 96 / 80), (b"4", 96 / 80)):
            with self.subTest("standard input", samples=field):
                self.works("-", "-o", "out.webm", *OPTIONS, stdin=plain.replace(b"\n", b" A" + field + b"\n", 1))
                self.assertAlmostEqual(self.shape("out.webm"), expected, delta=0.01)

    def colour(self, name):
        """Red, green and blue of the first sample, as ffmpeg converts it if the file states no colour space."""
        raw = harness.must("ffmpeg", "-v", "error", "-i", self.dir / name, "-frames:v", "1", "-f", "rawvideo",
                           "-pix_fmt", "rgb24", "-")
        return raw[:3]

    def test_colours(self):
        """Full range and BT.709 become limited range and BT.601."""
        for name, scale, tag in (("full range", "out_range=pc:out_color_matrix=bt601", "bt470bg"),
                                 ("BT.709", "out_range=tv:out_color_matrix=bt709", "bt709")):
            with self.subTest(name):
                harness.must("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=0x20c040:s=64x48:d=0.5",
                             "-vf", f"format=gbrp,scale={scale},format=yuv420p", "-colorspace", tag, "-c:v", "ffv1",
                             self.dir / "in.mkv")
                before = self.colour("in.mkv")
                self.works("in.mkv", "-o", "out.webm", "-q", "0")
                for one, other in zip(before, self.colour("out.webm")):
                    self.assertAlmostEqual(one, other, delta=4)

    def test_pictures_that_begin_late(self):
        """No picture is repeated, and audio and video stay in sync."""
        harness.must("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-itsoffset", "0.3",
                     "-i", self.film, "-c:v", "ffv1", "-c:a", "flac", self.dir / "in.mkv")
        self.works("in.mkv", "-o", "out.webm", *OPTIONS)
        streams = self.probe("out.webm")
        self.assertEqual(streams["video"]["nb_read_frames"], str(FRAMES))
        late = float(streams["video"]["start_time"]) - float(streams["audio"]["start_time"])
        self.assertAlmostEqual(late, 0.3, delta=0.02)

    def test_steps_of_a_millisecond(self):
        """A film of eleven hours with few pictures and a clock of 1000 Hz does not become 42 million frames."""
        harness.must("ffmpeg", "-v", "error", "-stream_loop", "4", "-i", self.film, "-vf",
                     "settb=1/1000,setpts=N*400000+mod(N*N*37\\,911)", "-vsync", "passthrough", "-enc_time_base",
                     "1:1000", "-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-video_track_timescale", "1000",
                     self.dir / "in.mp4")
        self.works("in.mp4", "-o", "out.ivf", *OPTIONS)
        self.assertAlmostEqual(len(harness.vpxdec_frames(self.dir / "out.ivf")), 5 * FRAMES, delta=5)

    def test_title_and_bytes(self):
        """The film keeps its title. The same film gives the same file."""
        self.make("in.mkv", "-metadata", "title=Holidays")
        for name in ("one.webm", "two.webm"):
            self.works("in.mkv", "-o", name, *OPTIONS)
        text = harness.must("ffprobe", "-v", "error", "-show_entries", "format_tags=title", "-of", "csv=p=0",
                            self.dir / "one.webm")
        self.assertEqual(text, b"Holidays\n")
        self.assertEqual((self.dir / "one.webm").read_bytes(), (self.dir / "two.webm").read_bytes())


class Interrupted(DriverCase):
    def setUp(self):
        super().setUp()
        self.slow = self.hold(5)
        self.before = self.names()

    def start(self, *arguments):
        return self.popen(*OPTIONS, *arguments, env=self.slow)

    def made(self):
        """The modification time of each file of a chunk."""
        paths = (self.dir / "out.ivf.work").glob("[0-9]" * 8 + ".[yi]??")
        return {path.name: path.stat().st_mtime_ns for path in paths}

    def test_goes_on_where_it_was(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how.name):
                process = self.start("--keep")
                self.wait_until_held(process)
                text = self.interrupt(process, how)
                self.assertNotEqual(process.returncode, 0)
                self.assertFalse((self.dir / "out.ivf").exists())
                if how != signal.SIGKILL:
                    self.assertEqual(text.splitlines()[-1].partition(";")[0], "excamera: interrupted")
                before = self.made()
                self.assertIn(f"{number(5)}.y4m", before)
                self.works(self.film, "-o", "out.ivf", *OPTIONS, "--keep")
                self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())
                after = self.made()
                self.assertEqual({name: after.get(name) for name in before}, before)
            harness.must("rm", "-rf", self.dir / "out.ivf", self.dir / "out.ivf.work")

    def test_everybody_stops(self):
        """A signal to the driver alone, not to its process group, also ends its children."""
        process = self.start()
        self.wait_until_held(process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=harness.TIMEOUT)
        harness.wait_for(lambda: not harness.is_alive(process.pid))

    def test_interrupted_while_splitting(self):
        """Standard input has not ended. Nothing useful remains, so nothing is kept."""
        process = subprocess.Popen([ROOT / "excamera", "-", "-o", "out.ivf", "-s", "4"], cwd=self.dir,
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                   env=harness.environment())
        data = self.film.read_bytes()
        process.stdin.write(data[:len(data) // 2])
        process.stdin.flush()
        harness.wait_for(lambda: (self.dir / "out.ivf.work" / f"{number(0)}.y4m").exists())
        text = self.interrupt(process, signal.SIGINT)
        self.assertEqual(process.returncode, -signal.SIGINT)  # a shell's loop over films ends, too
        self.assertEqual(text.splitlines()[-1], "excamera: interrupted")
        self.assertEqual(self.names(), self.before)

    def test_interrupted_before_anything_has_begun(self):
        """While Python still reads the driver's modules."""
        shutil.copy(ROOT / "excamera", self.dir)
        (self.dir / "xcdriver").mkdir()
        self.write("xcdriver/__init__.py", b"import time\nopen('reading', 'w').close()\ntime.sleep(600)\n")
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(how.name):
                process = subprocess.Popen([self.dir / "excamera", "--help"], cwd=self.dir, stderr=subprocess.PIPE)
                harness.wait_for((self.dir / "reading").exists)
                process.send_signal(how)
                self.assertEqual(process.communicate(timeout=harness.TIMEOUT)[1], b"excamera: interrupted\n")
                self.assertEqual(process.returncode, -how)
                (self.dir / "reading").unlink()

    def test_interrupted_within_python(self):
        """The signal comes when Popen has just taken its lock. Nobody waits for that."""
        with unittest.mock.patch.object(processes, "DRIVER", os.getpid()), self.assertRaises(processes.Interrupted), \
                processes.started(["sleep", "600"]) as process:
            process._waitpid_lock.acquire()
            raise processes.Interrupted(signal.SIGINT)
        self.assertEqual(process.returncode, -signal.SIGTERM)

    def test_one_at_a_time(self):
        process = self.start()
        self.wait_until_held(process)
        os.killpg(process.pid, signal.SIGSTOP)
        self.assertIn("another excamera", self.fails(self.film, "-o", "out.ivf", *OPTIONS))
        self.held.unlink()
        os.killpg(process.pid, signal.SIGCONT)
        process.communicate(timeout=harness.TIMEOUT)
        self.assertEqual(process.returncode, 0)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())

    def test_other_options_do_not_mix(self):
        process = self.start()
        self.wait_until_held(process)
        self.interrupt(process, signal.SIGINT)
        other = (*OPTIONS[:4], "-q", "40")
        self.assertIn("--restart", self.fails(self.film, "-o", "out.ivf", *other))
        self.works(self.film, "-o", "out.ivf", *other, "--restart")
        self.assertEqual(self.names(), self.before | {"out.ivf"})
        self.assertNotEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())


class PowerCut(DriverCase):
    """The machine went down while a film was encoded, and files have lost their data."""

    OPTIONS = ("-s", "1", "-k", "3", "-q", "40", "-j", "1")
    FRAMES = 45

    def setUp(self):
        super().setUp()
        self.film = harness.film(width=48, height=48, frames=self.FRAMES)
        self.works(self.film, "-o", "expected.ivf", *self.OPTIONS)
        self.work = self.dir / "out.ivf.work"
        process = self.popen(*self.OPTIONS, env=self.hold(40))  # in the third segment
        self.wait_until_held(process)
        self.interrupt(process, signal.SIGKILL)
        shutil.copytree(self.work, self.dir / "saved", copy_function=shutil.copy2)

    def damage(self, how, *patterns):
        """Returns the names of the damaged files."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.dir / "saved", self.work, copy_function=shutil.copy2)
        paths = sorted(path for pattern in patterns for path in self.work.glob(pattern))
        for path in paths:
            harness.lose_data(path, how)
        return paths

    def goes_on(self):
        self.works(self.film, "-o", "out.ivf", *self.OPTIONS)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "expected.ivf").read_bytes())
        self.assertFalse(self.work.exists())

    def test_any_file(self):
        for name, losses, patterns in (
                ("all", harness.LOSSES, ["[0-9]*"]),
                ("finished long ago", ("half zeroed",), [f"{number(4)}.ivf", f"{number(17)}.ivf"]),
                ("of the segment", ("half zeroed",), ["0000003[6-9]*.ivf", "0000003[6-9]*.state"]),
                ("raw pictures", ("half zeroed",), [f"{number(40)}.y4m"]),
                ("the record", ("empty", "half zeroed"), ["record.json"]),
                ("the driver's files", ("empty", "zeroed"), ["record.json", "lock", "excamera.*"])):
            for how in losses:
                with self.subTest(name, how=how):
                    self.assertTrue(self.damage(how, *patterns))
                    self.goes_on()

    def test_only_what_is_damaged_is_made_again(self):
        self.damage("halved", f"{number(4)}.ivf")
        done = {path.name: path.stat().st_mtime_ns for path in self.work.glob("[0-9]" * 8 + ".ivf")}
        self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--keep")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "expected.ivf").read_bytes())
        again = {name for name, time_made in done.items() if (self.work / name).stat().st_mtime_ns != time_made}
        self.assertIn(f"{number(4)}.ivf", again)
        self.assertLessEqual(again, {f"{number(i)}.ivf" for i in (3, 4, 5)}, "the other batches are as they were")

    def test_sound(self):
        """Of a film whose chunks are all finished."""
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-f", "lavfi", "-i", "sine=duration=1", "-c:v", "ffv1",
                     "-c:a", "flac", self.dir / "in.mkv")
        self.works("in.mkv", "-o", "expected.webm", *self.OPTIONS)
        shutil.rmtree(self.dir / "tools")
        tools = self.tools_but("xc-merge", "exit 1")
        for how in harness.LOSSES:
            for pattern in ("track-*", "film.ffmetadata"):
                with self.subTest(pattern, how=how):
                    self.fails("in.mkv", "-o", "out.webm", *self.OPTIONS, env=tools)
                    for path in (self.dir / "out.webm.work").glob(pattern):
                        harness.lose_data(path, how)
                    self.works("in.mkv", "-o", "out.webm", *self.OPTIONS)
                    self.assertEqual((self.dir / "out.webm").read_bytes(), (self.dir / "expected.webm").read_bytes())
                    (self.dir / "out.webm").unlink()

    def test_both_records(self):
        """Nobody knows what the files are."""
        self.damage("zeroed", "record.*")
        self.assertIn("is damaged; --restart discards it", self.fails(self.film, "-o", "out.ivf", *self.OPTIONS))


class Proof(DriverCase):
    """An output is read back before it gets its name, and before the work is removed."""

    def setUp(self):
        super().setUp()
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-f", "lavfi", "-i", "sine=duration=1", "-c:v", "ffv1",
                     "-c:a", "libvorbis", self.dir / "in.mkv")
        self.real = shutil.which("ffmpeg")

    def muxing(self, script):
        """An environment in which a script follows when ffmpeg has written the output, whose name is in $part."""
        harness.install_stubs(self.dir / "stubs", {"ffmpeg": f"""
            for part; do :; done
            case "$part" in file:*-part) ;; *) exec "{self.real}" "$@" ;; esac
            "{self.real}" "$@" || exit
            part=${{part#file:}}
            {script}"""})
        return harness.environment(PATH=f"{self.dir}/stubs:{harness.environment()['PATH']}")

    def is_refused(self, reason, output="out.webm", *arguments, env):
        """The work is kept. Without the stubs, the same command makes the same bytes as ever."""
        text = self.fails("in.mkv", "-o", output, *OPTIONS, *arguments, env=env).splitlines()[-1]
        self.assertRegex(text, rf"excamera: {output}: .*{reason}.*; the work is kept in {output}.work, and the same "
                               "command goes on from there")
        finished = {path: path.stat().st_mtime_ns for path in (self.dir / f"{output}.work").glob("[0-9]*.ivf")}
        self.assertEqual(len(finished), 6)
        self.works("in.mkv", "-o", output, *OPTIONS, "--keep")
        self.assertEqual({path: path.stat().st_mtime_ns for path in finished}, finished)
        self.works("in.mkv", "-o", f"again-{output}", *OPTIONS)
        self.assertEqual((self.dir / output).read_bytes(), (self.dir / f"again-{output}").read_bytes())
        shutil.rmtree(self.dir / f"{output}.work")

    def test_ffmpeg_exits_with_0(self):
        """As ffmpeg 5.1 does if its last writes fail."""
        for name, script, reason in (
                ("it says so", 'echo "[error] av_interleaved_write_frame(): No space left on device" >&2',
                 "No space left"),
                ("it lacks the end", 'truncate -s -1000 "$part"', "read back"),
                ("it is empty", ': >"$part"', "read back"),
                ("other data", """printf 'damaged%.0s' 1 2 3 4 5 6 7 8 | dd of="$part" bs=1 conv=notrunc status=none \\
                                  seek=$(($(stat -c %s "$part") / 2))""", "read back"),
                ("no sound", f'"{self.real}" -v error -i "$part" -map 0:v -c copy -f webm "$part.x" && '
                             'mv "$part.x" "$part"', "has 1 of 2 tracks")):
            with self.subTest(name):
                self.is_refused(reason, env=self.muxing(script))

    def test_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, for a small file system")
        self.works("in.mkv", "-o", "out.webm", *OPTIONS)
        whole = (self.dir / "out.webm").read_bytes()
        small = self.dir / "small"
        small.mkdir()
        for name, pages in (("out.webm", len(whole) // 4096 - 1), ("out.webm", 2), ("out.ivf", 2)):
            with self.subTest(name, pages=pages):
                harness.must("mount", "-t", "tmpfs", "-o", f"size={pages * 4096}", "tmpfs", small)
                try:
                    text = self.fails("in.mkv", "-o", f"small/{name}", "--work", "work", *OPTIONS)
                    self.assertEqual(list(small.iterdir()), [])
                finally:
                    harness.must("umount", small)
                self.assertRegex(text.splitlines()[-1], f"excamera: small/{name}: .*No space left on device; the work "
                                                        "is kept in work, and the same command goes on from there")
                self.works("in.mkv", "-o", f"small/{name}", "--work", "work", *OPTIONS)
        self.assertEqual((small / "out.webm").read_bytes(), whole)

    def test_verify(self):
        """A decoder by others shows the pictures that were encoded. If it did not, it would be noticed."""
        for name in ("out.webm", "out.ivf"):
            with self.subTest(name):
                self.assertIn("verifying", self.works("in.mkv", "-o", name, *OPTIONS, "--verify"))
                (self.dir / name).unlink()
        for name, change, reason in (("another picture", "7s/^./x/", "does not show picture 6 as it was encoded"),
                                     ("a picture too many", "$p", "does not show picture [0-9]+ as it was encoded"),
                                     ("a picture too few", "$d", "picture")):
            with self.subTest(name):
                tools = self.tools_but("xc-decode", f"""'{BIN}/xc-decode' "$@" | sed '{change}'""")
                self.is_refused(reason, "out.webm", "--verify", env=tools)
                shutil.rmtree(self.dir / "tools")

    def test_a_decoder_that_does_not_start(self):
        """What it says is told, and not that pictures differ."""
        harness.install_stubs(self.dir / "stubs", {"ffmpeg": f"""
            case "$*" in *"-c:v vp8"*) echo "Option not found" >&2; exit 8 ;; esac
            exec '{self.real}' "$@" """})
        path = f"{self.dir}/stubs:{harness.environment()['PATH']}"
        self.is_refused("Option not found", "out.webm", "--verify", env=harness.environment(PATH=path))

    def test_number_of_frames(self):
        """It is counted in the file."""
        tools = self.tools_but("xc-split", f"""'{BIN}/xc-split' "$@" | sed 's/frames {FRAMES}/frames {FRAMES + 1}/'""")
        text = self.fails("in.mkv", "-o", "out.ivf", *OPTIONS, env=tools)
        self.assertIn(f"shows {FRAMES} frames, but the film has {FRAMES + 1}", text)


class Segments(DriverCase):
    """Only a part of the film exists as raw pictures at a time: with one process, a segment of 18 chunks and the next
    one."""

    OPTIONS = ("-s", "1", "-k", "3", "-q", "40", "-j")
    FRAMES = 60

    def setUp(self):
        super().setUp()
        self.film = harness.film(width=48, height=48, frames=self.FRAMES)
        self.work = self.dir / "out.ivf.work"

    def chunks(self):
        with contextlib.suppress(FileNotFoundError):  # not yet there, or not any more
            return sorted(int(name[:8]) for name in os.listdir(self.work) if name.endswith(".y4m"))
        return []

    def expected(self):
        """The result with a single segment, which takes more processes."""
        self.works(self.film, "-o", "expected.ivf", *self.OPTIONS, "4", "--keep")
        self.assertEqual(len(list((self.dir / "expected.ivf.work").glob("*.y4m"))), self.FRAMES)
        return (self.dir / "expected.ivf").read_bytes()

    def test_the_same_bytes(self):
        expected, counts = self.expected(), []
        process = self.popen(*self.OPTIONS, "1", env=self.hold(10))
        harness.wait_for(lambda: len(self.chunks()) >= 36)
        self.held.unlink()
        while process.poll() is None:
            counts.append(len(self.chunks()))
            time.sleep(0.01)
        self.assertEqual(process.returncode, 0, process.communicate())
        self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)
        self.assertLessEqual(max(counts, default=0), 36)

    def test_standard_input(self):
        expected = self.expected()
        self.works("-", "-o", "out.ivf", *self.OPTIONS, "1", stdin=self.film.read_bytes())
        self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)
        self.assertIn("xc-split", self.fails("-", "-o", "short.ivf", *self.OPTIONS, "1",
                                             stdin=self.film.read_bytes()[:-10]))

    def test_goes_on_where_it_was(self):
        """Continues in the third segment with another number of processes, so that further segments differ."""
        expected = self.expected()
        slow = self.hold(40)
        for how in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(how.name):
                process = self.popen(*self.OPTIONS, "1", env=slow)
                self.wait_until_held(process)
                harness.wait_for(lambda: self.chunks()[-1] == 59)
                self.assertEqual(self.chunks(), list(range(36, 60)), "only the segments before are gone")
                self.interrupt(process, how)
                self.assertNotEqual(process.returncode, 0)
                done = {path.name: path.stat().st_mtime_ns for path in self.work.glob("[0-9]" * 8 + ".[yi]??")}
                del done[f"{number(59)}.y4m"]  # the first run may not have known yet that it is the whole chunk
                self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "2", "--keep")
                self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)
                self.assertEqual({name: (self.work / name).stat().st_mtime_ns for name in done}, done)
            harness.must("rm", "-rf", self.work)

    def test_film_that_ends_too_soon(self):
        """ffmpeg fails in the middle of a chunk. The next run splits that chunk off again."""
        options = ("-s", "2", "-k", "3", "-q", "40", "-j")
        self.works(self.film, "-o", "expected.ivf", *options, "4")
        _, frames = harness.y4m_split(self.film.read_bytes())
        real = shutil.which("ffmpeg")
        harness.install_stubs(self.dir / "stubs", {"ffmpeg": f"""
            case "$*" in *yuv4mpegpipe*) ;; *) exec "{real}" "$@" ;; esac
            "{real}" "$@" | head -c -{sum(map(len, frames[51:]))}
            while [ ! -e out.ivf.work/excamera.mk ]; do sleep 0.05; done
            exit 7"""})
        path = f"{self.dir}/stubs:{harness.environment()['PATH']}"
        text = self.fails(self.film, "-o", "out.ivf", *options, "1", env=harness.environment(PATH=path))
        self.assertIn(" ffmpeg: ended with status 7;", text.splitlines()[-1])
        self.works(self.film, "-o", "out.ivf", *options, "1")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "expected.ivf").read_bytes())


class Errors(DriverCase):
    def test_bad_arguments(self):
        for arguments in ((), (self.film,), (self.film, "-o", "out.avi"), (self.film, "-o", "out.ivf", "-s", "0"),
                          (self.film, "-o", "out.ivf", "-k", "x"), (self.film, "-o", "out.ivf", "-q", "64"),
                          (self.film, "-o", "out.ivf", "-j", "0"),
                          (self.film, "-o", "out.ivf", "-j", "10000"), (self.film, self.film, "-o", "out.ivf")):
            with self.subTest(arguments=arguments[1:]):
                self.fails(*arguments)
                self.assertEqual(self.names(), set())

    def test_bad_input(self):
        data = self.film.read_bytes()
        self.write("garbage.mp4", bytes(range(256)) * 100)
        self.write("empty.y4m", b"")
        harness.must("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", self.dir / "sound.wav")
        before = self.names()
        for name in ("missing.mp4", "garbage.mp4", "empty.y4m", "sound.wav"):
            with self.subTest(name):
                text = self.fails(name, "-o", "out.ivf")
                self.assertIn(name, text)
                self.assertEqual(len(text.splitlines()), 1)
                self.assertEqual(self.names(), before)
        for name, stdin in (("nothing", b""), ("cut short", data[:-10]), ("garbage", b"garbage"),
                            ("4:2:2", data.replace(b" C420jpeg", b" C422", 1))):
            with self.subTest("standard input", of=name):
                self.assertIn("xc-split", self.fails("-", "-o", "out.ivf", stdin=stdin))
                self.assertEqual(self.names(), before)

    def test_namesakes(self):
        """Modules of other people with the names of ours are not imported."""
        for name in ("driver", "xcdriver", "graph", "y4m", "work"):
            self.write(f"{name}.py", b"print('mine')\n")
        self.works(self.film, "-o", "out.ivf", *OPTIONS, env=harness.environment(PYTHONPATH=str(self.dir)))

    def test_damaged_record(self):
        (self.dir / "out.ivf.work").mkdir()
        for text in (b"", b"{}", b"[]", b'{"arguments": 3}'):
            self.write("out.ivf.work/record.json", text)
            self.assertIn("is damaged; --restart", self.fails(self.film, "-o", "out.ivf", *OPTIONS))
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "--restart")

    def test_the_record_is_always_there(self):
        """Since others read it while a film is encoded."""
        work = Work(self.dir / "out.ivf.work", {"input": None, "chunk": 12, "batch": 8}, False)
        replace = os.replace

        def replace_and_read(*paths):
            replace(*paths)
            self.assertIn("done", json.loads(work.record_path.read_text()))
        with unittest.mock.patch("os.replace", replace_and_read):
            work.update(done=1)
        work.lock.file.close()
        self.assertEqual([json.loads((work.path / name).read_text())["done"] for name in ("record.old", "record.json")],
                         [0, 1])

    def test_tools_in_a_directory_with_a_colon(self):
        (self.dir / "a:b").symlink_to(BIN)
        (self.dir / "c:d").mkdir()
        for path in BIN.glob("xc-*"):
            (self.dir / "c:d" / path.name).symlink_to(path)
        text = self.fails(self.film, "-o", "out.ivf", env=harness.environment(XC_BIN=f"{self.dir}/c:d"))
        self.assertEqual(text, f"excamera: {self.dir}/c:d: PATH cannot name a directory with a colon; rename it, or "
                               "install the tools elsewhere\n")
        self.works(self.film, "-o", "out.ivf", *OPTIONS, env=harness.environment(XC_BIN=f"{self.dir}/a:b"))

    def test_closed_input(self):
        done = harness.run("sh", "-c", 'exec "$0" - -o out.ivf <&-', ROOT / "excamera", cwd=self.dir)
        self.assertEqual(done.stderr, b"excamera: standard input is closed\n")

    def test_no_such_directory(self):
        self.assertIn("no such directory", self.fails(self.film, "-o", "missing/out.ivf"))

    def test_output_that_may_not_be_replaced(self):
        (self.dir / "out.webm").mkdir()
        self.assertIn("out.webm: is a directory", self.fails(self.film, "-o", "out.webm"))
        film = self.write("film.ivf", self.expected_ivf())
        (self.dir / "link.ivf").symlink_to(film)
        self.write("list.ffconcat", b"ffconcat version 1.0\nfile film.ivf\n")
        for name, output in (("film.ivf", "film.ivf"), ("film.ivf", "link.ivf"), ("file:film.ivf", "film.ivf"),
                             (f"concat:{self.film}|film.ivf", "film.ivf"), ("list.ffconcat", "film.ivf")):
            self.assertIn("is the film to be encoded", self.fails(name, "-o", output))
        self.assertEqual(film.read_bytes(), self.expected_ivf())

    def test_directory_of_somebody_else(self):
        """A directory that excamera has not made is not used, and so not removed."""
        (self.dir / "mine").mkdir()
        self.write("mine/thesis.txt", b"all of it")
        text = self.fails(self.film, "-o", "out.ivf", "--work", "mine")
        self.assertIn("contains files that excamera did not write", text)
        self.assertEqual((self.dir / "mine/thesis.txt").read_bytes(), b"all of it")
        text = self.fails(self.film, "-o", "out.ivf", "--work", "mine/thesis.txt")
        self.assertEqual(text, "excamera: mine/thesis.txt: is no directory; choose another one with --work DIR\n")

    def test_answer_that_is_not_whole(self):
        """ffprobe exits with 0 if it could not write a part of its answer."""
        harness.install_stubs(self.dir / "stubs", {"ffprobe": """
            echo '{"streams": [{"index": 0, "codec_type": "video"}], "format": {"nb_streams": 2}}' """})
        text = self.fails(self.film, "-o", "out.ivf", env=harness.environment(
            PATH=f"{self.dir}/stubs:{harness.environment()['PATH']}"))
        self.assertEqual(text, "excamera: ffprobe: a part of its answer is lost\n")

    def test_a_failing_step(self):
        """The failed step is shown with its message. When the cause is mended, the same command continues."""
        tools = self.tools_but("xc-enc", "echo 'xc-enc: no luck today' >&2\nexit 1")
        text = self.fails(self.film, "-o", "out.ivf", *OPTIONS, env=tools)
        self.assertEqual(text.splitlines()[-1], "excamera: xc-enc: no luck today; the work is kept in out.ivf.work, "
                                                "and the same command goes on from there")
        self.works(self.film, "-o", "out.ivf", *OPTIONS)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())

    def test_a_failing_step_elsewhere(self):
        """With the engines on Lambda, make shows no commands. The message is shown without."""
        harness.install_stubs(self.dir / "stubs", {
            "xc-task": "echo 'xc-lambda: no luck today' >&2; exit 1",
            "xc-remote": """[ "$1" = check ] || echo 'XCREF xc-lambda fetch' >"$2" """})
        for engine in ("lambda", "lambda-chunk"):
            with self.subTest(engine):
                text = self.fails(self.film, "-o", "out.ivf", *OPTIONS[:-1], "1", env=harness.environment(
                    ENGINE=engine, XC_LAMBDA_PROGRAMS=str(self.dir / "stubs")))
                self.assertIn("excamera: xc-lambda: no luck today;", text.splitlines()[-1])


class Surroundings(DriverCase):
    def test_environment(self):
        """Variables that were set for other purposes change nothing."""
        strange = {"MAKEFLAGS": "-n", "GNUMAKEFLAGS": "-n", "MFLAGS": "-n", "MAKEFILES": "/dev/zero", "VPXENC": "false",
                   "REBASE": "false", "ANCHORED_OPTIONS": "--no-such-option", "TIMINGS": "/dev/full", "ENGINE_DIR": "/",
                   "ENGINE": "", "WHOLE_CHUNKS": "yes", "KEEP": "1", "XC_SUMS": "/dev/full", "POSIXLY_CORRECT": "1",
                   "PYTHONSAFEPATH": "1", "PYTHONHOME": "/nowhere", "PYTHONINSPECT": "1", "LC_ALL": "tr_TR.UTF-8",
                   "LD_PRELOAD": "/nowhere/lib.so", "OMP_NUM_THREADS": "0", ".SHELLFLAGS": "-n"}
        self.works(self.film, "-o", "out.ivf", *OPTIONS, env=harness.environment(**strange))
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())
        self.works(self.film, "-o", "out.webm", *OPTIONS, env=harness.environment(**strange))
        self.assertEqual(self.names(), {"out.ivf", "out.webm"})

    def test_unknown_engine(self):
        text = self.fails(self.film, "-o", "out.ivf", env=harness.environment(ENGINE="nix"))
        self.assertEqual(text, "excamera: ENGINE=nix in the environment: there is no such engine; there are lambda, "
                               "lambda-chunk, local, slurm, ssh\n")
        self.assertEqual(self.names(), set())

    def test_missing_programs(self):
        """The mend is named."""
        (self.dir / "bin").mkdir()
        (self.dir / "bin/python3").symlink_to(sys.executable)
        text = self.fails(self.film, "-o", "out.ivf", env={"PATH": f"{self.dir}/bin", "XC_BIN": str(BIN)})
        self.assertEqual(text, f"excamera: ffprobe is not installed; run make setup in {ROOT}, or install ffmpeg, "
                               "which has it\n")

    def test_links(self):
        """An output that is a symbolic link remains one, whether there is a file behind it or not."""
        (self.dir / "there").mkdir()
        self.write("there/old.ivf", b"old").chmod(0o640)
        for name in ("old", "new"):
            with self.subTest(name):
                link = self.dir / f"{name}.ivf"
                link.symlink_to(f"there/{name}.ivf")
                self.works(self.film, "-o", link.name, *OPTIONS)
                self.assertTrue(link.is_symlink())
                self.assertEqual((self.dir / f"there/{name}.ivf").read_bytes(), self.expected_ivf())
        self.assertEqual((self.dir / "there/old.ivf").stat().st_mode & 0o777, 0o640)
        self.assertEqual({path.name for path in (self.dir / "there").iterdir()}, {"old.ivf", "new.ivf"})

    def test_outputs_that_cannot_be_written(self):
        """This is found before anything is made."""
        (self.dir / "loop.ivf").symlink_to("loop.ivf")
        os.mkfifo(self.dir / "fifo.ivf")
        before = self.names()
        for name in (f"{'x' * 250}.ivf", "/proc/out.ivf", "loop.ivf", "fifo.ivf"):
            with self.subTest(name):
                text = self.fails(self.film, "-o", name)
                self.assertRegex(text, rf"\Aexcamera: {name}: [^\n]+\n\Z")
                self.assertEqual(self.names(), before)


class Progress(DriverCase):
    def test_nobody_reads(self):
        """Messages for which a pipe has no room are dropped; the encode does not wait for a reader."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b" " * 4096)
        except BlockingIOError:
            os.set_blocking(writing, True)
        process = subprocess.Popen([ROOT / "excamera", self.film, "-o", "out.ivf", *OPTIONS], cwd=self.dir,
                                   stderr=writing, env=harness.environment())
        try:
            harness.wait_for((self.dir / "out.ivf").exists)
        finally:
            os.close(writing)
            os.close(reading)
            process.wait(harness.TIMEOUT)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected_ivf())

    def test_elsewhere(self):
        """Elsewhere there are plain lines without control characters."""
        text = self.works(self.film, "-o", "out.ivf", *OPTIONS)
        self.assertNotRegex(text, r"[^\n -~]")
        self.assertLess(len(text.splitlines()), 20)
