# SPDX-License-Identifier: BSD-2-Clause
"""bench/latency-model.py: its schedulers on small graphs, its order of steps compared with make's, its figures compared
with those of the authors of the paper."""
import json
import math
import random
import re
import statistics
import sys

import harness
from harness import BIN, ROOT, Case, number

sys.path.insert(0, str(ROOT / "bench"))
from latency import chance, functions, machine, polling, schedule  # noqa: E402
from latency import source, spares, tasks as film, timings, uplink  # noqa: E402
from latency.dollars import dollars  # noqa: E402


def tasks(*rows):
    """Tasks from rows (chunk, numbers of the tasks before it)."""
    return [film.Task(f"{chunk:08d}-{i}", "vpxenc", chunk, list(before)) for i, (chunk, before) in enumerate(rows)]


def list_schedule(*arguments):
    return schedule.list_schedule(*arguments)[1]


class ListSchedule(Case):
    """Any worker may run any task."""

    def test_chain(self):
        chain = tasks((0, []), (0, [0]), (0, [1]))
        self.assertEqual(list_schedule(chain, [1, 2, 3], 5), [1, 3, 6])

    def test_independent(self):
        alone = tasks(*[(0, [])] * 4)
        for workers, expected in ((1, [4, 5, 7, 10]), (2, [4, 1, 3, 6]), (3, [4, 1, 2, 4]), (9, [4, 1, 2, 3])):
            with self.subTest(workers=workers):
                self.assertEqual(list_schedule(alone, [4, 1, 2, 3], workers), expected)

    def test_diamond(self):
        diamond = tasks((0, []), (0, [0]), (0, [0]), (0, [1, 2]))
        self.assertEqual(list_schedule(diamond, [1, 5, 2, 1], 2), [1, 6, 3, 7])
        self.assertEqual(list_schedule(diamond, [1, 5, 2, 1], 1), [1, 6, 8, 9])

    def test_nobody_idles(self):
        """Task 2 is ready while 0 still runs, and 3 after it: no worker waits for an earlier task."""
        graph = tasks((0, []), (0, [0]), (0, []), (0, [2]))
        self.assertEqual(list_schedule(graph, [9, 1, 1, 1], 2), [9, 10, 1, 2])

    def test_goes_on_where_it_was(self):
        """When 0 ends and 1 becomes ready, make has already started 2. It starts 3 next, and then 1."""
        graph = tasks((0, []), (0, [0]), (0, []), (0, []))
        self.assertEqual(list_schedule(graph, [1, 1, 2, 1], 2), [1, 3, 2, 2])


class Polls(Case):
    """How a worker waits."""

    POLLING = polling.Polling(poll_last=1, poll_patience=10, poll_long=5, poll_earlier=2, poll_most=7)

    def test_pauses(self):
        self.assertEqual([self.POLLING.pause(*how) for how in ((0, 0), (9, 0), (10, 0), (99, 0))], [1, 1, 5, 5])
        self.assertEqual([self.POLLING.pause(99, later) for later in (1, 2, 3, 4, 99)], [2, 4, 6, 7, 7])

    def test_requests_in_vain(self):
        """Each takes 1 s, so there is one in 2 s, then one in 6 s; for an earlier file one in 3 s, in 8 s."""
        self.assertEqual([self.POLLING.in_vain(*how, 1) for how in ((8, 0), (22, 0), (30, 1), (40, 9))],
                         [4, 5 + 2, 10, 5])

    def test_the_function_has_these(self):
        """lambda/worker/meeting.c has the pauses that the model assumes."""
        text = (ROOT / "lambda/worker/meeting.c").read_text()
        self.assertEqual([1000 * seconds for seconds in polling.Polling()],
                         [int(found) for found in re.findall(r"\b[A-Z_]+_MS = (\d+)", text)])


class WorkerPerChunk(Case):
    """Each chunk has a worker, and files are sent between workers."""

    EVERY_FOUR = polling.Polling(3, 99, 3, 3, 3)  # with a request that takes one second

    def ends(self, own, seconds, begin, **traffic):
        return schedule.worker_per_chunk(own, seconds, begin, schedule.no_traffic(own)._replace(**traffic)).ends

    def test_own_order(self):
        own = tasks((0, []), (0, []), (1, []))
        self.assertEqual(self.ends(own, [1, 2, 4], [10, 20]), [11, 13, 24])
        self.assertEqual(self.ends(own, [1, 2, 4], [10, 20], fetch=[5, 0, 7], publish=[0, 3, 0]), [16, 21, 31])

    def test_waits_for_the_neighbour(self):
        """It is published at 6, asked for 2 s later, and there after 3 s more."""
        pair = tasks((0, []), (1, []), (1, [0, 1]))
        self.assertEqual(self.ends(pair, [5, 1, 2], [0, 0], publish=[1, 0, 0], take=[{}, {}, {0: 3}],
                                   polling=self.EVERY_FOUR, latency=1), [6, 1, 6 + 2 + 3 + 2])

    def test_does_not_wait_for_what_is_there(self):
        pair = tasks((0, []), (1, []), (1, [0, 1]))
        self.assertEqual(self.ends(pair, [5, 8, 2], [0, 0], take=[{}, {}, {0: 3}], polling=self.EVERY_FOUR, latency=1),
                         [5, 8, 8 + 3 + 2])

    def test_the_last_file_is_urgent(self):
        """Chunk 2 waits for the first file with pauses of 7 s, for the second one with pauses of 1 s. A request takes
        1 s. So it asks for them at 20 + 4 and, having the first one, at 40 + 1."""
        own = tasks((0, []), (1, []), (2, [0]), (2, [1]))
        traffic = schedule.no_traffic(own)._replace(polling=polling.Polling(1, 99, 0, 7, 7), latency=1)
        course = schedule.worker_per_chunk(own, [20, 40, 6, 6], [0, 0, 0], traffic)
        self.assertEqual(course.ends, [20, 40, 30, 47])
        self.assertEqual((course.polls, course.waited), (20 / 8 + 10 / 2, [0, 0, 24 + 11]))

    def test_a_second_worker(self):
        """It begins at 4, and takes 2 s for each task. Of each output the first one counts."""
        own = tasks((0, []), (0, []), (1, [1]))
        course = schedule.worker_per_chunk(own, [3, 9, 1], [0, 0], schedule.no_traffic(own), spares={0: (4, [2, 2, 2])})
        self.assertEqual((course.ends, course.free), ([3, 8, 9], [[12, 8], [9]]))


class SpareWorkers(Case):
    """Which job gets a spare worker, and when."""

    def first(self, ends, most=8, given=None):
        jobs = [spares.Job("a", 0, 0, end, end) for end in ends]
        return spares.next_spare(jobs, given or {}, most)

    def test_the_rule(self):
        """Seven of eight take 10 s. So the eighth is late after 22 s, and its wrapper looks half a second later."""
        self.assertEqual(self.first([10] * 7 + [40]), (7, 22.5))
        self.assertIsNone(self.first([10] * 7 + [22]))
        self.assertIsNone(self.first([10] * 7 + [40], most=0))

    def test_too_little_is_known(self):
        self.assertIsNone(self.first([10] * 3 + [40]), "of its kind, three are done")
        self.assertIsNone(self.first([10] * 4 + [40] * 2), "less than three quarters are done")

    def test_one_in_25(self):
        self.assertIsNone(self.first([10] * 20 + [40, 50], given={20: 22.5}))
        self.assertEqual(self.first([10] * 50 + [40, 50], given={50: 22.5}), (51, 22.5))

    def test_waiting_is_not_being_late(self):
        jobs = [spares.Job("a", 0, 0, 10, 10)] * 7 + [spares.Job("a", 0, 30, 40, 10)]
        self.assertIsNone(spares.next_spare(jobs, {}, 8))

    def film(self, engine, most):
        measured = timings.Measured("anchored", {"anchors": 2.0, "follow": 2.0}, {}, True)
        model = functions.Model(measured, source.Source(), functions.Service(), 64)
        return (model.in_chunks(4, most) if engine == "lambda-chunk" else model.in_steps(4, 800, most)).film

    def test_a_straggler(self):
        """A worker that is twenty times as slow: with spare workers, the film is finished earlier."""
        for engine in ("lambda-chunk", "lambda"):
            with self.subTest(engine):
                ends = []
                for most in (0, 8):
                    film_ = self.film(engine, most)
                    slow = [20 * seconds if task.chunk == 22 else seconds
                            for task, seconds in zip(film_.tasks, film_.medians)]
                    result = chance.outcome(film_, slow, film_.medians)
                    self.assertEqual(result.spares > 0, most > 0)
                    ends.append(max(result.ends))
                plain = max(chance.outcome(film_, film_.medians, film_.medians).ends)
                self.assertGreater(ends[0], 150)
                self.assertTrue(plain < ends[1] < plain + 60, (plain, ends))


class Uplink(Case):
    """The workstation's uploads."""

    def test_one_after_another_and_together(self):
        self.assertEqual(uplink.upload_ends([10, 10, 10], 5, 1), [2, 4, 6])
        self.assertEqual(uplink.upload_ends([10, 10], 5), [4, 4])
        # The first two share; then the third one has half; then, from 6 on, it has all.
        self.assertEqual(uplink.upload_ends([10, 20, 10], 5, 2), [4, 8, 8])

    def test_all_bytes_go_up(self):
        sizes = [random.Random(1).randrange(1, 100) for _ in range(200)]
        ends = uplink.upload_ends(sizes, 7)
        self.assertAlmostEqual(max(ends), sum(sizes) / 7)
        for place in range(16, len(ends)):
            begun = sum(sizes[:place - 15]) / 7 - sum(sizes[place - 15:place]) / 7
            self.assertGreaterEqual(ends[place], begun, "at most sixteen at once, in this order")


class OnLambda(Case):
    """Films of ours on Lambda."""

    MEASURED = timings.Measured("prepared", {"anchors": 2, "guess": 2, "dump": .1, "rebase": .3, "follow": 3,
                                             film.REPLAYING: .4},
                                {".y4m": 75e6, "-anchors.ivf": 1e5, ".ivf": 5e5, "-guess.ivf": 1e5,
                                 "-targets.y4m": 12e6}, True)

    def job(self, engine="lambda-chunk", chunks=96, batch=8, **given):
        service = functions.Service(**{name: given.pop(name) for name in list(given)
                                       if name in functions.Service._fields})
        model = functions.Model(self.MEASURED, source.Source(**given), service, chunks)
        return model.in_chunks(batch) if engine == "lambda-chunk" else model.in_steps(batch, 800)

    def end(self, *arguments, **given):
        film_ = self.job(*arguments, **given).film
        return max(chance.outcome(film_, film_.medians).ends)

    def test_uplink(self):
        """A slower uplink makes it later, and at last nothing else counts."""
        for engine in ("lambda-chunk", "lambda"):
            with self.subTest(engine):
                ends = [self.end(engine, uplink=mbits) for mbits in (0, 10000, 1000, 100)]
                self.assertEqual(ends, sorted(ends))
                self.assertGreater(ends[-1], 96 * 75e6 * 8 / 100e6)
                self.assertLess(ends[-1], 96 * 75e6 * 8 / 100e6 + ends[0])

    def test_compressed_source(self):
        """1/50 of the bytes go up, each once. The first chunks begin while others are still on their way."""
        job = self.job(uplink=100, decode=0.04)
        self.assertAlmostEqual(job.uploaded, 96 * 6 / 24 * 20e6 / 8)
        self.assertLess(self.end(uplink=100, decode=0.04), self.end(uplink=100) / 4)
        begin = self.job(uplink=10, decode=0.04, chunks=960).film.begin
        self.assertLess(begin[0], begin[-1] / 5)

    def test_decoding(self):
        """From the key frame before, at 48: chunk 9 has the pictures 54 to 59, and depends on 60."""
        self.assertEqual([*source.Source(decode=1).pieces(9, 96)], [1])
        self.assertEqual(source.Source(decode=1, unpack=7).decoding(9, 96), 64 - 48 + 9 * 7)
        # Chunk 8 begins with a key frame, and depends on the picture before it.
        self.assertEqual([*source.Source(decode=1).pieces(8, 96)], [0, 1])

    def test_requests(self):
        """Each request that lambda/worker/ makes counts. In the chain of a batch there are, for each chunk, a PUT and a
        GET: with a second more for the first byte of each, two seconds and half of a poll."""
        more = [self.end(latency=latency, chunks=chunks) for chunks in (7, 8) for latency in (0.15, 1.15)]
        self.assertAlmostEqual(more[3] - more[1] - (more[2] - more[0]), 2.5, delta=0.3)

    def test_handshakes(self):
        """One for each function."""
        self.assertAlmostEqual(self.end(handshake=0.402) - self.end(handshake=0.002), 0.4 / 0.4)

    def begin(self, **given):
        """When the functions of many chunks begin, if nothing but what is given holds them up."""
        unlimited = {"launch_rate": 1e9, "cores": 1e9, "requests": 0, "latency": 0}
        return self.job(chunks=960, **{**unlimited, **given}).film.begin

    def test_the_workstation(self):
        """What takes longest there sets the pace."""
        for given, pace in (({}, 0), ({"launch_rate": 500}, 1 / 500), ({"cores": 1, "wrapper": 0.01}, 0.01),
                            ({"cores": 2, "wrapper": 0.01, "requests": 0.004}, 0.007),
                            ({"cores": 8, "wrapper": 0.01, "requests": 0.004}, 0.004)):
            with self.subTest(given):
                begin = self.begin(**given)
                self.assertAlmostEqual(begin[-1] - begin[0], 959 * pace, places=4)

    def test_requests_at_once(self):
        """A chunk inside of a batch has three raw chunks to ask for, and its answer: four requests, of 128 at once."""
        begin = self.begin(latency=0.15)
        self.assertAlmostEqual(begin[804] - begin[4], 800 * 4 * 0.15 / 128, delta=0.5)

    def test_a_connection_for_the_call(self):
        """Two round trips open it, one brings the result. All other connections are kept."""
        for engine in ("lambda-chunk", "lambda"):
            with self.subTest(engine):
                ends = [self.end(engine, home=home) for home in (0, 1)]
                self.assertAlmostEqual(ends[1] - ends[0], 2 + 1)

    def test_dollars(self):
        """They are those of xc-lambda cost for a run with these times."""
        job = self.job(uplink=100)
        outcome = chance.outcome(job.film, job.film.medians)
        rows = [[task.name, task.name[:8], 0, 1, 1, 1, 75000000, 0, 0] for task in job.film.tasks]
        for chunk in range(96):
            next(row for row in rows if row[1] == f"{chunk:08d}")[-1] = outcome.busy / 96
        path = self.write("timings.tsv", "".join("\t".join(map(str, row)) + "\n" for row in rows).encode())
        said = harness.must(ROOT / "lambda/cost", "x86_64", 1769, 1769, path).decode()
        self.assertAlmostEqual(dollars(job._replace(stored=0), outcome._replace(polls=0)),
                               float(said.partition("all: ")[2].split()[0]), delta=0.0001)
        self.assertGreater(dollars(job, outcome._replace(spares=9)), dollars(job, outcome))
        self.assertAlmostEqual(dollars(job, outcome) - dollars(job, outcome._replace(polls=0)), outcome.polls * 0.4e-6)

    def test_quick_polls_cost_nothing(self):
        """A worker that is quick with the last file only asks less often than one that pauses 0.2 s each time."""
        always = polling.Polling(0.2, 0, 0.2, 0.2, 0.2)
        film_ = self.job(batch=16).film
        before = film_._replace(traffic=film_.traffic._replace(polling=always))
        ours, theirs = (chance.outcome(each, each.medians) for each in (film_, before))
        self.assertLess(ours.polls, theirs.polls)
        self.assertLess(max(ours.ends), max(theirs.ends) - 14 * 0.08)


class OneMachine(Case):
    def test_all_cores_are_busy(self):
        """The time is that of all steps divided by the number of cores, but for the last batches."""
        for structure, cpu in (("classic", {"vpxenc": 5, "terminate-chunk": .1, "dump": .1, "enc": 4, "rebase": 1}),
                               ("prepared", OnLambda.MEASURED.cpu)):
            with self.subTest(structure):
                film_ = machine.film_on_machine(timings.Measured(structure, cpu, {}, True), 1760, 8, 64, 0.5)
                bound = sum(film_.medians) / 64
                end = max(chance.outcome(film_, film_.medians, film_.medians).ends)
                self.assertTrue(bound <= end < 1.06 * bound, (bound, end))
                self.assertAlmostEqual(2 * sum(cpu[task.kind] for task in film_.tasks) / 64, bound)


class Graphs(Case):
    """The model has the same graph as the makefile."""

    def test_kinds(self):
        kinds = [(task.kind, task.chunk) for task in film.tasks_of(film.film_steps("classic", 3, 3))]
        self.assertEqual(sorted(kinds), sorted(
            [("vpxenc", 0), ("terminate-chunk", 0), ("dump", 0), ("vpxenc", 1), ("terminate-chunk", 1), ("dump", 1),
             ("vpxenc", 2), ("terminate-chunk", 2), ("enc", 1), ("enc", 2), ("rebase", 2)]))
        kinds = [(task.kind, task.chunk) for task in film.tasks_of(film.film_steps("anchored", 2, 2))]
        self.assertEqual(kinds, [("anchors", 0), ("follow", 0), ("anchors", 1), ("follow", 1)])
        kinds = [(task.kind, task.chunk) for task in film.tasks_of(film.film_steps("prepared", 2, 2))]
        self.assertEqual(kinds, [("anchors", 0), ("follow", 0), ("guess", 1), ("rebase", 1), ("follow", 1)])
        kinds = [(task.kind, task.chunk) for task in film.tasks_of(film.film_steps("prepared", 2, 2, apart=True))]
        self.assertEqual(kinds, [("anchors", 0), ("follow", 0), ("guess", 1), (film.REPLAYING, 1), ("dump", 1),
                                 ("follow", 1)])

    def test_replays(self):
        """The replay of two chunks' anchors takes 0.86 of two replays."""
        dump = film.Task("after.state", "dump", 3, [], ("00000001-anchors.ivf", "00000002-anchors.ivf", "before.state"))
        self.assertAlmostEqual(film.weight(dump), 0.86 * 2)
        self.assertEqual(film.weight(dump._replace(inputs=dump.inputs[1:])), 1)
        self.assertEqual(film.weight(dump._replace(kind="follow")), 1)

    def test_critical_path(self):
        """With a worker per step and one second per step: vpxenc, terminate, dump, enc, then the chain of rebases."""
        for batch, classic, anchored in ((1, 2, 2), (2, 4, 3), (16, 18, 17)):
            for structure, expected in (("classic", classic), ("anchored", anchored)):
                with self.subTest(structure=structure, batch=batch):
                    graph = film.tasks_of(film.film_steps(structure, 32, batch))
                    self.assertEqual(max(list_schedule(graph, [1] * len(graph), len(graph))), expected)

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
                steps = film.in_make_order(film.film_steps(structure, 7, 3))
                self.assertEqual(len(lines), len(steps))
                for line, step in zip(lines, steps):
                    self.assertIn(step.outputs[0], line.split())


class Chance(Case):
    """The Monte Carlo simulation."""

    def film(self, batch=4):
        graph = film.tasks_of(film.film_steps("classic", 8, batch))
        traffic, taken, take = schedule.no_traffic(graph), set(), []
        for task, own in zip(graph, traffic.take):  # a worker takes each file once
            take.append({earlier: 0.25 for earlier in own if (task.chunk, earlier) not in taken})
            taken.update((task.chunk, earlier) for earlier in own)
        return chance.Film(graph, [1.0] * len(graph), [task.chunk for task in graph], [0.125] * 8, begin=[0.5] * 8,
                           traffic=traffic._replace(take=take))

    def test_same_seed_same_figures(self):
        spread = chance.Spread(slow=0.2)
        first, again, other = (list(chance.runs(self.film(), spread, seed, 2, 2)) for seed in (7, 7, 8))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_no_spread(self):
        """Position 1: the dump before it ends at 3.5, the state arrives at 3.75, one step takes 1, closing 0.125."""
        for run in next(chance.runs(self.film(), chance.Spread(content=0, slow=0), 1, 1, 3)):
            self.assertEqual(run.ends[:4], [3.625, 4.875, 6.125, 7.375])
            self.assertEqual(run.ends[4:], run.ends[:4])

    def test_a_slow_worker_is_slow_in_all_it_does(self):
        """Chunk 6 of 8: its first three steps end at 6.5 instead of 3.5. Then come two steps of 2 s each, before each
        of which it takes a state. Chunk 7 waits for its state."""
        film_ = self.film()
        seconds = chance.drawn(film_, chance.Spread(content=0, slowness=2), [0] * 8, {6})
        self.assertEqual(chance.outcome(film_, seconds).ends[4:], [3.625, 4.875, 11.125, 12.375])

    def test_a_lonely_xc_enc_is_fast(self):
        """The xc-enc of chunk 1 begins at 3.75. The crowd lasts until 4, when three quarters of the step are left."""
        film_ = self.film()._replace(crowd=schedule.Crowd(4, 0.5))
        self.assertEqual(chance.outcome(film_, film_.medians).ends[1], 4 + 0.75 / 2 + 0.125)

    def test_slow_ranks(self):
        """There are as many as wanted, or fewer if two ranks coincide. Early ranks are more frequent."""
        rng = random.Random(1)
        drawn = [chance.slow_ranks(1000, 0.005, rng) for _ in range(2000)]
        self.assertTrue(all(len(ranks) <= 5 for ranks in drawn))
        # The product of two random numbers is below x with the probability x - x ln x.
        for x, share in ((0.1, 0.330), (0.5, 0.847)):
            self.assertAlmostEqual(statistics.mean(rank < 1000 * x for ranks in drawn for rank in ranks), share,
                                   delta=0.03)

    def test_content_along_the_film(self):
        values = list(chance.walk(100000, chance.Spread(common=0.8, scene=20), random.Random(1)))
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
                rows = timings.read_timings(self.dir / "log.tsv")
                steps = film.film_steps(structure, self.chunks, 16)
                self.assertEqual(set(rows), {step.outputs[0] for step in steps})
                for step in steps:
                    row = rows[step.outputs[0]]
                    self.assertEqual((row.chunk, row.paid), (int(row.step[:8]), 0))
                    for size, names in ((row.bytes_in, step.inputs), (row.bytes_out, step.outputs)):
                        self.assertEqual(size, sum((self.dir / name).stat().st_size for name in names))
                    self.assertTrue(0 < row.cpu <= row.end - row.start + 0.02 and row.peak_memory > 1 << 20, row)
                harness.must("make", "-f", "excamera.mk", "clean", cwd=self.dir)
                (self.dir / "log.tsv").unlink()

    def storage(self, rows):
        """What xc-lambda cost says is stored, in GB: for two days, and for seven."""
        path = self.write("paid.tsv", "".join("\t".join(row) + "\n" for row in rows).encode())
        said = harness.must(ROOT / "lambda/cost", "x86_64", 1769, 1769, path).decode()
        return list(map(float, re.search(r"about ([\d.]+) GB for 2 days and ([\d.]+) GB for 7", said).groups()))

    def test_storage(self):
        """Of a run by steps, the raw chunks are stored for two days, however often they are read, and the outputs for
        seven. Of one by chunks, nothing for seven but what is small. Sizes are a thousand times as large, so that three
        digits of GB tell them."""
        for structure in ("classic", "anchored", "prepared"):
            with self.subTest(structure):
                self.prepare(structure)
                self.assertEqual(self.make("TIMINGS=log.tsv").returncode, 0)
                rows = [line.split("\t") for line in (self.dir / "log.tsv").read_text().splitlines()]
                rows = [[*row[:6], f"{row[6]}000", f"{row[7]}000", "1"] for row in sorted(rows, key=lambda row: row[1])]
                raw = sum(path.stat().st_size for path in self.dir.glob("????????.y4m")) / 1e6
                made = sum(int(row[7]) for row in rows) / 1e9
                short, long = self.storage(rows)
                self.assertAlmostEqual(short, raw, delta=0.03 * raw)
                self.assertAlmostEqual(long, made, delta=0.001)
                first = {row[1]: row[0] for row in reversed(rows)}
                short, long = self.storage([[*row[:8], "1" if first[row[1]] == row[0] else "0"] for row in rows])
                self.assertAlmostEqual(short, raw + made, delta=0.03 * raw)
                self.assertEqual(long, 0)
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

    def test_a_chain_in_different_places(self):
        """It is predicted if make has been asked for its steps, which give the same anchors."""
        self.prepare("prepared")
        names = ["00000002-after-00000001.state", "00000002-again.ivf"]
        for more, words in (([], f"{names[1]} {names[0]}, and so nothing is predicted"), (names, "")):
            self.assertEqual(self.make("TIMINGS=log.tsv", "all", *more).returncode, 0)
            done = harness.run(ROOT / "bench/latency-model.py", "lambda", "--batch", 3, "--chunks", 6, "-k", 3,
                               "--films", 2, "film=log.tsv", cwd=self.dir)
            self.assertEqual((done.returncode, "lambda-chunk" in done.stdout.decode()), (0, bool(more)))
            self.assertIn(words, done.stderr.decode())
        again, anchors = ((self.dir / f"00000002-{name}.ivf").read_bytes() for name in ("again", "anchors"))
        self.assertEqual(again, anchors)

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
        script = ('trap "sleep 0.1; echo clean; exit 9" TERM; kill -TERM $PPID; '
                  'for i in $(seq 600); do sleep 0.1; done; echo deaf')
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
        harness.must(ROOT / "bench/latency-model.py", "paper", path, "--films", 20, "--json", "report.json",
                     cwd=self.dir)
        report = json.loads((self.dir / "report.json").read_text())
        self.assertEqual(len(report["positions"]), 1 + 2 + 4 + 8 + 16)
        for row in report["positions"]:
            with self.subTest(size=row["k"], position=row["position"]):
                self.assertLess(abs(row["predicted"] / row["measured"] - 1), 0.08)
        for row in report["totals"]:
            with self.subTest(size=row["k"]):
                self.assertLess(abs(row["predicted"] / row["published"] - 1), 0.22 if row["k"] == 2 else 0.15)
