# SPDX-License-Identifier: BSD-2-Clause
"""Whole films through the remote engines: a local run's bytes, nothing done twice, local and remote steps mixed."""
import os
import re
import signal
import shutil
import tempfile
import pathlib

import harness
import remote
from remote import RemoteCase
from xcdriver import graph
from xcdriver.layout import Layout

RAW = re.compile(r"\d{8}\.y4m")
ENGINES = ("lambda", "lambda-chunk")


def setUpModule():
    remote.start(workers=6)  # as many as make has jobs: with fewer, a chunk may have to come twice


def tearDownModule():
    remote.stop()


class WholeFilm(RemoteCase):
    film = {"width": 64, "height": 48, "frames": 108}

    def check(self, engine, structure, invocations):
        self.prepare(self.dir, structure)
        expected = self.local()
        self.assertEqual(self.made(engine), invocations)
        self.assertEqual(self.finished(), expected)
        self.check_timings(engine, structure, invocations)
        self.clear()
        self.assertEqual(self.made(engine), 0, "the second run costs nothing")
        self.assertEqual(self.finished(), expected)
        self.assert_workers_are_clean()

    def check_timings(self, engine, structure, invocations):
        """timings.tsv has what a local run's has, and bench/latency-model.py predicts from it."""
        rows = {row[0]: row for row in self.rows()}
        steps = graph.film_steps(structure, Layout(self.batch).batches(self.chunks), 22, apart=engine == "lambda-chunk")
        self.assertEqual(set(rows), {step.outputs[0] for step in steps})
        for step in steps:
            name, chunk, start, end, cpu, memory, read, wrote, _ = rows[step.outputs[0]]
            self.assertEqual(chunk, name[:8])
            self.assertTrue(float(start) < float(end) and float(cpu) > 0 and int(memory) > 0, rows[name])
            if "-after-" in name:  # a state that stays where it is, and so is not compressed: it has two pictures
                self.assertGreater(int(wrote), 2 * 64 * 48 * 3 // 2)
            self.assertTrue(int(wrote) > 0, rows[name])
            raw = [(self.dir / name).stat().st_size for name in step.inputs if RAW.fullmatch(name)]
            self.assertGreaterEqual(int(read), sum(raw) + len(step.inputs) - len(raw))
        self.assertEqual(sum(float(row[8]) > 0 for row in rows.values()), invocations)
        report = harness.must(harness.ROOT / "bench/latency-model.py", "lambda", "--chunks", 16, "-k", 8, "--films", 2,
                              "film=timings.tsv", cwd=self.dir)
        if (engine, structure) != ("lambda", "prepared"):  # there, no anchors are replayed
            self.assertRegex(report.decode(), structure + r" +lambda-chunk +8 +[\d.]+")

    def test_lambda(self):
        """18 chunks in batches of 16 and 2: vpxenc and terminate each, 16 dumps, 16 times enc, 14 times rebase."""
        self.check("lambda", "classic", 18 + 18 + 16 + 16 + 14)

    def test_lambda_anchored(self):
        self.check("lambda", "anchored", 2 * 18)

    def test_lambda_prepared(self):
        self.check("lambda", "prepared", 2 * 18 + 16)

    def test_lambda_chunk(self):
        self.check("lambda-chunk", "classic", 18)

    def test_lambda_chunk_anchored(self):
        self.check("lambda-chunk", "anchored", 18)

    def test_lambda_chunk_prepared(self):
        """Anchors travel, and no states."""
        self.check("lambda-chunk", "prepared", 18)


class Pictures(RemoteCase):
    """The film of PNG files that mu's README begins with: chunks are made there, too."""

    film = {"width": 64, "height": 48, "frames": 22}

    def generate(self, directory, structure):
        pictures = harness.write_pictures(harness.film(**self.film), directory)
        for path in directory.glob("*.y4m"):
            path.unlink()
        text = harness.must(harness.ROOT / "gen_makefile.py", "--structure", structure, 0, self.chunks - 1, self.batch,
                            22, "--pictures", f"1-{pictures}", "-s", self.size)
        (directory / "excamera.mk").write_bytes(text)

    def test_films(self):
        for engine, structure in (("lambda", "anchored"), ("lambda-chunk", "classic")):
            with self.subTest(engine):
                self.prepare(self.dir, structure)
                expected = self.local("*.png")
                self.made(engine)
                self.assertEqual(self.finished(), expected)
                self.assertEqual(list(self.dir.glob("*.y4m")), [])
        self.assert_workers_are_clean()


class Reuse(RemoteCase):
    film = {"width": 64, "height": 48, "frames": 48}

    def change_chunk(self, chunk):
        path = self.dir / f"{harness.number(chunk)}.y4m"
        data = bytearray(path.read_bytes())
        data[-200:] = bytes(200)
        path.write_bytes(data)

    def test_one_chunk_changed(self):
        """Only what comes after it is made anew: the chunk's own five steps, the next chunk's enc, and all rebases from
        there on; or the chunk and those behind it."""
        for engine, at_most in (("lambda", 4 + 1 + 5), ("lambda-chunk", 5)):
            with self.subTest(engine):
                self.prepare(self.dir)
                self.made(engine)
                before = self.finished()
                self.change_chunk(3)
                expected = self.local()
                self.assertNotEqual(before, expected)
                (self.dir / "timings.tsv").unlink()
                count = self.made(engine)
                self.assertLessEqual(count, at_most)
                self.assertGreater(count, 0)
                self.assertEqual({row[1] for row in self.rows()} - {harness.number(i) for i in range(3, 8)}, set())
                self.assertEqual(self.finished(), expected)
                self.clear()

    def test_two_runs_at_once(self):
        for engine in ENGINES:
            with self.subTest(engine), tempfile.TemporaryDirectory(prefix="excamera-test-") as name:
                other = pathlib.Path(name)
                self.prepare(self.dir)
                self.prepare(other)
                runs = [self.popen(engine, cwd=directory) for directory in (self.dir, other)]
                self.assertEqual([(run.communicate()[1], run.returncode) for run in runs], [(b"", 0)] * 2)
                self.assertEqual(self.finished(), self.finished(other))
                self.assertEqual(self.finished(), self.local())
                self.clear()

    def test_interrupted(self):
        """Interrupted again and again, it comes to the same end; and nothing half-done is taken for done."""
        for engine in ENGINES:
            with self.subTest(engine):
                self.prepare(self.dir, seed=77)
                interrupted = 0
                for attempt in range(4):
                    run = self.popen(engine)
                    try:
                        run.wait(0.3 + 0.2 * attempt)
                    except Exception:
                        os.killpg(run.pid, signal.SIGINT)
                    run.communicate()
                    interrupted += run.returncode != 0
                    self.assertEqual([p.name for p in self.dir.glob("*.tmp*")], [])
                self.assertGreater(interrupted, 0)
                self.made(engine)
                self.assertEqual(self.finished(), self.local())
                self.clear()


class Mixed(RemoteCase):
    """References are files to make, and to nobody else."""

    def test_references(self):
        self.made("lambda", "00000001-0.state")
        reference = self.dir / "00000001-0.state"
        self.assertRegex(reference.read_text(),
                         r"\AXCREF xc-lambda fetch\nsha256 [0-9a-f]{64}\nsize \d+\nbucket \S+\n\Z")
        message = self.refuses("xc-enc", "-W", "-w", "0.75", "-i", "y4m", "-o", "x.ivf", "-r", "-I", reference.name,
                               "-p", "00000001-0.ivf", "00000002.y4m")
        self.assertRegex(message, r"is a reference to remote data; fetch it with: xc-lambda fetch 0000000[12]-0\.\w+$")
        done = harness.run(harness.ROOT / "lambda/xc-lambda", "fetch", *sorted(self.dir.glob("0*-*")),
                           cwd=self.dir, env=self.environment())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(reference.read_bytes()[:9], b"XCSTATE\n\2")  # compressed

    def test_local_after_remote(self):
        """What was made there, and fetched, goes on here."""
        expected = self.local()
        self.made("lambda", *(f"{harness.number(i)}-0.state" for i in range(3)))
        fetched = harness.run(harness.ROOT / "lambda/xc-lambda", "fetch", *sorted(self.dir.glob("0*-*")), cwd=self.dir,
                              env=self.environment())
        self.assertEqual(fetched.returncode, 0, fetched.stderr)
        self.assertEqual(self.make("local").returncode, 0)
        self.assertEqual(self.finished(), expected)

    def test_remote_after_local(self):
        expected = self.local()
        self.assertEqual(self.make("local", "KEEP=1", "00000002-0.state", "00000001-0.state").returncode, 0)
        self.made("lambda")
        self.assertNotIn("00000002-0.state", [row[0] for row in self.rows()])
        self.assertEqual(self.finished(), expected)

    def test_expired_data(self):
        """Objects have a limited life. References to nothing go away all at once; what they stood for is made anew."""
        expected = self.local()
        self.made("lambda", *(f"{harness.number(i)}-0.state" for i in range(3)))
        shutil.rmtree(self.stack.directory / "s3" / remote.stack.BUCKET / "data")
        self.failed(self.make("lambda"), "its data are no longer in the store; the next make makes it anew")
        self.made("lambda")
        self.assertEqual(self.finished(), expected)
