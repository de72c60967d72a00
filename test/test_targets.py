# SPDX-License-Identifier: BSD-2-Clause
"""--target, --size and --bitrate of ./excamera: how near films come, as others measure it, and that nothing else
changes the result."""
import json
import os
import re
import signal
import sys

import harness
from harness import ROOT
from test_driver import DriverCase, number

FRAMES = 144


class TargetCase(DriverCase):
    OPTIONS = ("-s", "6", "-k", "4", "-j", "2")  # six batches, all of which are probed

    def setUp(self):
        super().setUp()
        self.film = harness.film(width=112, height=96, frames=FRAMES, cut=70)

    def wanted(self, text):
        """What the last line says about the target: what was wanted, and how near it is."""
        match = re.search(r", wanted (\S+ ?\S*)(?: dB)? \(([+-][\d.]+)(?: %| dB)?\)\n\Z", text)
        self.assertTrue(match, text)
        return match[1], float(match[2])


class Sizes(TargetCase):
    def test_size(self):
        for size, text in ((60000, "60k"), (120000, "0.12M")):
            with self.subTest(size):
                said = self.wanted(self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--size", text))
                found = (self.dir / "out.ivf").stat().st_size
                self.assertAlmostEqual(found / size, 1, delta=0.03)
                self.assertEqual(said[0], f"{size} bytes")
                self.assertAlmostEqual(said[1], 100 * (found / size - 1), delta=0.051)

    def test_a_batch(self):
        """The whole film is one batch, as short clips are."""
        self.works(self.film, "-o", "out.ivf", "-s", "12", "-k", "12", "--size", "60k")
        self.assertAlmostEqual((self.dir / "out.ivf").stat().st_size / 60000, 1, delta=0.03)

    def test_scenes_that_differ(self):
        """The first half of the film takes most of the bytes, and the second half cannot take more."""
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-f", "lavfi", "-i", "color=gray:112x96:24:duration=3",
                     "-filter_complex", "[0:v]trim=end_frame=72[a];[1:v]setsar=1[b];[a]setsar=1[c];[c][b]concat",
                     "-pix_fmt", "yuv420p", self.dir / "in.y4m")
        self.works("in.y4m", "-o", "out.ivf", "-s", "6", "-k", "2", "-j", "2", "--size", "50k")
        self.assertAlmostEqual((self.dir / "out.ivf").stat().st_size / 50000, 1, delta=0.03)

    def test_a_short_scene(self):
        """The first chunk is a scene, and takes most of the bytes."""
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-filter_complex",
                     "[0]split[a][b];[a]trim=end_frame=12,noise=alls=30:allf=t[c];"
                     "[b]trim=start_frame=70:end_frame=130,setpts=PTS-STARTPTS,gblur[d];[c][d]concat",
                     "-pix_fmt", "yuv420p", self.dir / "in.y4m")
        self.works("in.y4m", "-o", "out.ivf", "--size", "40k")
        self.assertAlmostEqual((self.dir / "out.ivf").stat().st_size / 40000, 1, delta=0.03)

    def test_bitrate_with_sound(self):
        """ffprobe's bitrate, to which the sound belongs."""
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-f", "lavfi", "-i", "sine=duration=6", "-c:v", "ffv1",
                     "-c:a", "flac", self.dir / "in.mkv")
        said = self.wanted(self.works("in.mkv", "-o", "out.webm", *self.OPTIONS, "--bitrate", "220k"))
        text = harness.must("ffprobe", "-v", "error", "-show_entries", "format=bit_rate", "-of", "csv=p=0",
                            self.dir / "out.webm")
        self.assertAlmostEqual(int(text) / 220000, 1, delta=0.03)
        self.assertEqual(said[0], "220 kbit/s")
        self.assertEqual(int(self.probe("out.webm")["video"]["nb_read_frames"]), FRAMES)

    def test_out_of_reach(self):
        """The film is as small as it can be, and the last line tells how far that is from what was wanted."""
        text = self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--size", "1k")
        self.assertRegex(text, r"(?m)^excamera: out.ivf: all of it has level 63, the coarsest, [^\n]*--scale")
        _, miss = self.wanted(text)
        found = (self.dir / "out.ivf").stat().st_size
        self.assertAlmostEqual(miss, 100 * (found / 1000 - 1), delta=0.051)
        self.works(self.film, "-o", "least.ivf", *self.OPTIONS, "-q", "63")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "least.ivf").read_bytes())

    def test_more_than_the_best_takes(self):
        """More than fits into 32 bits, too."""
        text = self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--size", "100G", "--speed", "4")
        self.assertRegex(text, r"(?m)^excamera: out.ivf: all of it has level 0, the finest")


class Qualities(TargetCase):
    def test_ssim(self):
        """FFmpeg's figure."""
        said = self.wanted(self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--target", "ssim=0.97"))
        found = harness.ssim(self.dir / "out.ivf", self.film)
        self.assertAlmostEqual(found, 0.97, delta=0.002)
        self.assertEqual(said[0], "SSIM 0.97")
        self.assertAlmostEqual(said[1], found - 0.97, delta=2e-5)

    def test_psnr(self):
        """FFmpeg's figure, of the mean squared error of the whole film."""
        said = self.wanted(self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--target", "psnr=36"))
        graph = "[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a][b]psnr"
        text = harness.run("ffmpeg", "-i", self.dir / "out.ivf", "-i", self.film, "-lavfi", graph, "-f", "null",
                           "-").stderr.decode()
        found = float(re.search(r"PSNR y:([\d.]+)", text)[1])
        self.assertAlmostEqual(found, 36, delta=0.2)
        self.assertEqual(said[0], "PSNR 36")
        self.assertAlmostEqual(said[1], found - 36, delta=0.011)

    def vmaf(self, output, film):
        """That of all frames, clipped as libvmaf does it."""
        program = harness.run(sys.executable, "-c", "from xcdriver import vmaf; print(vmaf.ffmpeg())", cwd=ROOT)
        if program.returncode:
            self.skipTest("no ffmpeg has libvmaf: " + program.stderr.decode().splitlines()[-1])
        graph = "[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a][b]libvmaf"
        text = harness.run(program.stdout.decode().strip(), "-i", self.dir / output, "-i", film, "-lavfi", graph, "-f",
                           "null", "-").stderr.decode()
        return float(re.search(r"VMAF score: ([\d.]+)", text)[1])

    def test_vmaf(self):
        """Two targets, since their levels follow from one probe each."""
        for wanted in (85, 93):
            with self.subTest(wanted):
                text = self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--target", f"vmaf={wanted}")
                found = self.vmaf("out.ivf", self.film)
                self.assertAlmostEqual(found, wanted, delta=1)
                said = re.search(r", VMAF ([\d.]+) of (\d+) frames", text)
                self.assertAlmostEqual(float(said[1]), found, delta=0.7)
                self.assertLess(int(said[2]), FRAMES)

    def test_vmaf_of_a_chunk(self):
        """All frames of a film of one chunk are measured, so the line says what VMAF is; and only half of it is
        encoded to find the level."""
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-frames:v", "10", self.dir / "short.y4m")
        text = self.works("short.y4m", "-o", "out.ivf", "--target", "vmaf=90")
        said = re.search(r", VMAF ([\d.]+) of 10 frames, wanted VMAF 90 ", text)
        found = self.vmaf("out.ivf", self.dir / "short.y4m")
        self.assertAlmostEqual(float(said[1]), found, delta=0.006)
        self.assertAlmostEqual(found, 90, delta=1)
        harness.must("ffmpeg", "-v", "error", "-i", self.film, "-frames:v", "1", self.dir / "picture.y4m")
        text = self.works("picture.y4m", "-o", "out.ivf", "--target", "vmaf=93")
        self.assertIn(" of 1 frames, wanted VMAF 93 ", text)

    def test_no_vmaf(self):
        """The line says how to get it."""
        text = self.fails(self.film, "-o", "out.ivf", "--target", "vmaf=85", env=harness.environment(
            FFVMAF="/bin/false", IMAGEIO_FFMPEG_EXE="/bin/false", PATH=f"{self.stubs()}:{os.environ['PATH']}"))
        self.assertRegex(text, r"\Aexcamera: [^\n]*pip install imageio-ffmpeg\n\Z")
        self.assertEqual(self.names(), {"stubs"})

    def stubs(self):
        real = harness.must("sh", "-c", "command -v ffmpeg").decode().strip()
        harness.install_stubs(self.dir / "stubs", {"ffmpeg": f"""
            case "$*" in *-filters*) '{real}' "$@" | grep -v libvmaf ;; *) exec '{real}' "$@" ;; esac"""})
        return self.dir / "stubs"


class Prepared(TargetCase):
    """The structure in which anchors are guessed first."""
    OPTIONS = (*TargetCase.OPTIONS, "--structure", "prepared")

    def test_size(self):
        """Nearer than levels alone would lead: the last chunks are brought to what is left. With scenes, the last one
        has only two pictures, of which one is a key frame: what it takes is only estimated."""
        for options, most in ((["--no-scenes"], 0.004), ([], 0.025)):
            with self.subTest(options):
                self.works(self.film, "-o", "out.ivf", *self.OPTIONS, *options, "--size", "60k")
                self.assertAlmostEqual((self.dir / "out.ivf").stat().st_size / 60000, 1, delta=most)

    def test_qualities(self):
        """SSIM by FFmpeg; the driver's own figure, which test_psnr compares, for PSNR."""
        self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--target", "ssim=0.97")
        self.assertAlmostEqual(harness.ssim(self.dir / "out.ivf", self.film), 0.97, delta=0.002)
        _, miss = self.wanted(self.works(self.film, "-o", "out.ivf", *self.OPTIONS, "--target", "psnr=36"))
        self.assertAlmostEqual(miss, 0, delta=0.2)

    def test_it_is_that_structure(self):
        """What is kept has guesses, in each window, and the bytes do not depend on how many processes there are."""
        target = ("--size", "90k")
        self.works(self.film, "-o", "out.ivf", *self.OPTIONS, *target, "--keep")
        there = {path.name for path in (self.dir / "out.ivf.work").iterdir()}
        self.assertEqual({f"{number(chunk)}-guess.ivf" for chunk in range(24) if chunk % 4},
                         {name for name in there if name.endswith("-guess.ivf")})
        self.works(self.film, "-o", "other.ivf", *self.OPTIONS, "-j", "5", *target)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "other.ivf").read_bytes())


class TheSameBytes(TargetCase):
    def test_jobs_do_not_matter(self):
        for target in (["--size", "90k"], ["--target", "ssim=0.96"]):
            results = []
            for jobs in ("1", "5"):
                self.works(self.film, "-o", "out.ivf", *self.OPTIONS[:-1], jobs, *target)
                results.append((self.dir / "out.ivf").read_bytes())
            self.assertEqual(len(set(results)), 1, target)

    def test_interrupted(self):
        """In the middle of a batch, and at the end: what was decided is in the record."""
        target = ("--target", "ssim=0.96")
        self.works(self.film, "-o", "expected.ivf", *self.OPTIONS, *target)
        for chunk, how in ((9, signal.SIGKILL), (23, signal.SIGINT)):
            with self.subTest(how.name, chunk=chunk):
                process = self.popen(*self.OPTIONS, *target, env=self.hold(chunk))
                self.wait_until_held(process)
                self.interrupt(process, how)
                self.works(self.film, "-o", "out.ivf", *self.OPTIONS, *target)
                self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "expected.ivf").read_bytes())
                (self.dir / "out.ivf").unlink()
                harness.must("rm", "-rf", self.dir / "tools")

    def test_another_target(self):
        process = self.popen(*self.OPTIONS, "--size", "90k", env=self.hold(9))
        self.wait_until_held(process)
        self.interrupt(process, signal.SIGINT)
        levels = json.loads((self.dir / "out.ivf.work/record.json").read_text())["levels"]
        self.assertEqual(levels[0][0], 0)
        for other in (["--size", "91k"], ["--bitrate", "90k"], ["-q", "22"], []):
            self.assertIn("with another ", self.fails(self.film, "-o", "out.ivf", *self.OPTIONS, *other))


class Refusals(TargetCase):
    def test_command_line(self):
        for arguments in (["--size", "0"], ["--size", "5T"], ["--size", "-3k"], ["--bitrate", "nan"],
                          ["--target", "ssim=1"], ["--target", "ssim=1.1"], ["--target", "psnr=70"],
                          ["--target", "vmaf=100"], ["--target", "ssim"], ["--target", "ssim=0.9", "-q", "4"],
                          ["--size", "4k", "--bitrate", "4k"]):
            with self.subTest(arguments):
                self.assertEqual(self.excamera(self.film, "-o", "out.ivf", *arguments).returncode, 2)
        self.assertIn("--quality and --size exclude each other", self.fails(self.film, "-o", "out.ivf", "-q", "22",
                                                                            "--size", "4k"))

    def test_films(self):
        self.assertIn("a film that can be read twice", self.fails("-", "-o", "out.ivf", "--size", "4k",
                                                                  stdin=self.film.read_bytes()))
        self.assertIn("needs --structure anchored or prepared", self.fails(
            self.film, "-o", "out.ivf", "--size", "4k", "--structure", "classic"))
        self.assertEqual(self.names(), set())
