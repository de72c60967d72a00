# SPDX-License-Identifier: BSD-2-Clause
"""Films whose batches are dealt out among two regions: a local run's bytes, and everything only where it is needed."""
import hashlib
import re
import shutil

import harness
import remote
import stack
from harness import ROOT, number
from remote import RemoteCase

FIRST, SECOND = REGIONS = (stack.REGION, "us-west-2")

packages = None


def setUpModule():
    global packages
    packages = remote.package_with_ffmpeg()
    remote.start(workers=6, package=packages and packages / "excamera.zip", regions=REGIONS)


def tearDownModule():
    remote.stop()
    shutil.rmtree(packages, ignore_errors=True)


class RegionCase(RemoteCase):
    film = {"width": 64, "height": 48, "frames": 60}
    batch = 4  # of ten chunks: two batches in the first region, one in the second

    def setUp(self):
        super().setUp()
        self.addCleanup(self.stack.start_proxy)

    def environment(self, **changes):
        return super().environment(**{"XC_LAMBDA_TOOLS": str(packages / "tools.sha256"), **changes})

    def region_of(self, chunk):
        return REGIONS[chunk // self.batch % 2]

    def in_turn(self, **changes):
        """The same regions, in the other order."""
        return {"XC_LAMBDA_REGIONS": f"{SECOND} {FIRST}", **changes,
                "XC_LAMBDA_BUCKET": " ".join(self.stack.regions[region] for region in (SECOND, FIRST))}

    def assert_data_are_where_needed(self):
        """Each chunk's raw pictures and its finished stream are in one region."""
        for chunk in range(self.chunks):
            for path in (self.dir / f"{number(chunk)}.y4m", self.dir / f"{number(chunk)}.ivf"):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                there = [region for region in REGIONS if digest in self.stack.objects("data", region)]
                self.assertEqual(there, [self.region_of(chunk)], path.name)


class Films(RegionCase):
    def check(self, engine, structure):
        self.prepare(self.dir, structure)
        expected = self.local()
        self.assertGreater(self.made(engine), 0)
        self.assertEqual(self.finished(), expected)
        self.assert_data_are_where_needed()
        self.clear()
        self.assertEqual(self.made(engine), 0, "a later run finds what this one has made")
        self.assertEqual(self.finished(), expected)

    def test_lambda(self):
        self.check("lambda", "classic")

    def test_lambda_chunk(self):
        self.check("lambda-chunk", "anchored")

    def test_batches_that_begin_elsewhere(self):
        """The region of a chunk does not depend on which others are made with it."""
        for chunk in range(3):
            (self.dir / f"{number(chunk)}.y4m").unlink()
        self.write("excamera.mk", harness.must(ROOT / "gen_makefile.py", 3, self.chunks - 1, self.batch, 22))
        self.made("lambda-chunk", f"{number(7)}.ivf", f"{number(3)}.ivf")
        for chunk, region in ((3, FIRST), (7, SECOND)):
            digest = hashlib.sha256((self.dir / f"{number(chunk)}.ivf").read_bytes()).hexdigest()
            self.assertIn(digest, self.stack.objects("data", region))

    def test_batches_of_different_lengths(self):
        """The region of a batch is that of its first chunk; of ten chunks, the last batch is in the second region."""
        batches = harness.must(ROOT / "gen_makefile.py", 0, self.chunks - 1, self.batch, 22, "--batch-starts=2,3")
        self.write("excamera.mk", batches)
        self.made("lambda-chunk", *(f"{number(chunk)}.ivf" for chunk in (1, 5, 7, 8)))
        for chunk, region in ((1, FIRST), (5, FIRST), (7, SECOND), (8, SECOND)):
            digest = hashlib.sha256((self.dir / f"{number(chunk)}.ivf").read_bytes()).hexdigest()
            self.assertIn(digest, self.stack.objects("data", region))

    def test_fetch(self):
        names = [f"{number(chunk)}-0.state" for chunk in (0, 4)]
        self.made("lambda", *names)
        buckets = [(self.dir / name).read_text().split()[-1] for name in names]
        self.assertEqual(buckets, list(self.stack.regions.values()))
        done = harness.run(ROOT / "lambda/xc-lambda", "fetch", *names, cwd=self.dir, env=self.environment())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        for name in names:
            self.assertEqual((self.dir / name).read_bytes()[:8], b"XCSTATE\n")


class Driver(RegionCase):
    OPTIONS = ("-q", "40", "-s", "6", "-k", "2", "-j", "4", "--no-scenes")

    def excamera(self, output, *options, **changes):
        return harness.run(ROOT / "excamera", "film.mp4", "-o", output, *self.OPTIONS, *options, cwd=self.dir,
                           env=self.environment(**changes))

    def setUp(self):
        super().setUp()
        for path in self.dir.iterdir():
            path.unlink()
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(**self.film), "-c:v", "libx264", "-preset",
                     "ultrafast", "-g", "4", self.dir / "film.mp4")

    def test_pieces(self):
        """--decode there: each region gets the pieces of its batches."""
        self.assertEqual(self.excamera("local.ivf").returncode, 0)
        for engine in ("lambda", "lambda-chunk"):
            done = self.excamera("remote.ivf", "--decode", "there", "--keep", ENGINE=engine)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertNotIn(b"decoded here", done.stderr)
            self.assertEqual((self.dir / "remote.ivf").read_bytes(), (self.dir / "local.ivf").read_bytes())
            work = self.dir / "remote.ivf.work"
            self.assertGreater(len(list(work.glob("*.nut"))), 6)
            rules = re.findall(r"^0*(\d+)\.y4m[^:\n]*: (.*)$", (work / "excamera.mk").read_text(), re.M)
            needed = {(name, REGIONS[int(chunk) // 2 % 2]) for chunk, names in rules for name in names.split()}
            there = {(path.name, region) for pattern in ("*.nut", "*.plan") for path in work.glob(pattern)
                     for region in REGIONS
                     if hashlib.sha256(path.read_bytes()).hexdigest() in self.stack.objects("data", region)}
            self.assertEqual(there, needed)
            shutil.rmtree(work)

    def test_raw_chunks(self):
        """Each is uploaded, while the film is split, to the region of its batch."""
        done = self.excamera("local.ivf", "--keep")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        done = self.excamera("remote.ivf", ENGINE="lambda-chunk")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual((self.dir / "remote.ivf").read_bytes(), (self.dir / "local.ivf").read_bytes())
        for path in (self.dir / "local.ivf.work").glob("[0-9]*.y4m"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            there = [region for region in REGIONS if digest in self.stack.objects("data", region)]
            self.assertEqual(there, [REGIONS[int(path.stem) // 2 % 2]], path.name)

    def test_not_deployed(self):
        """Nothing is begun, however many processes there may be."""
        self.stack.start_proxy(bare=SECOND)
        done = self.excamera("remote.ivf", ENGINE="lambda")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), rf"\Aexcamera: [^\n]*xc-lambda: {SECOND}: has no function excamera; "
                                               r"run: xc-lambda deploy[^\n]*\n\Z")
        self.assertEqual([path.name for path in self.dir.iterdir()], ["film.mp4"])


class Faults(RegionCase):
    def test_a_region_fails(self):
        """The batches of the others are finished all the same; its own are, when it is well again."""
        expected = self.local()
        for engine in ("lambda", "lambda-chunk"):
            with self.subTest(engine):
                self.stack.start_proxy(down=SECOND)
                lines = self.failed(self.make(engine, "-k", XC_LAMBDA_ATTEMPTS="2"), "HTTP 503")
                self.assertTrue(all(line.startswith("xc-lambda: ") for line in lines), lines)
                made = {path.stem for path in self.dir.glob("????????.ivf")}
                self.assertEqual(made, {number(i) for i in range(self.chunks) if self.region_of(i) == FIRST})
                self.stack.start_proxy()
                self.made(engine)
                self.assertEqual(self.finished(), expected)
                self.clear()
                shutil.rmtree(self.stack.directory / "s3" / stack.BUCKET / "task")
                shutil.rmtree(self.stack.directory / "s31" / self.stack.regions[SECOND] / "task")

    def test_not_deployed(self):
        self.stack.start_proxy(bare=SECOND)
        before = self.stack.invocations()
        for engine in ("lambda", "lambda-chunk"):
            done = self.make(engine)
            self.assertRegex(done.stderr.decode(), rf"\A[^\n]*\*\*\* xc-lambda: {SECOND}: has no function excamera; "
                                                   r"run: xc-lambda deploy\.  Stop\.\n\Z")
            self.assertEqual(done.returncode, 2)
        self.assertEqual(self.stack.invocations(), before)
        self.assertFalse((self.dir / ".xc-lambda").exists())
        self.assertEqual(self.make("lambda", "clean").returncode, 0, "what is here can be removed without")

    def test_no_bucket(self):
        buckets = f"{stack.BUCKET} no-such-bucket"
        self.failed(self.make("lambda", XC_LAMBDA_BUCKET=buckets),
                    f"xc-lambda: {SECOND}: has no bucket no-such-bucket; run: xc-lambda deploy")

    def test_mistakes(self):
        for changes, said in (({"XC_LAMBDA_REGIONS": f"{FIRST} {FIRST}"}, f"XC_LAMBDA_REGIONS: has {FIRST} twice"),
                              ({"XC_LAMBDA_REGIONS": f"{FIRST} over/there"},
                               "XC_LAMBDA_REGIONS: 'over/there' is not a region"),
                              ({"XC_LAMBDA_BUCKET": "one"}, "XC_LAMBDA_BUCKET: names 1 of 2 buckets"),
                              ({"XC_LAMBDA_BUCKET": ""}, "XC_LAMBDA_BUCKET: is not set"),
                              ({"XC_LAMBDA_REGIONS": " ".join(f"r{i}" for i in range(65))},
                               "XC_LAMBDA_REGIONS: has more than 64 names")):
            with self.subTest(said):
                self.assertEqual(len(self.failed(self.make("lambda", **changes), f"*** xc-lambda: {said}")), 1)
        harness.must("sed", "-i", "/^BATCH_SIZE/d", self.dir / "excamera.mk")  # a makefile of an earlier version
        self.failed(self.make("lambda"), "xc-lambda: XC_LAMBDA_BATCH: does not say what a batch is; write the makefile "
                                         "anew with gen_makefile.py")


class OtherLists(RegionCase):
    """What an interrupted run has left stands for data that are elsewhere now."""

    def test_other_order(self):
        """It is put where it is needed, and not made again."""
        expected = self.local()
        self.made("lambda", *(f"{number(chunk)}-0.state" for chunk in (0, 1, 4, 5)))
        (self.dir / "timings.tsv").unlink()
        self.made("lambda", **self.in_turn())
        self.assertEqual(self.finished(), expected)
        again = {row[0] for row in self.rows()} & {f"{number(chunk)}-vpxenc.ivf" for chunk in (0, 1, 4, 5)}
        self.assertEqual(again, set())

    def test_damaged_on_the_way(self):
        self.made("lambda", f"{number(4)}-0.state")
        digest = re.search(r"sha256 (\w+)", (self.dir / f"{number(4)}-0.state").read_text())[1]
        path = self.stack.directory / "s31" / self.stack.regions[SECOND] / "data" / digest
        self.assertTrue(path.exists())
        self.stack.curl("PUT", f"data/{digest}", b"poison", region=SECOND)
        self.failed(self.make("lambda", f"{number(5)}.ivf", **self.in_turn()),
                    f"{number(4)}-0.state: damaged in the store; remove s3://{path.parent.parent.name}/data/{digest}")

    def test_fewer(self):
        """What only the region that is gone has is made anew."""
        expected = self.local()
        self.made("lambda", *(f"{number(chunk)}-0.state" for chunk in (0, 4)))
        fewer = {"XC_LAMBDA_REGIONS": FIRST, "XC_LAMBDA_BUCKET": stack.BUCKET}
        self.failed(self.make("lambda", **fewer), "its data are no longer in the store; the next make makes it anew")
        self.made("lambda", **fewer)
        self.assertEqual(self.finished(), expected)
