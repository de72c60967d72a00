# SPDX-License-Identifier: BSD-2-Clause
"""bench/latency-model.py: its schedulers on small graphs, its order of steps compared with make's, its figures compared
with those of the authors of the paper."""
import importlib.machinery
import importlib.util
import json
import math
import random
import statistics

import harness
from harness import BIN, ROOT, Case, number


def load():
    loader = importlib.machinery.SourceFileLoader("latency_model", str(ROOT / "bench/latency-model.py"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


model = load()


def tasks(*rows):
    """Tasks from rows (chunk, numbers of the tasks before it)."""
    return [model.Task(f"{chunk:08d}-{i}", "vpxenc", chunk, list(before)) for i, (chunk, before) in enumerate(rows)]


class ListSchedule(Case):
    """Any worker may run any task."""

    def test_chain(self):
        chain = tasks((0, []), (0, [0]), (0, [1]))
        self.assertEqual(model.list_schedule(chain, [1, 2, 3], 5), [1, 3, 6])

    def test_independent(self):
        alone = tasks(*[(0, [])] * 4)
        for workers, expected in ((1, [4, 5, 7, 10]), (2, [4, 1, 3, 6]), (3, [4, 1, 2, 4]), (9, [4, 1, 2, 3])):
            with self.subTest(workers=workers):
                self.assertEqual(model.list_schedule(alone, [4, 1, 2, 3], workers), expected)

    def test_diamond(self):
        diamond = tasks((0, []), (0, [0]), (0, [0]), (0, [1, 2]))
        self.assertEqual(model.list_schedule(diamond, [1, 5, 2, 1], 2), [1, 6, 3, 7])
        self.assertEqual(model.list_schedule(diamond, [1, 5, 2, 1], 1), [1, 6, 8, 9])

    def test_nobody_idles(self):
        """Task 2 is ready while 0 still runs, and 3 after it: no worker waits for an earlier task."""
        graph = tasks((0, []), (0, [0]), (0, []), (0, [2]))
        self.assertEqual(model.list_schedule(graph, [9, 1, 1, 1], 2), [9, 10, 1, 2])

    def test_goes_on_where_it_was(self):
        """When 0 ends and 1 becomes ready, make has already started 2. It starts 3 next, and then 1."""
        graph = tasks((0, []), (0, [0]), (0, []), (0, []))
        self.assertEqual(model.list_schedule(graph, [1, 1, 2, 1], 2), [1, 3, 2, 2])


class WorkerPerChunk(Case):
    """Each chunk has a worker, and states are sent between workers."""

    def test_own_order(self):
        own = tasks((0, []), (0, []), (1, []))
        self.assertEqual(model.worker_per_chunk(own, [1, 2, 4], [10, 20], [0, 0, 0]), [11, 13, 24])

    def test_waits_for_the_neighbour(self):
        pair = tasks((0, []), (1, []), (1, [0, 1]))
        self.assertEqual(model.worker_per_chunk(pair, [5, 1, 2], [0, 0], [3, 99, 0]), [5, 1, 10])

    def test_pays_no_handover_to_itself(self):
        pair = tasks((0, []), (0, [0]))
        self.assertEqual(model.worker_per_chunk(pair, [5, 1], [1], [3, 3]), [6, 7])


class Graphs(Case):
    """The model has the same graph as the makefile."""

    def test_kinds(self):
        kinds = [(task.kind, task.chunk) for task in model.tasks_of(model.film_steps("classic", 3, 3))]
        self.assertEqual(sorted(kinds), sorted(
            [("vpxenc", 0), ("terminate-chunk", 0), ("dump", 0), ("vpxenc", 1), ("terminate-chunk", 1), ("dump", 1),
             ("vpxenc", 2), ("terminate-chunk", 2), ("enc", 1), ("enc", 2), ("rebase", 2)]))
        kinds = [(task.kind, task.chunk) for task in model.tasks_of(model.film_steps("anchored", 2, 2))]
        self.assertEqual(kinds, [("anchors", 0), ("follow", 0), ("anchors", 1), ("follow", 1)])
        kinds = [(task.kind, task.chunk) for task in model.tasks_of(model.film_steps("prepared", 2, 2))]
        self.assertEqual(kinds, [("anchors", 0), ("follow", 0), ("guess", 1), ("rebase", 1), ("follow", 1)])

    def test_critical_path(self):
        """With a worker per step and one second per step: vpxenc, terminate, dump, enc, then the chain of rebases."""
        for batch, classic, anchored in ((1, 2, 2), (2, 4, 3), (16, 18, 17)):
            for structure, expected in (("classic", classic), ("anchored", anchored)):
                with self.subTest(structure=structure, batch=batch):
                    graph = model.tasks_of(model.film_steps(structure, 32, batch))
                    self.assertEqual(max(model.list_schedule(graph, [1] * len(graph), len(graph))), expected)

    def test_make_order(self):
        """make -n prints the steps in the order that in_make_order returns."""
        harness.need("make")
        for i in range(7):
            self.write(f"{number(i)}.y4m", b"")
        for structure in ("classic", "anchored", "prepared"):
            with self.subTest(structure=structure):
                self.write("excamera.mk", harness.must(ROOT / "gen_makefile.py", 0, 6, 3, 22, "--structure", structure))
                text = harness.must("make", "-n", "-f", "excamera.mk", "KEEP=1", cwd=self.dir).decode()
                lines = [line for line in text.splitlines() if line.startswith("xc-")]
                steps = model.in_make_order(model.film_steps(structure, 7, 3))
                self.assertEqual(len(lines), len(steps))
                for line, step in zip(lines, steps):
                    self.assertIn(step.outputs[0], line.split())


class Chance(Case):
    """The Monte Carlo simulation."""

    def film(self, batch=4):
        graph = model.tasks_of(model.film_steps("classic", 8, batch))
        return model.Film(graph, [1.0] * len(graph), [task.chunk for task in graph], [0.5] * 8, [0.25] * len(graph),
                          [0.125] * 8)

    def test_same_seed_same_figures(self):
        spread = model.Spread(slow=0.2)
        first, again, other = (list(model.runs(self.film(), spread, seed, 2, 2)) for seed in (7, 7, 8))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_no_spread(self):
        """Position 1: the dump before it ends at 3.5, the state arrives at 3.75, one step takes 1, closing 0.125."""
        for run in next(model.runs(self.film(), model.Spread(content=0, slow=0), 1, 1, 3)):
            self.assertEqual(run[:4], [3.625, 4.875, 6.125, 7.375])
            self.assertEqual(run[4:], run[:4])

    def test_a_slow_worker_is_slow_in_all_it_does(self):
        """Chunk 6 of 8: its first three steps end at 6.5 instead of 3.5. Then come two steps of 2 s each. Chunk 7 waits
        for its state."""
        film = self.film()
        seconds = model.drawn(film, model.Spread(content=0, slowness=2), [0] * 8, {6})
        self.assertEqual(model.chunk_ends(film, seconds)[4:], [3.625, 4.875, 10.625, 11.875])

    def test_a_lonely_xc_enc_is_fast(self):
        """The xc-enc of chunk 1 begins at 3.75. The crowd lasts until 4, when three quarters of the step are left."""
        film = self.film()._replace(crowd=model.Crowd(4, 0.5))
        self.assertEqual(model.chunk_ends(film, film.medians)[1], 4 + 0.75 / 2 + 0.125)

    def test_slow_ranks(self):
        """There are as many as wanted, or fewer if two ranks coincide. Early ranks are more frequent."""
        rng = random.Random(1)
        drawn = [model.slow_ranks(1000, 0.005, rng) for _ in range(2000)]
        self.assertTrue(all(len(ranks) <= 5 for ranks in drawn))
        # The product of two random numbers is below x with the probability x - x ln x.
        for x, share in ((0.1, 0.330), (0.5, 0.847)):
            self.assertAlmostEqual(statistics.mean(rank < 1000 * x for ranks in drawn for rank in ranks), share,
                                   delta=0.03)

    def test_content_along_the_film(self):
        values = list(model.walk(100000, model.Spread(common=0.8, scene=20), random.Random(1)))
        self.assertAlmostEqual(statistics.stdev(values), 1, delta=0.05)
        for distance in (1, 20):
            products = [a * b for a, b in zip(values[distance:], values)]
            self.assertAlmostEqual(statistics.mean(products) - statistics.mean(values) ** 2,
                                   0.8 * math.exp(-distance / 20), delta=0.05)


class Timings(Case):
    """From a run of make to a prediction."""

    def prepare(self, structure="classic"):
        harness.need("make")
        self.chunks = harness.write_chunks(harness.film(width=96, height=80, frames=12), self.dir, 4)
        self.write("excamera.mk", harness.must(ROOT / "gen_makefile.py", "--structure", structure, 0, self.chunks - 1,
                                               16, 22))

    def make(self, *variables):
        return harness.run("make", "-f", "excamera.mk", "KEEP=1", *variables, cwd=self.dir)

    def test_off_by_default(self):
        self.prepare()
        self.assertEqual(self.make().returncode, 0)
        self.assertFalse((self.dir / "timings.tsv").exists())

    def test_local_run(self):
        for structure in ("classic", "anchored"):
            with self.subTest(structure):
                self.prepare(structure)
                self.assertEqual(self.make("TIMINGS=log.tsv", "-j2").returncode, 0)
                rows = model.read_timings(self.dir / "log.tsv")
                steps = model.film_steps(structure, self.chunks, 16)
                self.assertEqual(set(rows), {step.outputs[0] for step in steps})
                for step in steps:
                    row = rows[step.outputs[0]]
                    self.assertEqual((row.chunk, row.paid), (int(row.step[:8]), 0))
                    for size, names in ((row.bytes_in, step.inputs), (row.bytes_out, step.outputs)):
                        self.assertEqual(size, sum((self.dir / name).stat().st_size for name in names))
                    self.assertTrue(0 < row.cpu <= row.end - row.start + 0.02 and row.peak_memory > 1 << 20, row)
                harness.must("make", "-f", "excamera.mk", "clean", cwd=self.dir)
                (self.dir / "log.tsv").unlink()

    def test_predictions(self):
        self.prepare()
        self.assertEqual(self.make("TIMINGS=log.tsv").returncode, 0)
        text = harness.must(ROOT / "bench/latency-model.py", "local", "-j", 1, "log.tsv", "log.tsv", cwd=self.dir)
        self.assertRegex(text.decode(), r"first run's wall times +[\d.]+ +[\d.]+ +[-+]0\.0 %")
        text = harness.must(ROOT / "bench/latency-model.py", "lambda", "--chunks", 32, "--films", 4, "film=log.tsv",
                            cwd=self.dir)
        self.assertEqual(len(text.decode().splitlines()), 2 + 2 * 5 + 1)

    def timed(self, *command):
        return harness.run(BIN / "xc-timed", "--", "log.tsv", "00000000.ivf", "", *command, cwd=self.dir)

    def test_a_failing_step(self):
        """It fails as without xc-timed, and nothing is logged."""
        self.assertEqual(self.timed("sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(self.timed("sh", "-c", "kill -9 $$").returncode, -9)
        done = self.timed("no-such-tool")
        self.assertEqual((done.returncode, done.stderr), (1, b"xc-timed: no-such-tool: No such file or directory\n"))
        self.assertEqual((self.dir / "log.tsv").read_bytes(), b"")

    def test_a_step_that_is_told_to_stop(self):
        """The command gets the signal and can clean up before xc-timed ends."""
        script = 'trap "sleep 0.1; echo clean; exit 9" TERM; kill -TERM $PPID; sleep 0.2; echo deaf'
        done = self.timed("sh", "-c", script)
        self.assertEqual((done.returncode, done.stdout), (9, b"clean\n"))

    def test_refusals(self):
        good = "00000000-vpxenc.ivf\t0\t1\t2\t1\t5\t6\t7\t0\n"
        for text, message in (("", "has no timings"), (good + "x\ty\n", "line 2: is not a line of timings"),
                              (good.replace("\t0\n", "\n"), "line 1: is not a line of timings"),
                              (good, "has nothing about 00000000.ivf (batches of 16?)")):
            with self.subTest(text=text):
                path = self.write("timings.tsv", text.encode())
                done = harness.run(ROOT / "bench/latency-model.py", "lambda", f"film={path}")
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertEqual(done.stderr.decode(), f"latency-model.py: {path}: {message}\n")


class Authors(Case):
    """Predictions for the authors' runs are as good as docs/notes/latency.md says."""

    def test_predictions(self):
        path = ROOT.parent / "shared/bench/paper-timings.json"
        if not path.exists():
            self.skipTest("the authors' timings are not at ../shared/bench/paper-timings.json")
        harness.must(ROOT / "bench/latency-model.py", "paper", path, "--json", "report.json", cwd=self.dir)
        report = json.loads((self.dir / "report.json").read_text())
        self.assertEqual(len(report["positions"]), 1 + 2 + 4 + 8 + 16)
        for row in report["positions"]:
            with self.subTest(size=row["k"], position=row["position"]):
                self.assertLess(abs(row["predicted"] / row["measured"] - 1), 0.08)
        for row in report["totals"]:
            with self.subTest(size=row["k"]):
                self.assertLess(abs(row["predicted"] / row["published"] - 1), 0.22 if row["k"] == 2 else 0.15)
