"""bench/latency-model.py: its schedulers on graphs made by hand, its graphs against make's, its figures against those
of the authors of the paper."""
import importlib.machinery
import importlib.util
import random
import statistics

import harness
from harness import ROOT, Case, number


def load():
    loader = importlib.machinery.SourceFileLoader("latency_model", str(ROOT / "bench/latency-model.py"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


model = load()


def tasks(*rows):
    """Tasks from (chunk, numbers of those before)."""
    return [model.Task(f"{chunk:08d}-{i}", "vpxenc", chunk, list(before)) for i, (chunk, before) in enumerate(rows)]


class ListSchedule(Case):
    """Workers of whom any may take any task."""

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
        """2 is ready while 0 still runs, and 3 when it is done: no worker waits for a task that comes earlier."""
        graph = tasks((0, []), (0, [0]), (0, []), (0, [2]))
        self.assertEqual(model.list_schedule(graph, [9, 1, 1, 1], 2), [9, 10, 1, 2])

    def test_goes_on_where_it_was(self):
        """When 0 is done and 1 gets ready, make has come as far as 2: it goes on to 3 and then comes back to 1."""
        graph = tasks((0, []), (0, [0]), (0, []), (0, []))
        self.assertEqual(model.list_schedule(graph, [1, 1, 2, 1], 2), [1, 3, 2, 2])


class WorkerPerChunk(Case):
    """A worker for each chunk, and states that travel."""

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
    """The model's graph is the makefile's."""

    def test_kinds(self):
        kinds = [(task.kind, task.chunk) for task in model.tasks_of(model.film_steps("classic", 3, 3))]
        self.assertEqual(sorted(kinds), sorted(
            [("vpxenc", 0), ("terminate-chunk", 0), ("dump", 0), ("vpxenc", 1), ("terminate-chunk", 1), ("dump", 1),
             ("vpxenc", 2), ("terminate-chunk", 2), ("enc", 1), ("enc", 2), ("rebase", 2)]))
        kinds = [(task.kind, task.chunk) for task in model.tasks_of(model.film_steps("anchored", 2, 2))]
        self.assertEqual(kinds, [("anchors", 0), ("follow", 0), ("anchors", 1), ("follow", 1)])

    def test_critical_path(self):
        """With a worker for each step and one second each: vpxenc, terminate, dump, enc, then the chain of rebasing."""
        for batch, classic, anchored in ((1, 2, 2), (2, 4, 3), (16, 18, 17)):
            for structure, expected in (("classic", classic), ("anchored", anchored)):
                with self.subTest(structure=structure, batch=batch):
                    graph = model.tasks_of(model.film_steps(structure, 32, batch))
                    self.assertEqual(max(model.list_schedule(graph, [1] * len(graph), len(graph))), expected)

    def test_make_order(self):
        """make -n names the steps in the order in which in_make_order has them."""
        harness.need("make")
        for i in range(7):
            self.write(f"{number(i)}.y4m", b"")
        for structure in ("classic", "anchored"):
            with self.subTest(structure=structure):
                self.write("excamera.mk", harness.must(ROOT / "gen_makefile.py", 0, 6, 3, 22, "--structure", structure))
                lines = harness.must("make", "-n", "-f", "excamera.mk", "KEEP=1", cwd=self.dir).decode().splitlines()
                steps = model.in_make_order(model.film_steps(structure, 7, 3))
                self.assertEqual(len(lines), len(steps))
                for line, step in zip(lines, steps):
                    self.assertIn(step.outputs[0], line.split())


class Chance(Case):
    """The Monte Carlo simulation."""

    def film(self, batch=4):
        graph = model.tasks_of(model.film_steps("classic", 8, batch))
        return model.Film(graph, [1.0] * len(graph), batch, [0.5] * 8, [0.25] * len(graph), [0.125] * 8)

    def test_same_seed_same_figures(self):
        spread = model.Spread(0.3, 0.1, 0.3, 0.5, 0.01, 10)
        first, again, other = (list(model.runs(self.film(), spread, seed, 2, 2)) for seed in (7, 7, 8))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_no_spread(self):
        """Position 1: its predecessor's dump ends at 3.5 and its state arrives at 3.75; one step; and the closing."""
        for run in next(model.runs(self.film(), model.NO_SPREAD, 1, 1, 3)):
            self.assertEqual(run[:4], [3.625, 4.875, 6.125, 7.375])
            self.assertEqual(run[4:], run[:4])

    def test_medians_are_medians(self):
        spread = model.Spread(0.3, 0.2, 0, 0.5, 0, 1)
        rng = random.Random(1)
        graph = model.tasks_of(model.film_steps("classic", 4001, 1))
        contents = [rng.gauss(0, 1) for _ in range(4001)]
        every = model.drawn(graph, [2.0] * len(graph), spread, contents, 1, rng)
        drawn = [seconds for task, seconds in zip(graph, every) if task.kind == "vpxenc"]
        self.assertAlmostEqual(statistics.median(drawn), 2, delta=0.05)
        # One standard deviation above the median: e to the power of the root of 0.3² + 0.2².
        self.assertAlmostEqual(statistics.quantiles(drawn, n=100)[83] / 2, 1.434, delta=0.08)


class Timings(Case):
    """From a run by the engine local-timed to a prediction."""

    def test_local_run(self):
        harness.need("make")
        chunks = harness.write_chunks(harness.film(width=96, height=80, frames=12), self.dir, 4)
        self.write("excamera.mk", harness.must(ROOT / "gen_makefile.py", 0, chunks - 1, 16, 22))
        engine = [f"ENGINE_DIR={ROOT}/bench", "ENGINE=local-timed"]
        harness.must("make", "-f", "excamera.mk", "KEEP=1", *engine, cwd=self.dir)
        rows = model.read_timings(self.dir / "timings.tsv")
        self.assertEqual(set(rows), {step.outputs[0] for step in model.film_steps("classic", chunks, 16)})
        row = rows["00000001-vpxenc.ivf"]
        self.assertEqual((row.chunk, row.bytes_in), (1, (self.dir / "00000001.y4m").stat().st_size))
        self.assertEqual(row.bytes_out, (self.dir / "00000001-vpxenc.ivf").stat().st_size)
        self.assertTrue(0 < row.cpu <= row.end - row.start + 0.02 and row.peak_memory > 1 << 20, row)
        again = ["timings.tsv", "timings.tsv"]
        text = harness.must(ROOT / "bench/latency-model.py", "local", "-j", 1, *again, cwd=self.dir)
        self.assertRegex(text.decode(), r"first run's wall times +[\d.]+ +[\d.]+ +[-+]0\.0 %")

    def test_a_failing_step_fails(self):
        done = harness.run(ROOT / "bench/timed-step", "log", "00000000.ivf", "", "sh", "-c", "exit 3", cwd=self.dir)
        self.assertEqual(done.returncode, 3)

    def test_refusals(self):
        good = "00000000-vpxenc.ivf\t0\t1\t2\t1\t5\t6\t7\tmore\n"
        for text, message in (("", "has no timings"), (good + "x\ty\n", "line 2: is not a line of timings"),
                              (good, "has nothing about 00000000.ivf (batches of 16?)")):
            with self.subTest(text=text):
                path = self.write("timings.tsv", text.encode())
                done = harness.run(ROOT / "bench/latency-model.py", "lambda", f"film={path}")
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertEqual(done.stderr.decode(), f"latency-model.py: {path}: {message}\n")


class Authors(Case):
    """The authors' runs, without the fit, which takes half a minute: the positions do not depend on it."""

    def test_finish_by_position(self):
        path = ROOT.parent / "shared/bench/paper-timings.json"
        if not path.exists():
            self.skipTest("the authors' timings are not at ../shared/bench/paper-timings.json")
        paper = model.Paper(path)
        for size in model.PUBLISHED:
            film = paper.film(size, paper.hop([other for other in model.PUBLISHED if other != size]))
            ends = [part[0] for part in model.runs(film, model.FITTED, 1, 2, 1)]
            for position in range(size):
                with self.subTest(size=size, position=position):
                    predicted = statistics.median(end for run in ends for end in run[position::size])
                    self.assertLess(abs(predicted / paper.finish(size, position) - 1), 0.15)
