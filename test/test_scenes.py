# SPDX-License-Identifier: BSD-2-Clause
"""Batches that begin with scenes: --scenes of xc-split, and what ./excamera does unless --no-scenes is said."""
import json
import re
import signal

import harness
from harness import BIN, ROOT, Case
from test_driver import DriverCase, number
from test_segments import packets

SHAPE = {"width": 96, "height": 80}
PARTS = ({"frames": 24, "cut": 9, "seed": 1}, {"frames": 30, "cut": 17, "seed": 3}, {"frames": 20, "seed": 4})
SCENES = [0, 9, 24, 41, 54]  # by their first frames
FRAMES = 74
CHUNK, BATCH = 2, 3
# A batch of six frames, and what is left of the scene. All chunks are 39, which one process encodes in three segments.
KEYS = [0, 6, 9, 15, 21, 24, 30, 36, 41, 47, 53, 54, 60, 66, 72]
OPTIONS = ("-s", CHUNK, "-k", BATCH, "-q", "30", "--speed", "4")


def film():
    """A film with sudden changes."""
    def join(path):
        parts = [harness.y4m_split(harness.film(**SHAPE, **part).read_bytes()) for part in PARTS]
        path.write_bytes(parts[0][0] + b"".join(frame for _, frames in parts for frame in frames))
    return harness.cached(join, "scenes", PARTS, suffix=".y4m")


def chunk_starts():
    return [start for scene, end in zip(SCENES, [*SCENES[1:], FRAMES]) for start in range(scene, end, CHUNK)]


class Split(Case):
    def split(self, directory, *options):
        return harness.must(BIN / "xc-split", "--scenes", "-s", CHUNK, "-d", self.dir / directory, *options,
                            film()).decode().splitlines()

    def test_chunks_end_with_scenes(self):
        *said, summary = self.split("all")
        starts = chunk_starts()
        self.assertEqual(said, [f"scene {starts.index(frame)} frame {frame}" for frame in SCENES])
        self.assertEqual(summary, f"chunks {len(starts)} frames {FRAMES} size 96x80 rate 24:1")
        parts = [harness.y4m_split(path.read_bytes())[1] for path in sorted((self.dir / "all").iterdir())]
        self.assertEqual([len(part) for part in parts],
                         [end - start for start, end in zip(starts, [*starts[1:], FRAMES])])
        self.assertEqual([frame for part in parts for frame in part], harness.y4m_split(film().read_bytes())[1])

    def test_some_chunks(self):
        """All scenes are told, also of chunks that are skipped. The others have the same names and pictures."""
        said = self.split("all")
        self.assertEqual(self.split("some", "--skip", 7), said)
        names = sorted(path.name for path in (self.dir / "some").iterdir())
        self.assertEqual(names, [f"{number(i)}.y4m" for i in range(7, len(chunk_starts()))])
        for name in names:
            self.assertEqual((self.dir / "some" / name).read_bytes(), (self.dir / "all" / name).read_bytes())
        later = self.split("later", "--start", 100)
        self.assertEqual([int(line.split()[1]) for line in later[:-1]],
                         [100 + int(line.split()[1]) for line in said[:-1]])

    def test_scenes_of_another_size(self):
        """They are told picture by picture, so both sizes can be split at once."""
        said = self.split("all", "--scenes-to", self.dir / "marks")
        marks = (self.dir / "marks").read_text()
        self.assertEqual([frame for frame, mark in enumerate(marks) if mark == "1"], SCENES[1:])
        self.assertEqual((len(marks), set(marks)), (FRAMES, {"0", "1"}))
        small = harness.must("ffmpeg", "-v", "error", "-i", film(), "-vf", "scale=16:12,format=yuv420p", "-f",
                             "yuv4mpegpipe", "-")
        again = harness.must(BIN / "xc-split", "-s", CHUNK, "-d", self.dir / "small", "--scenes-from",
                             self.dir / "marks", "-", stdin=small).decode().splitlines()
        self.assertEqual(again, [*said[:-1], said[-1].replace("96x80", "16x12")])
        for marks, reason in ((marks[:-1], "ends before the film does"), ("0x", "has other characters than 0 and 1")):
            self.write("bad", marks.encode())
            done = harness.run(BIN / "xc-split", "-s", CHUNK, "-d", self.dir / "bad.d", "--scenes-from",
                               self.dir / "bad", film())
            self.assertEqual((done.returncode, done.stdout.count(b"chunks")), (1, 0))
            self.assertIn(f"bad: {reason}", done.stderr.decode())

    def test_flicker(self):
        """A film in which each picture is another scene has no chunk of a single picture."""
        header, frames = harness.y4m_split(film().read_bytes())
        flicker = self.write("flicker.y4m", header + b"".join(frames[place] for place in [0, 30] * 20))
        harness.must(BIN / "xc-split", "--scenes", "-s", 12, "-d", self.dir / "flicker", flicker)
        parts = [harness.y4m_split(path.read_bytes())[1] for path in sorted((self.dir / "flicker").iterdir())]
        self.assertEqual([len(part) for part in parts], [5] * 8)

    def test_makefile(self):
        """gen_makefile.py makes batches of what xc-split prints."""
        said = self.split(".")
        starts = ",".join(line.split()[1] for line in said if line.startswith("scene"))
        last = len(chunk_starts()) - 1
        self.write("excamera.mk", harness.must(ROOT / "gen_makefile.py", "--structure", "anchored", 0, last, BATCH, 30,
                                               "--batch-starts", starts))
        harness.must("make", "-s", "-j2", "-f", "excamera.mk", cwd=self.dir, env=harness.environment())
        self.xc("xc-merge", "-o", "film.ivf", *(f"{number(i)}.ivf" for i in range(last + 1)))
        self.assertEqual(harness.ffmpeg_frames(self.dir / "film.ivf"), harness.our_frames(self.dir / "film.ivf"))


class Driver(DriverCase):
    def setUp(self):
        super().setUp()
        self.film = film()

    def expected(self):
        def make(path):
            harness.must(ROOT / "excamera", self.film, "-o", path, *OPTIONS, "-j", 1)
        return harness.cached(make, "scenes", OPTIONS, suffix=".ivf").read_bytes()

    def key_frames(self, name):
        """Which pictures ffprobe finds to be key frames."""
        text = harness.must("ffprobe", "-v", "error", "-show_entries", "frame=pict_type", "-of", "csv=p=0",
                            self.dir / name).decode()
        return [place for place, kind in enumerate(re.findall("[IPB]", text)) if kind == "I"]

    def test_key_frames_are_where_scenes_begin(self):
        for structure in ("anchored", "classic"):
            with self.subTest(structure):
                speed = () if structure == "anchored" else ("--speed", "0")
                self.works(self.film, "-o", "out.ivf", *OPTIONS, "--structure", structure, "--verify", *speed)
                self.assertEqual(self.key_frames("out.ivf"), KEYS)
                self.assertEqual(len(harness.vpxdec_frames(self.dir / "out.ivf")), FRAMES)

    def test_the_same_bytes(self):
        """Whether one run of make encodes all or a part, and from a file or a pipe."""
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "-j", 4)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected())
        self.works("-", "-o", "out.ivf", *OPTIONS, "-j", 1, stdin=self.film.read_bytes())
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected())

    def test_interrupted(self):
        """In the second segment: the scenes of what is finished are in the record, but not always those of raw chunks
        that are there."""
        env = self.hold(f"*--follow*{number(28)}*")
        for how in (signal.SIGKILL, signal.SIGTERM):
            process = self.popen(*OPTIONS, env=env)
            self.wait_until_held(process)
            self.interrupt(process, how)
        self.assertIn("with another scenes", self.fails(self.film, "-o", "out.ivf", *OPTIONS, "--no-scenes"))
        path = self.dir / "out.ivf.work/record.json"
        record = json.loads(path.read_text())
        known = [scene for scene in record["scenes"] if scene[0] <= record["done"]]
        self.assertLess(len(known), len(SCENES))
        path.write_text(json.dumps({**record, "scenes": known, "film": None}))
        first = (self.dir / f"out.ivf.work/{number(0)}.ivf").stat().st_mtime_ns
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "-j", 1, "--keep")
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected())
        self.assertEqual((self.dir / f"out.ivf.work/{number(0)}.ivf").stat().st_mtime_ns, first, "is made again")

    def test_begun_without(self):
        """A run goes on as it was begun, also one of a version that knew nothing of scenes."""
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "--no-scenes", "--keep")
        expected, work = (self.dir / "out.ivf").read_bytes(), self.dir / "out.ivf.work"
        self.assertEqual(self.key_frames("out.ivf"), sorted({*SCENES, *range(0, FRAMES, CHUNK * BATCH)}))
        (self.dir / "out.ivf").unlink()
        record = json.loads((work / "record.json").read_text())
        del record["arguments"]["scenes"]
        (work / "record.json").write_text(json.dumps(record))
        self.assertIn("with another scenes", self.fails(self.film, "-o", "out.ivf", *OPTIONS, "--scenes"))
        (work / f"{number(12)}.ivf").unlink()
        self.works(self.film, "-o", "out.ivf", *OPTIONS)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), expected)

    def test_without_cuts(self):
        """A film has the same bytes either way."""
        film = harness.film(**SHAPE, frames=20, seed=4)
        for target in (("-q", "30"), ("--size", "40k")):
            for choice in ("scenes", "no-scenes"):
                self.works(film, "-o", f"{choice}.ivf", *OPTIONS[:4], *target, f"--{choice}")
            self.assertEqual((self.dir / "scenes.ivf").read_bytes(), (self.dir / "no-scenes.ivf").read_bytes())

    def test_lost_while_it_was_off(self):
        """A power cut took a finished chunk. What is made again is the same, in the same batches."""
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "--keep")
        (self.dir / f"out.ivf.work/{number(12)}.ivf").unlink()
        self.works(self.film, "-o", "out.ivf", *OPTIONS)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), self.expected())

    def test_segments(self):
        """One for each batch, with the packets of the single file."""
        self.works(self.film, "-o", "out", *OPTIONS, "--segments", "hls", "-j", 1)
        parts = sorted((self.dir / "out").glob("video-0*.webm"))
        init = (self.dir / "out/video-init.webm").read_bytes()
        begins = [packets(self.write("part.webm", init + part.read_bytes()), "v")[0][0] for part in parts]
        self.assertEqual(begins, [int(1000 * frame / 24 + 0.5) for frame in KEYS])
        joined = self.write("joined.webm", init + b"".join(part.read_bytes() for part in parts))
        self.works(self.film, "-o", "single.webm", *OPTIONS)
        self.assertEqual([packet[-1] for packet in packets(joined, "v")],
                         [packet[-1] for packet in packets(self.dir / "single.webm", "v")])

    def test_ceiling(self):
        """Batches of different lengths are encoded again where they must be."""
        limit = ("--max-bitrate", "90k", "--buffer", "1")
        self.works(self.film, "-o", "one.ivf", *OPTIONS, *limit, "-j", 1)
        self.works(self.film, "-o", "four.ivf", *OPTIONS, *limit, "-j", 4)
        self.assertEqual((self.dir / "one.ivf").read_bytes(), (self.dir / "four.ivf").read_bytes())
        self.assertLess((self.dir / "one.ivf").stat().st_size, len(self.expected()))
        self.assertEqual(self.key_frames("one.ivf"), KEYS)

    def test_ladder(self):
        """All sizes have the key frames of the largest one, whatever comes first, and what else they have alone."""
        self.works(self.film, "-o", "out.ivf", *OPTIONS, "--ladder", "32:60k,80,48", "-j", 1)
        self.assertEqual((self.dir / "out-80.ivf").read_bytes(), self.expected())
        for height in (80, 48, 32):
            self.assertEqual(self.key_frames(f"out-{height}.ivf"), KEYS)

    def test_a_full_disk(self):
        """Under one size of several. The line names it, although the next smaller size ends because of that."""
        work = self.dir / "out-80.ivf.work"
        split = f"""case "$*" in *'{work.name}'*) ulimit -f 40 ;; esac; exec '{BIN}/xc-split' "$@" """
        text = self.fails(self.film, "-o", "out.ivf", *OPTIONS, "--ladder", "80,48,32",
                          env=self.tools_but("xc-split", split))
        self.assertRegex(text, r"xc-split: out-80\.ivf\.work/\d{8}\.y4m: ")
        self.assertNotIn("/dev/fd", text)

    def test_refused(self):
        done = self.excamera(self.film, "-o", "out.ivf", "--scenes", "--decode", "there")
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn("excamera: error: --scenes needs the raw pictures", done.stderr.decode())


class Targets(DriverCase):
    """With four processes, the whole film is split before anything is encoded. With one, it is read twice."""
    OPTIONS = OPTIONS[:4]

    def setUp(self):
        super().setUp()
        self.film = film()

    def both(self, *target):
        """What has the same bytes either way."""
        for jobs in (1, 4):
            self.works(self.film, "-o", f"{jobs}.ivf", *self.OPTIONS, *target, "-j", jobs)
        made = (self.dir / "1.ivf").read_bytes()
        self.assertEqual(made, (self.dir / "4.ivf").read_bytes())
        self.assertEqual(len(harness.vpxdec_frames(self.dir / "1.ivf")), FRAMES)
        return made

    def test_size(self):
        self.assertAlmostEqual(len(self.both("--size", "62k")) / 62000, 1, delta=0.03)

    def test_quality(self):
        self.both("--target", "ssim=0.98")
        self.assertAlmostEqual(harness.ssim(self.dir / "1.ivf", self.film), 0.98, delta=0.002)

    def test_bitrate_below_a_limit(self):
        made = self.both("--bitrate", "190k", "--max-bitrate", "300k")
        self.assertAlmostEqual(len(made) * 8 * 24 / FRAMES / 190000, 1, delta=0.03)

    def test_interrupted(self):
        """The scenes that the first reading has found are in the record."""
        target = ("--size", "62k", "-j", "1")
        self.works(self.film, "-o", "expected.ivf", *self.OPTIONS, *target)
        process = self.popen(*self.OPTIONS, *target, env=self.hold(f"*--follow*{number(28)}*"))
        self.wait_until_held(process)
        self.interrupt(process, signal.SIGKILL)
        self.works(self.film, "-o", "out.ivf", *self.OPTIONS, *target)
        self.assertEqual((self.dir / "out.ivf").read_bytes(), (self.dir / "expected.ivf").read_bytes())
