#!/usr/bin/env python3
"""Predicts how long it takes to encode a film, by scheduling the very graph that gen_makefile.py writes.

  latency-model.py paper PAPER.json                  compares the model with the ExCamera authors' runs on AWS Lambda
  latency-model.py local -j 2 ONE.tsv TWO.tsv        predicts a local run at -j 2 from the step times of one at -j 1
  latency-model.py lambda NAME=TIMINGS.tsv...        predicts films of our own on Lambda from measured step times

The same arguments give the same figures. docs/latency.md explains the model and says where each number comes from."""
import argparse
import bisect
import heapq
import json
import math
import pathlib
import random
import statistics
import sys
import typing

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import gen_makefile  # noqa: E402


# The graph

class Task(typing.NamedTuple):
    """A step of the makefile, as far as the clock cares."""
    name: str     # its first output
    kind: str     # which tool, in which mode
    chunk: int
    before: list  # the numbers of the tasks whose outputs it reads


def film_steps(structure, chunks, batch, quality=22):
    """The steps of a film in the generator's order: none stands before what it needs, and those of one chunk are in the
    order in which a worker that has the chunk for itself runs them."""
    return [step for part in gen_makefile.batches(0, chunks - 1, batch)
            for step in gen_makefile.STRUCTURES[structure](part, quality)]


def in_make_order(steps):
    """The same steps as make comes to them: from each wanted file back to what it needs."""
    maker = {output: step for step in steps for output in step.outputs}
    order, seen = [], set()

    def visit(step):
        if step.outputs[0] not in seen:
            seen.add(step.outputs[0])
            for name in step.inputs:
                if name in maker:
                    visit(maker[name])
            order.append(step)

    for chunk in sorted({int(step.outputs[0][:8]) for step in steps}):
        visit(maker[gen_makefile.finished(chunk)])
    return order


def kind_of(step):
    """The tool, or the mode of xc-enc, which the generator puts first."""
    tool, first = step.argv[0].removeprefix("xc-"), step.argv[1]
    return first.removeprefix("--") if tool == "enc" and first.startswith("--") else tool


def tasks_of(steps):
    maker = {output: number for number, step in enumerate(steps) for output in step.outputs}
    return [Task(step.outputs[0], kind_of(step), int(step.outputs[0][:8]),
                 sorted({maker[name] for name in step.inputs if name in maker})) for step in steps]


# The schedulers: from how long each task takes to when each is done

def list_schedule(tasks, seconds, workers):
    """`workers` equal workers, any of which may take any task. They take them as make does: it walks through the tasks,
    starts what is ready as soon as a worker is free, and begins anew at the end."""
    missing = [len(task.before) for task in tasks]
    after = [[] for _ in tasks]
    for number, task in enumerate(tasks):
        for earlier in task.before:
            after[earlier].append(number)
    ready = [number for number, count in enumerate(missing) if not count]
    running, end, now, last = [], [0.0] * len(tasks), 0.0, -1
    while ready or running:
        while ready and len(running) < workers:
            last = ready.pop(bisect.bisect(ready, last) % len(ready))
            heapq.heappush(running, (now + seconds[last], last))
        now, done = heapq.heappop(running)
        end[done] = now
        for later in after[done]:
            missing[later] -= 1
            if not missing[later]:
                bisect.insort(ready, later)
    return end


def worker_per_chunk(tasks, seconds, begin, handover):
    """Each chunk has a worker of its own, which has the raw pictures at begin[chunk] and runs the chunk's tasks in the
    order given. Another chunk's worker has a task's outputs handover[task] seconds after it is done."""
    free, end = list(begin), []
    for task, duration in zip(tasks, seconds):
        start = free[task.chunk]
        for number in task.before:
            there = end[number] + (handover[number] if tasks[number].chunk != task.chunk else 0)
            if there > start:
                start = there
        free[task.chunk] = start + duration
        end.append(start + duration)
    return end


# Chance

class Spread(typing.NamedTuple):
    """How far the times of single steps lie from their medians. The first two are standard deviations of logarithms."""
    content: float   # of a batch's pictures: the same for all its steps, and again in each run
    worker: float    # of a worker's speed, drawn anew in each run
    part: float      # the share of the content's variance that is common to a quarter of the film
    damping: float   # to which power the content goes into steps that reuse earlier decisions (xc-enc, xc-rebase)
    stall: float     # how probable it is that a launch or a step stalls
    stall_seconds: float  # for how long, on average; exponentially distributed


NO_SPREAD = Spread(0, 0, 0, 0, 0, 1)
FULLY = {"vpxenc", "anchors", "follow"}  # these search for all decisions anew, so the content goes into them as it is
DAMPED = {"enc", "rebase"}


def stall(spread, rng):
    return rng.expovariate(1 / spread.stall_seconds) if rng.random() < spread.stall else 0.0


def drawn(tasks, medians, spread, contents, batch, rng):
    """How long each task takes in one run. contents: for each batch, how far its pictures are from the median ones, in
    standard deviations."""
    worker = [math.exp(rng.gauss(0, spread.worker)) for _ in range(tasks[-1].chunk + 1)]
    full = [math.exp(spread.content * value) for value in contents]
    damped = [math.exp(spread.content * spread.damping * value) for value in contents]
    seconds = []
    for task, median in zip(tasks, medians):
        if task.kind in FULLY:
            median *= full[task.chunk // batch] * worker[task.chunk]
        elif task.kind in DAMPED:
            median *= damped[task.chunk // batch] * worker[task.chunk]
        seconds.append(median + (stall(spread, rng) if median else 0))
    return seconds


class Film(typing.NamedTuple):
    """What is encoded in one run, and by whom."""
    tasks: list
    medians: list   # seconds of each task
    batch: int
    begin: list     # per chunk: when its worker has the raw pictures, in seconds since the first launch
    handover: list  # per task: see worker_per_chunk
    closing: list   # per chunk: seconds after its last task until it counts as finished
    workers: int = 0  # of those who take any task; 0: one per chunk

    @property
    def chunks(self):
        return self.tasks[-1].chunk + 1


def chunk_ends(film, spread, contents, rng):
    """When each chunk is finished in one run."""
    seconds = drawn(film.tasks, film.medians, spread, contents, film.batch, rng)
    begin = [at + stall(spread, rng) for at in film.begin]
    if film.workers:
        ends = list_schedule(film.tasks, seconds, film.workers)
    else:
        ends = worker_per_chunk(film.tasks, seconds, begin, film.handover)
    last = [0.0] * film.chunks
    for task, end in zip(film.tasks, ends):
        last[task.chunk] = max(last[task.chunk], end)
    return [end + more for end, more in zip(last, film.closing)]


def runs(film, spread, seed, parts, repeats):
    """The chunks' ends of `repeats` runs for each part of a film; the runs of one part have the same content."""
    rng = random.Random(seed)
    for part in range(parts):
        # The parts' own contents are not drawn, which would leave much to chance, but spread evenly.
        common = math.sqrt(spread.part) * statistics.NormalDist().inv_cdf((part + 0.5) / parts)
        contents = [common + rng.gauss(0, math.sqrt(1 - spread.part)) for _ in range(-(-film.chunks // film.batch))]
        yield [chunk_ends(film, spread, contents, rng) for _ in range(repeats)]


# The authors' runs: four parts of the film, 880 or 896 chunks each, five times over. What they published is the slowest
# part's median, for two qualities on either side of SSIM 20 dB, interpolated.

PARTS, REPEATS, WORKERS = 4, 5, 880
PUBLISHED = {1: 28.8, 2: 53.0, 4: 85.5, 8: 110.5, 16: 156.6}  # seconds, 4K Sintel at SSIM 20 dB, 3,552 chunks


class Paper:
    """The authors' data, with the two qualities of each configuration averaged."""

    def __init__(self, path):
        data = json.loads(pathlib.Path(path).read_text())["configs"]
        self.configs = {size: list(data[f"[6,{size}]"].values()) for size in PUBLISHED}

    def totals(self, size):
        return sorted(total for quality in self.configs[size] for total in quality["total"])

    def finish(self, size, position):
        return statistics.mean(quality["finish_by_position"][str(position)] for quality in self.configs[size])

    def state(self, size, position, name):
        """The median of a state's seconds at a position, interpolated between the positions that were recorded."""
        def at(which):
            return statistics.mean(quality["median_state_seconds_by_position"][str(which)].get(name, 0)
                                   for quality in self.configs[size])
        known = sorted(map(int, self.configs[size][0]["median_state_seconds_by_position"]))
        if position in known:
            return at(position)
        high = bisect.bisect(known, position)
        left, right = known[high - 1], known[high]
        return at(left) + (at(right) - at(left)) * (position - left) / (right - left)

    def hop(self, sizes):
        """Seconds by which a chunk ends after the one before, in batches of these sizes, where nothing but the serial
        step counts: behind the first few chunks, and not at the last, whose state nobody waits for."""
        return statistics.median(self.finish(size, position) - self.finish(size, position - 1)
                                 for size in sizes if size > 4 for position in range(4, size - 1))

    def film(self, size, hop):
        """A run of the authors', as our classic graph. A worker's visits to XCEncRunState are vpxenc, xc-enc and the
        rebasing xc-enc, and the data have one median over all of them: so vpxenc's time is taken from position 0, where
        there is no other, and xc-enc's from position 1, where the median of the two lies half-way between them."""
        tasks = tasks_of(film_steps("classic", WORKERS, size))
        names = ("launch", "XCEncSettingsState", "XCEncRunState", "XCEncDumpState", "XCEncFinishState")
        states = {name: [self.state(size, position, name) for position in range(size)] for name in names}
        vpxenc = states["XCEncRunState"][0]
        enc = 2 * states["XCEncRunState"][min(1, size - 1)] - vpxenc
        # XCEncDumpState ends when the state has been compressed and is on its way; only then the worker goes on.
        medians = [{"vpxenc": vpxenc, "enc": enc, "rebase": hop, "dump": 0,
                    "terminate-chunk": states["XCEncDumpState"][task.chunk % size]}[task.kind] for task in tasks]
        positions = [chunk % size for chunk in range(WORKERS)]
        begin = [states["launch"][position] + states["XCEncSettingsState"][position] for position in positions]
        return Film(tasks, medians, size, begin, [0] * len(tasks),
                    [states["XCEncFinishState"][position] for position in positions])


def published_total(film, spread, seed):
    """The authors' figure for one film: its parts differ in content, the repeats of a part do not."""
    return max(statistics.median(max(ends) for ends in part) for part in runs(film, spread, seed, PARTS, REPEATS))


# Fitting the spread

LATTICE = {"content": [0.15, 0.2, 0.25, 0.3, 0.35],
           "worker": [0.05, 0.1, 0.15, 0.2, 0.25],
           "part": [0, 0.2, 0.4, 0.6, 0.8],
           "damping": [0.2, 0.3, 0.4, 0.5, 0.6],
           "stall": [0, 0.00005, 0.0001, 0.0002, 0.0004]}
FIT_SEEDS = range(3)


class Fit:
    """Finds the spread that gives the runs' totals their quartiles. What was simulated once is remembered."""

    def __init__(self, paper):
        self.paper, self.quartiles, self.films = paper, {}, {}

    def film(self, size, hop):
        if (size, hop) not in self.films:
            self.films[size, hop] = self.paper.film(size, hop)
        return self.films[size, hop]

    def simulated(self, size, hop, spread):
        key = size, hop, spread
        if key not in self.quartiles:
            film = self.film(size, hop)
            totals = [max(ends) for seed in FIT_SEEDS for part in runs(film, spread, seed, PARTS, REPEATS)
                      for ends in part]
            self.quartiles[key] = statistics.quantiles(totals, n=4)
        return self.quartiles[key]

    def error(self, sizes, spread):
        hop = self.paper.hop(sizes)
        return sum(math.log(simulated / measured) ** 2 for size in sizes for simulated, measured in
                   zip(self.simulated(size, hop, spread), statistics.quantiles(self.paper.totals(size), n=4)))

    def stall_seconds(self, sizes):
        """How far the outliers among the runs lie above their median; an outlier by Tukey's rule."""
        excess = []
        for size in sizes:
            low, middle, high = statistics.quantiles(self.paper.totals(size), n=4)
            excess += [total - middle for total in self.paper.totals(size) if total > high + 1.5 * (high - low)]
        return statistics.mean(excess) if excess else 1.0

    def spread(self, sizes):
        """Fitted to the runs of these batch sizes: one parameter after the other takes the best value that LATTICE has
        for it, until none changes."""
        at = {name: values[len(values) // 2] for name, values in LATTICE.items()}
        before = None
        while at != before:
            before = dict(at)
            for name, values in LATTICE.items():
                choices = [Spread(**{**at, name: value}, stall_seconds=self.stall_seconds(sizes)) for value in values]
                at[name] = getattr(min(choices, key=lambda spread: self.error(sizes, spread)), name)
        return Spread(**at, stall_seconds=self.stall_seconds(sizes))


# What is printed

def table(title, heads, rows):
    """Prints rows of texts and numbers in columns."""
    texts = [heads] + [[cell if isinstance(cell, str) else f"{cell:.1f}" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    print(title)
    for row in texts:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
    print()


def percent(predicted, measured):
    return f"{100 * (predicted / measured - 1):+.1f} %"


def paper_command(options):
    """Each configuration is predicted from its own medians per step; the serial step's time and the spread come from
    the other configurations only."""
    paper = Paper(options.paper)
    fit = Fit(paper)
    of_all = fit.spread(list(PUBLISHED))
    report = {"positions": [], "totals": [], "spread": of_all._asdict()}
    for size, published in PUBLISHED.items():
        others = [other for other in PUBLISHED if other != size]
        spread, film = fit.spread(others), fit.film(size, paper.hop(others))
        ends = [end for part in runs(film, spread, 1, PARTS, 1) for end in part]
        for position in range(size):
            predicted = statistics.median(end for run in ends for end in run[position::size])
            report["positions"].append({"k": size, "position": position, "predicted": predicted,
                                        "measured": paper.finish(size, position)})
        predicted, fitted = (statistics.median(published_total(film, how, seed) for seed in range(options.films))
                             for how in (spread, of_all))
        report["totals"].append({"k": size, "predicted": predicted, "published": published, "fitted": fitted,
                                 "spread": spread._asdict()})

    table("Median finish time per position in the batch, seconds", ["", "position", "predicted", "measured", "error"],
          [[f"[6,{row['k']}]", str(row["position"]), row["predicted"], row["measured"],
            percent(row["predicted"], row["measured"])] for row in report["positions"]])
    table("Total, seconds; predicted: spread fitted to the four other configurations; fitted: to all five",
          ["", "predicted", "published", "error", "fitted", "error", *Spread._fields],
          [[f"[6,{row['k']}]", row["predicted"], row["published"], percent(row["predicted"], row["published"]),
            row["fitted"], percent(row["fitted"], row["published"]),
            *(f"{value:.4g}" for value in row["spread"].values())]
           for row in report["totals"]])
    print("Fitted to all five:", of_all)
    return report


# Local runs

class Row(typing.NamedTuple):
    """A line of timings.tsv."""
    step: str
    chunk: int
    start: float
    end: float
    cpu: float
    peak_memory: int
    bytes_in: int
    bytes_out: int


def read_timings(path):
    """The last line about each step, by its name."""
    rows = {}
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        words = line.split("\t")
        try:
            # An engine may have columns of its own behind these.
            rows[words[0]] = Row(*(convert(word) for convert, word in
                                   zip(Row.__annotations__.values(), words[:len(Row._fields)], strict=True)))
        except ValueError:
            sys.exit(f"latency-model.py: {path}: line {number}: is not a line of timings")
    if not rows:
        sys.exit(f"latency-model.py: {path}: has no timings")
    return rows


def steps_of(rows, batch, path):
    """The graph that these timings are of."""
    structure = "anchored" if any("-anchors" in step for step in rows) else "classic"
    steps = film_steps(structure, 1 + max(row.chunk for row in rows.values()), batch)
    missing = [step.outputs[0] for step in steps if step.outputs[0] not in rows]
    if missing:
        sys.exit(f"latency-model.py: {path}: has nothing about {missing[0]} (batches of {batch}?)")
    return steps


def makespan(rows):
    return max(row.end for row in rows.values()) - min(row.start for row in rows.values())


def local_command(options):
    """The time that make takes between two steps is taken from the run at -j 1, like the steps' own. On a machine with
    other work only the last row means much: the second run's schedule from its own step times."""
    one, many = read_timings(options.one), read_timings(options.many)
    tasks = tasks_of(in_make_order(steps_of(one, options.batch, options.one)))
    steps_of(many, options.batch, options.many)
    gap = (makespan(one) - sum(row.end - row.start for row in one.values())) / len(one)
    report = []
    for what, rows, seconds in (("the first run's wall times", one, lambda row: row.end - row.start),
                                ("the first run's CPU times", one, lambda row: row.cpu),
                                ("its own wall times", many, lambda row: row.end - row.start)):
        predicted = max(list_schedule(tasks, [seconds(rows[task.name]) + gap for task in tasks], options.jobs))
        report.append({"from": what, "predicted": predicted, "measured": makespan(many)})
    table(f"Makespan of the second run, at -j {options.jobs}, seconds", ["from", "predicted", "measured", "error"],
          [[*row.values(), percent(row["predicted"], row["measured"])] for row in report])
    return report


# Our films on Lambda

class Service(typing.NamedTuple):
    """What Lambda and S3 are taken to do. docs/latency.md names the sources."""
    speed: float = 0.4         # of a function's CPU, against that of the machine where the steps were measured
    launch: float = 1.5        # seconds until the first function runs
    launch_rate: float = 450   # functions launched per second
    latency: float = 0.15      # seconds until the first byte of an S3 request
    bandwidth: float = 45e6    # bytes per second between one function and S3
    poll: float = 0.1          # seconds between two looks for a predecessor's state
    invoke: float = 0.1        # seconds from the wrapper's start until a warm function runs

    def transfer(self, size):
        return self.latency + size / self.bandwidth


def of_kinds(rows, tasks, pick, value):
    """A figure for each kind of task, picked from those of the measured tasks of that kind."""
    kinds = {}
    for task in tasks:
        kinds.setdefault(task.kind, []).append(value(rows[task.name]))
    return {kind: pick(values) for kind, values in kinds.items()}


def lambda_film(engine, structure, rows, measured, chunks, batch, service, jobs):
    """A film whose steps take what the measured ones took. With lambda-chunk, each worker fetches its raw pictures
    once, and only what other chunks need goes through S3; with lambda, every step fetches its inputs and stores its
    outputs."""
    cpu = of_kinds(rows, measured, statistics.median, lambda row: row.cpu / service.speed)
    # Not all steps of a kind write a state, but those that others wait for do.
    fetch = of_kinds(rows, measured, max, lambda row: service.transfer(row.bytes_in))
    store = of_kinds(rows, measured, max, lambda row: service.transfer(row.bytes_out))
    launch = [service.launch + chunk / service.launch_rate for chunk in range(chunks)]
    closing = [service.transfer(0)] * chunks
    steps = film_steps(structure, chunks, batch)
    if engine == "lambda":
        tasks = tasks_of(in_make_order(steps))
        medians = [(service.invoke if task.before else launch[task.chunk])
                   + fetch[task.kind] + cpu[task.kind] + store[task.kind] for task in tasks]
        return Film(tasks, medians, batch, [], [], closing, jobs)
    tasks = tasks_of(steps)
    raw = service.transfer(rows[measured[0].name].bytes_in)
    handover = [store[task.kind] + service.poll / 2 + store[task.kind] for task in tasks]  # fetched as fast as stored
    return Film(tasks, [cpu[task.kind] for task in tasks], batch, [at + raw for at in launch], handover, closing)


def lambda_command(options):
    service = Service(**{name: getattr(options, name) for name in Service._fields})
    spread = Spread(*options.spread)
    report = {"service": service._asdict(), "spread": spread._asdict(), "predictions": []}
    for argument in options.timings:
        name, _, path = argument.rpartition("=")
        rows = read_timings(path)
        steps = steps_of(rows, options.batch, path)
        measured, structure = tasks_of(steps), "anchored" if kind_of(steps[0]) == "anchors" else "classic"
        for engine in ("lambda-chunk", "lambda"):
            for batch in options.k:
                film = lambda_film(engine, structure, rows, measured, options.chunks, batch, service, options.jobs)
                plain = chunk_ends(film, NO_SPREAD, [0] * options.chunks, random.Random(1))
                totals = [max(part[0]) for part in runs(film, spread, 1, options.films, 1)]
                report["predictions"].append({
                    "film": name or path, "structure": structure, "engine": engine, "k": batch, "no spread": max(plain),
                    "median": statistics.median(totals), "one in ten": statistics.quantiles(totals, n=10)[-1]})
    for name in dict.fromkeys(row["film"] for row in report["predictions"]):
        table(f"{name}: {options.chunks} chunks, seconds until all are finished",
              ["structure", "engine", "K", "no spread", "median run", "one run in ten"],
              [[row["structure"], row["engine"], str(row["k"]), row["no spread"], row["median"], row["one in ten"]]
               for row in report["predictions"] if row["film"] == name])
    if options.svg:
        pathlib.Path(options.svg).write_text(plot(report["predictions"]))
    return report


COLOURS = {"lambda-chunk": "#0072b2", "lambda": "#d55e00"}
DASHES = {"anchored": "", "classic": ' stroke-dasharray="6 4"'}


def plot(predictions):
    """Median time against K, one panel per film, as SVG."""
    films = list(dict.fromkeys(row["film"] for row in predictions))
    sizes = sorted({row["k"] for row in predictions})
    top = max(row["median"] for row in predictions)
    width, height, left, gap = 260, 220, 40, 60

    def place(panel, size, seconds):
        x = left + panel * (width + gap) + width * sizes.index(size) / max(1, len(sizes) - 1)
        return f"{x:.1f},{20 + height * (1 - seconds / top):.1f}"

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + len(films) * (width + gap)}" '
             f'height="{height + 100}" font-family="sans-serif" font-size="12">']
    for panel, name in enumerate(films):
        x = left + panel * (width + gap)
        lines.append(f'<rect x="{x}" y="20" width="{width}" height="{height}" fill="none" stroke="#999"/>'
                     f'<text x="{x}" y="14">{name}: seconds (0 to {top:.0f}) against K</text>')
        for size in sizes:
            middle = place(panel, size, 0).split(",")[0]
            lines.append(f'<text x="{middle}" y="{height + 36}" text-anchor="middle">{size}</text>')
        curves = {}
        for row in predictions:
            if row["film"] == name:
                curves.setdefault((row["engine"], row["structure"]), []).append(place(panel, row["k"], row["median"]))
        lines += [f'<polyline points="{" ".join(points)}" fill="none" stroke-width="2" stroke="{COLOURS[engine]}"'
                  f'{DASHES[structure]}/>' for (engine, structure), points in curves.items()]
    for number, (engine, structure) in enumerate((e, s) for e in COLOURS for s in DASHES):
        x, y = left + 200 * (number % 2), height + 60 + 18 * (number // 2)
        lines.append(f'<path d="M{x} {y - 4}h30" stroke-width="2" stroke="{COLOURS[engine]}"{DASHES[structure]}/>'
                     f'<text x="{x + 36}" y="{y}">{engine}, {structure}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


# Fitted to all five configurations by the paper command, whose last line this is.
FITTED = Spread(content=0.3, worker=0.15, part=0.6, damping=0.5, stall=0.0001, stall_seconds=41)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    paper = commands.add_parser("paper", help="compare with the authors' runs")
    paper.add_argument("paper", metavar="PAPER.json")
    paper.set_defaults(command=paper_command)
    local = commands.add_parser("local", help="compare with local runs")
    local.add_argument("-j", dest="jobs", type=int, default=2, help="of the second run (default: 2)")
    local.add_argument("-k", dest="batch", type=int, default=16, help="chunks in a batch (default: 16)")
    local.add_argument("one", metavar="ONE.tsv")
    local.add_argument("many", metavar="TWO.tsv")
    local.set_defaults(command=local_command)
    ours = commands.add_parser("lambda", help="predict our times on Lambda")
    ours.add_argument("timings", nargs="+", metavar="NAME=TIMINGS.tsv")
    ours.add_argument("--batch", type=int, default=16, help="chunks in a batch of the measured runs (default: 16)")
    ours.add_argument("--chunks", type=int, default=WORKERS,
                      help=f"of the predicted film (default: {WORKERS}, as in the authors' runs)")
    ours.add_argument("-k", type=int, nargs="+", default=list(PUBLISHED), help="batch sizes (default: the paper's)")
    ours.add_argument("-j", dest="jobs", type=int, default=800, help="of make, for the engine lambda (default: 800)")
    ours.add_argument("--spread", type=float, nargs=len(FITTED), default=list(FITTED), metavar="X",
                      help=' '.join(Spread._fields) + ' (default: fitted to the paper)')
    ours.add_argument("--svg", metavar="FILE", help="write a plot of the time against K")
    for name, value in Service._field_defaults.items():
        ours.add_argument(f"--{name.replace('_', '-')}", type=float, default=value, metavar="X",
                          help=f"see docs/latency.md (default: {value:g})")
    ours.set_defaults(command=lambda_command)
    for command, films in ((paper, 5), (local, 0), (ours, 100)):
        command.add_argument("--json", metavar="FILE", help="write all figures as JSON, too")
        if films:
            command.add_argument("--films", type=int, default=films, help=f"how many to simulate (default: {films})")
    return parser.parse_args()


def main():
    options = parse_arguments()
    report = options.command(options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
