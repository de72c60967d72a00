# SPDX-License-Identifier: BSD-2-Clause
"""excamera report: the page, in headless Chromium, shows what the tools and timings.tsv say, and does nothing else."""
import functools
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

import harness
import webdriver
from harness import ROOT, Case

sys.path.insert(0, str(ROOT))
from xcdriver.graph import Step  # noqa: E402
from xcdriver.report import steps  # noqa: E402
from xcdriver.report.directory import Directory, Row  # noqa: E402

FRAMES = 30


@functools.lru_cache(maxsize=None)
def kept(structure="anchored"):
    """The work directory of a run with --keep, and OUTPUT.webm beside it."""
    harness.need("ffmpeg", "make")
    directory = pathlib.Path(tempfile.mkdtemp(dir=harness.cache()))
    harness.must(ROOT / "excamera", harness.film(frames=FRAMES, cut=14), "-o", directory / "film.webm", "--keep", "-s",
                 6, "-k", 3, "--structure", structure, "-j", 2)
    return directory / "film.webm.work"


def timings(directory):
    return [line.split("\t") for line in (directory / "timings.tsv").read_text().splitlines()]


class Browser(Case):
    """The page as Chromium shows it."""

    @classmethod
    def setUpClass(cls):
        harness.need("chromium", "chromedriver")
        cls.driver = webdriver.WebDriver()
        cls.driver.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.driver.__exit__()

    def page(self, source, *options, name="page.html"):
        """Makes the page about something, and opens it."""
        harness.must(ROOT / "excamera", "report", source, "-o", self.dir / name, *options)
        self.driver.open(self.dir / name)
        self.driver.run("return document.fonts.ready")

    def data(self):
        return self.driver.run("return JSON.parse(document.getElementById('data').textContent)")

    def text(self, selector):
        found = self.driver.run("return document.querySelector(arguments[0]).textContent", selector)
        return found.replace("\u202f", " ")

    def tip(self):
        """What is written beside the pointer."""
        return self.driver.run("const t = document.getElementById('tip'); return t.hidden ? '' : t.innerText")

    def tells(self, words):
        """Waits until they are written there. A browser on a busy machine takes its time."""
        harness.wait_for(lambda: words in self.tip(), f"the page tells {words!r}")

    def rows(self, table):
        return self.driver.run("return [...document.querySelectorAll(arguments[0] + ' tr')].slice(1).map("
                               "(row) => [...row.cells].map((cell) => cell.textContent))", table)

    def tearDown(self):
        self.assertEqual(self.driver.complaints(), [])

    def test_numbers_are_those_of_the_tools(self):
        work = kept()
        self.page(work)
        self.driver.run("document.getElementById('table-of-frames').open = true")
        sizes = self.xc("xc-framesize", work / "film.ivf").decode().splitlines()
        harness.wait_for(lambda: len(self.rows("#table")) == len(sizes) - 1)
        table = self.rows("#table")
        self.assertEqual([f"{int(row[0]):08d} {row[1]}" for row in table], sizes[:-1])
        dissected = json.loads(self.xc("xc-dissect", "--json", work / "film.ivf"))["frames"]
        self.assertEqual([row[3] for row in table], [str(frame["header"]["quantizer"]["y_ac"]) for frame in dissected])
        self.assertEqual([row[2] for row in table],
                         ["key frame" if f["key_frame"] else "other frame" if f["shown"] else "hidden frame"
                          for f in dissected])
        ssim = self.xc("xc-ssim", "-1", "y4m", harness.film(frames=FRAMES, cut=14), work / "film.ivf").decode().split()
        shown = [row[5] for row in table if row[5] != "–"]
        self.assertEqual([f"{float(value):g}" for value in shown], ssim)
        total = int(sizes[-1].split()[1])
        self.assertEqual(total, (work / "film.ivf").stat().st_size)
        self.assertIn(f"Video stream{total / 1000:.1f} kB", self.text("#figures"))
        self.assertIn(f"{sum(map(float, ssim)) / FRAMES:.4f}", self.text("#figures"))
        chunks = [row[6] for row in table]
        for chunk in range(6):  # with the third one, a scene ends
            self.assertEqual(chunks.count(str(chunk)), len(harness.Ivf(work / f"{chunk:08d}.ivf").frames))
        self.assertIn("6 chunks and 2 batches", self.text("#summary"))

    def test_steps_are_those_of_the_timings(self):
        for structure in ("anchored", "classic"):
            with self.subTest(structure):
                self.check_steps(kept(structure))

    def check_steps(self, work):
        self.page(work)
        rows, found = timings(work), self.data()["steps"]["rows"]
        first = min(float(row[2]) for row in rows)
        self.assertEqual(sorted((row[0], round(float(row[2]) - first, 4), round(float(row[3]) - first, 4),
                                 round(float(row[4]), 4), *map(int, row[5:8])) for row in rows),
                         sorted((s["name"], s["start"], s["end"], s["cpu"], s["memory"], s["read"], s["wrote"])
                                for s in found))
        self.assertEqual(sum(int(row[1]) for row in self.rows("#waits")), len(rows))
        cpu = sum(float(row[4]) for row in rows)
        shown = re.search(r"CPU time([\d.]+) s", self.text("#figures"))[1]
        self.assertAlmostEqual(float(shown), cpu, delta=0.06)
        kinds = {"anchored": {"xc-enc --anchors", "xc-enc --follow"},
                 "classic": {"xc-vpxenc", "xc-terminate-chunk", "xc-dump", "xc-enc", "xc-rebase"}}
        self.assertEqual({s["kind"] for s in found}, kinds[self.data()["structure"]])
        # No two steps are in one slot at once.
        for lane in range(self.data()["steps"]["lanes"]):
            mine = sorted((s["start"], s["end"]) for s in found if s["lane"] == lane)
            self.assertTrue(all(a[1] <= b[0] + 0.01 for a, b in zip(mine, mine[1:])), mine)

    def test_states(self):
        work = kept()
        self.page(work)
        states = {path.name: path.stat().st_size for path in work.glob("*.state")}
        self.assertEqual({state["name"]: state["bytes"] for state in self.data()["states"]}, states)
        self.assertIn(f"{len(states)} states", self.text("#states-told"))

    def test_pointing_and_zooming(self):
        self.page(kept())
        canvas = self.driver.element("#frames")
        self.driver.run("document.getElementById('frames').scrollIntoView()")
        width = self.driver.run("return document.getElementById('frames').clientWidth")
        left = -width // 2 + 58
        self.driver.point(canvas, left + 2, 0)
        size = self.data()["frames"]["size"][0]
        self.tells("Frame 0: key frame")
        self.tells(f"{size // 1000}\u202f{size % 1000:03d} bytes")
        self.driver.point(canvas, left, 0, drag_to=left + width // 5)  # the first fifth is seen then
        self.driver.point(canvas, width // 2 - 12, 0)
        near = range((FRAMES + 6) // 5 - 3, (FRAMES + 6) // 5 + 5)
        harness.wait_for(lambda: re.search(r"Frame (\d+)", self.tip()) and int(
            re.search(r"Frame (\d+)", self.tip())[1]) in near, "the last frame of the first fifth is told")
        self.driver.press(canvas, "\ue00c0\ue014")  # escape; all again; an arrow to the right
        self.tells("Frame 0")
        self.driver.press(canvas, "\ue014")
        self.tells("Frame 1: hidden frame")
        run = self.driver.element("#run")
        self.driver.run("document.getElementById('run').scrollIntoView()")
        self.driver.press(run, "\ue014\ue014")
        self.tells("0000000")

    def pixels(self):
        """The colours on the page's charts: how many there are."""
        return self.driver.run("""return [...document.querySelectorAll("canvas")].map((canvas) => {
            const copy = document.createElement("canvas"), found = new Set();
            copy.width = canvas.width;
            copy.height = canvas.height;
            const context = copy.getContext("2d", { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            const data = context.getImageData(0, 0, copy.width, copy.height).data;
            for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) found.add(
                data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            return [...found]; })""")

    def test_light_and_dark(self):
        self.page(kept())
        for scheme, blue in (("light", 0x0072b2), ("dark", 0x56b4e9)):
            self.driver.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]}})
            harness.wait_for(lambda: all(blue in canvas for canvas in self.pixels()))
            paper = self.driver.run("return getComputedStyle(document.body).backgroundColor")
            self.assertEqual(sum(map(int, re.findall(r"\d+", paper))) > 384, scheme == "light")

    def test_a_film_alone(self):
        work = kept()
        self.page(work.with_suffix(""))
        self.assertEqual(self.data()["frames"]["size"],
                         [len(data) for _, data in harness.Ivf(work / "film.ivf").frames])
        self.assertIn(f"{FRAMES} pictures of 176 × 144 at 24 frames", self.text("#summary"))
        self.assertTrue(self.driver.run("return document.getElementById('run-section').hidden"))
        self.page(work / "00000000.ivf")
        self.assertEqual(len(self.data()["frames"]["size"]), len(harness.Ivf(work / "00000000.ivf").frames))

    def test_hostile_names(self):
        for name in (b"</script><script>document.title='x'</script>", b"<!--<script>", b"@data@ @program@ & \" '",
                     b"a\xff\xfe\nb", "\u2028\u202e.ivf".encode()):
            with self.subTest(name):
                path = os.fsencode(self.dir) + b"/" + name.replace(b"/", b"\\")
                shutil.copy(kept() / "00000000.ivf", path)
                self.page(os.fsdecode(path))
                expected = os.path.basename(path).decode(errors="replace")
                self.assertEqual(self.driver.run("return document.getElementById('name').textContent"), expected)
                self.assertEqual(self.driver.run("return document.querySelectorAll('script').length"), 2)
                self.assertNotEqual(self.driver.run("return document.title"), "x")
                self.assertEqual(self.driver.complaints(), [])

    def test_nothing_is_loaded(self):
        self.page(kept())
        self.assertEqual(self.driver.run("return performance.getEntriesByType('resource').length"), 0)
        text = (self.dir / "page.html").read_text()
        self.assertNotRegex(text, r"https?://|url\(|@import|\bsrc=")

    def test_lambda(self):
        """The cost of a run is what xc-lambda cost says."""
        work = self.dir / "work"
        shutil.copytree(kept(), work)
        rows = ["\t".join([*row[:8], "1.5"]) + "\n" for row in timings(work)]
        (work / "timings.tsv").write_text("".join(rows))
        self.page(work, "--memory", 2048, "--arch", "arm64")
        said = harness.must(ROOT / "lambda/cost", "arm64", 2048, 2048, work / "timings.tsv").decode().splitlines()
        shown = self.driver.run("return [...document.querySelectorAll('#cost li')].map((e) => e.textContent)")
        self.assertEqual(shown, said)
        self.assertIn(f"Paid on Lambda{1.5 * len(rows):.1f} s", self.text("#figures"))


class Inputs(Case):
    def report(self, source, output="page.html"):
        return harness.run(ROOT / "excamera", "report", source, "-o", self.dir / output)

    def found(self):
        text = (self.dir / "page.html").read_text()
        return json.loads(re.search(r'(?s)<script type="application/json" id="data">(.*?)</script>', text)[1])

    def copy(self):
        work = self.dir / "work"
        shutil.copytree(kept(), work)
        return work

    def check_refusal(self, said, source, output="page.html"):
        before = harness.snapshot(self.dir)
        done = self.report(source, output)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(errors="replace"), rf"\Aexcamera: [^\n]*{said}[^\n]*\n\Z")
        self.assertEqual(harness.snapshot(self.dir), before)

    def test_what_cannot_be_reported(self):
        self.check_refusal("no-such", self.dir / "no-such")
        (self.dir / "empty").mkdir()
        self.check_refusal("no finished chunk", self.dir / "empty")
        self.check_refusal("Invalid data", self.write("text", b"not a film"))
        self.check_refusal("not vp8", self.other_codec())
        self.check_refusal("cut short|too short|ends", self.write("short.ivf", b"DKIF1234"))
        self.check_refusal("is a directory", kept() / "film.ivf", ".")
        self.check_refusal("No such file", kept() / "film.ivf", "none/page.html")
        film = self.write("film.ivf", (kept() / "film.ivf").read_bytes())
        self.check_refusal("is the film", film, "film.ivf")

    def other_codec(self):
        path = self.dir / "other.mkv"
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(frames=3), "-c:v", "ffv1", path)
        return path

    def test_damaged_timings(self):
        work, row = self.copy(), "\t".join(timings(kept())[0])
        for bad in ("x", row.replace("\t", " "), row.replace("0000000", "<script>"), row + "\t0", "\0" * 20,
                    re.sub(r"\t[\d.]+\t", "\tnan\t", row, count=1), re.sub(r"\d+$", "inf", row)):
            with self.subTest(bad):
                (work / "timings.tsv").write_text(row + "\n" + bad + "\n")
                self.check_refusal("line 2 is not a row", work)

    def test_a_row_that_is_being_written(self):
        """It is left out, wherever it ends, and it is no number that is too small."""
        work, rows = self.copy(), (kept() / "timings.tsv").read_text().splitlines()
        for half in ("", "0", rows[-1].partition("\t")[0], rows[-1][:-3], rows[-1]):
            with self.subTest(half):
                (work / "timings.tsv").write_text("\n".join([*rows[:-1], half]))
                self.assertEqual(self.report(work).returncode, 0)
                self.assertEqual(len(self.found()["steps"]["rows"]), len(rows) - 1)

    def test_what_goes_while_it_is_looked_at(self):
        """A run removes states and raw pictures that no step needs any more."""
        work = self.copy()
        directory = Directory(work)
        before = directory.layout()
        (work / "00000000-anchors.state").unlink()
        raw = (work / "00000001.y4m").stat().st_size
        (work / "00000001.y4m").unlink()
        after = directory.layout()
        self.assertEqual(after["states"], before["states"][1:])
        self.assertEqual(after["raw_bytes"], before["raw_bytes"] - raw)
        self.assertIsNone(directory.ssim(work / "film.ivf"))

    def test_parts_of_a_directory(self):
        """What is missing is not shown, and a note says why."""
        work = self.copy()
        for path in work.iterdir():
            if path.suffix in (".y4m", ".tsv") or path.name == "00000003.ivf" or "record" in path.name:
                path.unlink()
        self.assertEqual(self.report(work).returncode, 0)
        found = self.found()
        self.assertEqual((found["steps"], found["frames"]["ssim"], len(found["chunks"])), (None, None, 3))
        self.assertEqual([note.split()[1] for note in found["notes"]], ["3", "is", "raw"])

    def test_made_by_make(self):
        """Without the driver: chunks, a makefile, make."""
        harness.write_chunks(harness.film(frames=8), self.dir, 2)
        makefile = harness.must(ROOT / "gen_makefile.py", "--structure", "anchored", 0, 3, 2, 40)
        self.write("excamera.mk", makefile)
        harness.must("make", "-f", "excamera.mk", "KEEP=1", "TIMINGS=timings.tsv", cwd=self.dir)
        self.assertEqual(self.report(self.dir).returncode, 0)
        found = self.found()
        self.assertEqual((len(found["steps"]["rows"]), found["batches"], len(found["frames"]["ssim"])), (8, [0, 2], 8))

    def test_references_have_the_size_of_what_they_stand_for(self):
        work = self.copy()
        (work / "00000000-anchors.state").write_text(
            f"XCREF xc-lambda fetch\nsha256 {'0' * 64}\nsize 1234567\nbucket b\n")
        (work / "00000001-anchors.state").write_text(
            f"XCREF xc-hosts fetch\nidentity {'0' * 64}\nsize 7654321\noutputs a\ninputs b\nargument c\n")
        self.assertEqual(self.report(work).returncode, 0)
        self.assertEqual([state["bytes"] for state in self.found()["states"]][:2], [1234567, 7654321])


class CriticalPath(unittest.TestCase):
    """On runs made by hand, of steps a, b, c ... whose inputs are given."""

    def analyse(self, times, inputs=()):
        graph = [Step([name], list(dict(inputs).get(name, "")), ["xc-dump", name]) for name in times]
        rows = [Row(name, 0, 1000 + start, 1000 + end, 1.0, 0, 0, 0, 0.0) for name, (start, end) in times.items()]
        found = steps.analyse(rows, graph)
        names = [row["name"] for row in found["rows"]]
        return found, "".join(names[i] for i in found["path"])

    def cause(self, found, name):
        row = next(row for row in found["rows"] if row["name"] == name)
        return row["cause"], found["rows"][row["before"]]["name"]

    def test_a_chain(self):
        found, path = self.analyse({"a": (0, 2), "b": (2, 3), "x": (0, 1), "c": (3, 7)}, {"b": "a", "c": "b"}.items())
        self.assertEqual(path, "abc")
        self.assertEqual((found["lanes"], found["chain"], found["seconds"]), (2, 7, 7))
        self.assertEqual(self.cause(found, "c"), ("input", "b"))

    def test_a_step_that_waits_for_a_slot(self):
        """c could begin after a, but both slots are taken until b is done."""
        found, path = self.analyse({"a": (0, 1), "b": (0, 5), "d": (1, 6), "c": (5, 9)}, {"c": "a"}.items())
        self.assertEqual(path, "bc")
        self.assertEqual(self.cause(found, "c"), ("slot", "b"))
        self.assertEqual(found["chain"], 5)

    def test_a_step_that_begins_late(self):
        """As on Lambda: there is room, the input is there, and the function has to start."""
        found, path = self.analyse({"a": (0, 1), "x": (0, 2), "y": (0, 2.5), "b": (3, 4)}, {"b": "a"}.items())
        self.assertEqual(path, "ab")
        self.assertEqual(self.cause(found, "b"), ("start", "a"))

    def test_pauses_are_left_out(self):
        found, path = self.analyse({"a": (0, 1), "b": (5000, 5002)}, {"b": "a"}.items())
        self.assertEqual((path, found["seconds"], found["pauses"]), ("ab", 3, [[1, 4999]]))

    def test_a_step_that_was_repeated_counts_once(self):
        found, _ = self.analyse({"a": (0, 1), "b": (1, 2)})
        self.assertEqual(len(found["rows"]), 2)
