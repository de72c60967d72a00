#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Predicts how long it takes to encode a film, by scheduling the same graph that gen_makefile.py writes.

  latency-model.py paper PAPER.json             compares the model with the ExCamera authors' runs on AWS Lambda
  latency-model.py local -j 2 ONE.tsv TWO.tsv   predicts a local run at -j 2 from the step times of a run at -j 1
  latency-model.py lambda NAME=TIMINGS.tsv...   predicts films of ours on Lambda from measured step times

The same arguments always give the same figures. docs/notes/latency.md explains the model and names the source of each
number."""
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

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # with PYTHONSAFEPATH, Python does not do this
from xcdriver import graph  # noqa: E402


# The graph

class Task(typing.NamedTuple):
    """What the model needs to know about a step of the makefile."""
    name: str     # its first output
    kind: str     # which tool, in which mode
    chunk: int
    before: list  # the numbers of the tasks whose outputs it reads


def film_steps(structure, chunks, batch, quality=22, apart=False):
    """The steps of a film. No step comes before one that it depends on, and the steps of a chunk are in the order in
    which a worker with only that chunk runs them."""
    return graph.film_steps(structure, 0, chunks - 1, batch, quality, apart)


def in_make_order(steps):
    """The same steps in the order in which make starts them: for each wanted file, first what it depends on."""
    maker = {output: step for step in steps for output in step.outputs}
    order, seen = [], set()

    def visit(step):
        if step.outputs[0] not in seen:
            seen.add(step.outputs[0])
            for name in step.inputs:
                if name in maker:
                    visit(maker[name])
            order.append(step)

    for chunk in sorted({graph.chunk_of(step.outputs[0]) for step in steps}):
        visit(maker[graph.finished(chunk)])
    return order


def kind_of(step):
    """The tool without its prefix; for xc-enc in the anchored structure, its mode, which is its first option."""
    tool, first = step.argv[0][len("xc-"):], step.argv[1]
    return first[len("--"):] if tool == "enc" and first.startswith("--") else tool


def tasks_of(steps):
    """The steps as tasks, in the same order."""
    maker = {output: number for number, step in enumerate(steps) for output in step.outputs}
    return [Task(step.outputs[0], kind_of(step), graph.chunk_of(step.outputs[0]),
                 sorted({maker[name] for name in step.inputs if name in maker})) for step in steps]


# The schedulers: from how long each task takes, they compute when each ends.

def list_schedule(tasks, seconds, workers):
    """When each task ends if any of `workers` equal workers may run any task. Workers get tasks as make hands them out:
    it goes through the tasks in order, starts the next one that is ready whenever a worker is free, and continues at
    the first task after the last one."""
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


class Crowd(typing.NamedTuple):
    """While many workers run xc-enc, they slow each other down."""
    until: float = 0.0  # when that ends
    alone: float = 1.0  # by which factor the rest of an xc-enc is shorter from then on


def worker_per_chunk(tasks, seconds, begin, handover, crowd=Crowd()):
    """When each task ends if each chunk has a worker of its own. A worker has the raw pictures at begin[chunk], and
    runs the chunk's tasks in the order given. A task's outputs reach the worker of another chunk handover[task] seconds
    after the task has ended."""
    free, end = list(begin), []
    for task, duration in zip(tasks, seconds):
        start = free[task.chunk]
        for number in task.before:
            there = end[number] + (handover[number] if tasks[number].chunk != task.chunk else 0)
            if there > start:
                start = there
        if task.kind == "enc":
            within = min(duration, max(0.0, crowd.until - start))
            duration = within + crowd.alone * (duration - within)
        free[task.chunk] = start + duration
        end.append(start + duration)
    return end


# Chance

class Spread(typing.NamedTuple):
    """How far the times of single steps lie from their medians, as measured by bench/paper-spread.py."""
    content: float = 0.328   # standard deviation of the logarithm that is due to the content of a chunk
    common: float = 0.84     # the share of that variance which changes slowly along the film
    scene: float = 54        # the number of chunks after which the correlation of that share has fallen to 1/e
    damping: float = 0.22    # the power to which content affects steps that reuse decisions (xc-enc, xc-rebase)
    slow: float = 6 / 880    # the share of slow workers, in the region that has most of them
    slowness: float = 2.5    # how many times as long a slow worker takes for every step


FULLY = {"vpxenc", "anchors", "guess", "follow"}  # these make all decisions themselves, so content affects them fully
DAMPED = {"enc", "rebase"}
REGIONS = (1, 1/3, 0, 0)  # the slow workers in each of the authors' four regions, relative to the first


def walk(chunks, spread, rng):
    """How expensive each chunk's content is, in standard deviations from the median. Chunks near each other are
    similar."""
    keep, value = math.exp(-1 / spread.scene), rng.gauss(0, 1)
    for _ in range(chunks):
        yield math.sqrt(spread.common) * value + math.sqrt(1 - spread.common) * rng.gauss(0, 1)
        value = keep * value + math.sqrt(1 - keep ** 2) * rng.gauss(0, 1)


def slow_ranks(workers, share, rng):
    """Which workers are slow, by their rank in the order of launches. Workers launched early are slow more often. How
    far into the order slow workers are found differs from run to run."""
    reach = rng.random()
    return {int(workers * reach * rng.random()) for _ in range(round(workers * share))}


class Film(typing.NamedTuple):
    """What is encoded in one run, and by which workers."""
    tasks: list
    medians: list   # seconds of each task
    ranks: list     # per task: the rank of its worker in the order of launches
    begin: list     # per chunk: when its worker has the raw pictures, in seconds since the first launch
    handover: list  # per task: see worker_per_chunk
    closing: list   # per chunk: seconds from the end of its last task until it counts as finished
    crowd: Crowd = Crowd()
    workers: int = 0  # how many there are, any of which may run any task; 0: one worker per chunk

    @property
    def chunks(self):
        return self.tasks[-1].chunk + 1


def drawn(film, spread, contents, slow):
    """How long each task takes in one run."""
    full = [math.exp(spread.content * value) for value in contents]
    damped = [math.exp(spread.content * spread.damping * value) for value in contents]
    seconds = []
    for task, median, rank in zip(film.tasks, film.medians, film.ranks):
        if task.kind in FULLY:
            median *= full[task.chunk]
        elif task.kind in DAMPED:
            median *= damped[task.chunk]
        seconds.append(median * spread.slowness if rank in slow else median)
    return seconds


def chunk_ends(film, seconds):
    """When each chunk is finished."""
    if film.workers:
        ends = list_schedule(film.tasks, seconds, film.workers)
    else:
        ends = worker_per_chunk(film.tasks, seconds, film.begin, film.handover, film.crowd)
    last = [0.0] * film.chunks
    for task, end in zip(film.tasks, ends):
        last[task.chunk] = max(last[task.chunk], end)
    return [end + more for end, more in zip(last, film.closing)]


def runs(film, spread, seed, parts, repeats):
    """For each part of a film, when its chunks are finished in each of `repeats` runs. Runs of the same part have the
    same content."""
    rng = random.Random(seed)
    for part in range(parts):
        contents, share = list(walk(film.chunks, spread, rng)), spread.slow * REGIONS[part % len(REGIONS)]
        yield [chunk_ends(film, drawn(film, spread, contents, slow_ranks(max(film.ranks) + 1, share, rng)))
               for _ in range(repeats)]


# The authors' runs. They encoded the film in four parts of 880 or 896 chunks, each in a region of its own, five times.
# Their published figure is the median of the slowest part, interpolated to SSIM 20 dB between two qualities.

PARTS, REPEATS, WORKERS = 4, 5, 880
PUBLISHED = {1: 28.8, 2: 53.0, 4: 85.5, 8: 110.5, 16: 156.6}  # seconds, 4K Sintel at SSIM 20 dB, 3,552 chunks
# Spread.content by batch size, measured by bench/paper-spread.py. The finer the quantizer, the more content matters.
CONTENT = {1: 0.256, 2: 0.328, 4: 0.353, 8: 0.367, 16: 0.384}
ENC_ALONE = 10.7  # seconds that an xc-enc takes if it begins when the others have ended


class Paper:
    """The authors' data. Figures are averages over the two qualities of each configuration."""

    def __init__(self, path):
        data = json.loads(pathlib.Path(path).read_text())["configs"]
        self.configs = {size: list(data[f"[6,{size}]"].values()) for size in PUBLISHED}

    def finish(self, size, position):
        return statistics.mean(quality["finish_by_position"][str(position)] for quality in self.configs[size])

    def state(self, size, position, name):
        """The median of the seconds in a state at a position, interpolated if that position was not recorded."""
        def at(which):
            return statistics.mean(quality["median_state_seconds_by_position"][str(which)].get(name, 0)
                                   for quality in self.configs[size])
        known = sorted(map(int, self.configs[size][0]["median_state_seconds_by_position"]))
        if position in known:
            return at(position)
        high = bisect.bisect(known, position)
        left, right = known[high - 1], known[high]
        return at(left) + (at(right) - at(left)) * (position - left) / (right - left)

    def hop(self, position, sizes):
        """How many seconds a chunk is finished after the chunk before it, in batches of these sizes. From position 4 on
        only the serial step matters, so there is one figure for all those positions. The last chunk is left out,
        because it writes no state."""
        positions = [position] if position < 4 else range(4, max(sizes))
        return statistics.median(self.finish(size, at) - self.finish(size, at - 1)
                                 for size in sizes for at in positions if at < size - 1)

    def medians(self, size):
        """How long the steps take, for each position. A worker is in XCEncRunState for vpxenc, for xc-enc and for the
        rebasing xc-enc, and the data have only one median for all of these. So vpxenc's time is that of position 0,
        where there is nothing else. xc-enc's time follows from position 1, where the median lies half-way between
        the two. The time of rebasing is taken from the other sizes only."""
        vpxenc = self.state(size, 0, "XCEncRunState")
        enc = 2 * self.state(size, min(1, size - 1), "XCEncRunState") - vpxenc
        others = [other for other in PUBLISHED if other != size]
        # XCEncDumpState includes compressing the state and starting to send it, before the worker continues.
        return [{"vpxenc": vpxenc, "terminate-chunk": self.state(size, position, "XCEncDumpState"), "dump": 0,
                 "enc": enc, "rebase": self.hop(position, others) if position > 1 else 0} for position in range(size)]

    def film(self, size):
        """A run of the authors, as our classic graph."""
        tasks, medians = tasks_of(film_steps("classic", WORKERS, size)), self.medians(size)
        positions = [chunk % size for chunk in range(WORKERS)]
        launched = sorted(range(WORKERS), key=positions.__getitem__)
        rank = {chunk: number for number, chunk in enumerate(launched)}
        begin = [self.state(size, position, "launch") + self.state(size, position, "XCEncSettingsState")
                 for position in range(size)]
        closing = [self.state(size, position, "XCEncFinishState") for position in range(size)]
        return Film(tasks, [medians[positions[task.chunk]][task.kind] for task in tasks],
                    [rank[task.chunk] for task in tasks], [begin[position] for position in positions], [0] * len(tasks),
                    [closing[position] for position in positions],
                    Crowd(self.finish(size, min(1, size - 1)), ENC_ALONE / medians[0]["enc"]))


def published_total(film, spread, seed):
    """The authors' figure for one film, whose parts differ in content."""
    return max(statistics.median(max(ends) for ends in part) for part in runs(film, spread, seed, PARTS, REPEATS))


# The report

def table(title, heads, rows):
    """Prints a title, and rows of texts and numbers in columns."""
    texts = [heads] + [[cell if isinstance(cell, str) else f"{cell:.1f}" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    print(title)
    for row in texts:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
    print()


def percent(predicted, measured):
    return f"{100 * (predicted / measured - 1):+.1f} %"


def paper_command(options):
    """Predicts each configuration from its own medians per step. The time of the serial step comes from the other
    configurations only. The totals are not used."""
    paper = Paper(options.paper)
    report = {"positions": [], "totals": []}
    for size, published in PUBLISHED.items():
        film, spread = paper.film(size), Spread(content=CONTENT[size])
        ends = [end for part in runs(film, spread, 1, PARTS, 1) for end in part]
        for position in range(size):
            predicted = statistics.median(end for run in ends for end in run[position::size])
            report["positions"].append({"k": size, "position": position, "predicted": predicted,
                                        "measured": paper.finish(size, position)})
        totals = [published_total(film, spread, seed) for seed in range(options.films)]
        tenths = statistics.quantiles(totals, n=10)
        report["totals"].append({"k": size, "predicted": statistics.median(totals), "published": published,
                                 "tenths": [tenths[0], tenths[-1]]})

    table("Median finish time per position in the batch, seconds", ["", "position", "predicted", "measured", "error"],
          [[f"[6,{row['k']}]", str(row["position"]), row["predicted"], row["measured"],
            percent(row["predicted"], row["measured"])] for row in report["positions"]])
    table("Total, seconds", ["", "predicted", "published", "error", "eight of ten simulated"],
          [[f"[6,{row['k']}]", row["predicted"], row["published"], percent(row["predicted"], row["published"]),
            "{:.0f} to {:.0f}".format(*row["tenths"])] for row in report["totals"]])
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
    paid: float


def read_timings(path):
    """The last line about each step, by the name of the step."""
    rows = {}
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        words = line.split("\t")
        try:
            if len(words) != len(Row._fields):
                raise ValueError
            rows[words[0]] = Row(*(convert(word) for convert, word in zip(Row.__annotations__.values(), words)))
        except ValueError:
            sys.exit(f"latency-model.py: {path}: line {number}: is not a line of timings")
    if not rows:
        sys.exit(f"latency-model.py: {path}: has no timings")
    return rows


def steps_of(rows, batch, path):
    """The graph that these timings belong to."""
    structure = graph.structure_of(rows)
    steps = film_steps(structure, 1 + max(row.chunk for row in rows.values()), batch)
    missing = [step.outputs[0] for step in steps if step.outputs[0] not in rows]
    if missing:
        sys.exit(f"latency-model.py: {path}: has nothing about {missing[0]} (batches of {batch}?)")
    return steps


def replays_of(rows, batch, path):
    """The steps by which the last chunk of a batch replays the anchors before it, in the prepared structure. make runs
    them only if they are asked for."""
    if graph.structure_of(rows) != "prepared" or batch == 1:
        return []
    steps = list(graph.replay(range(batch), batch - 1, 22))
    if steps[-1].outputs[0] not in rows:
        print(f"latency-model.py: {path}: has nothing about {steps[-1].outputs[0]}, and so nothing is predicted for "
              "lambda-chunk; give make this name, too, beside all", file=sys.stderr)
        return []
    return steps


def makespan(rows):
    return max(row.end for row in rows.values()) - min(row.start for row in rows.values())


def local_command(options):
    """Step times and the time that make takes between two steps come from the run at -j 1. On a busy machine only the
    last row means much: it schedules the second run by its own step times."""
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
    """What the model assumes about Lambda and S3. docs/notes/latency.md names the sources."""
    speed: float = 0.4         # of a function's CPU, relative to the machine where the steps were measured
    launch: float = 1.5        # seconds until the first function runs
    launch_rate: float = 450   # functions launched per second
    latency: float = 0.15      # seconds until the first byte of an S3 request
    bandwidth: float = 45e6    # bytes per second between one function and S3
    poll: float = 0.2          # seconds between two polls for a predecessor's state
    invoke: float = 0.1        # seconds from the start of the wrapper until a warm function runs

    def transfer(self, size):
        return self.latency + size / self.bandwidth


def of_kinds(rows, tasks, pick, value):
    """A figure for each kind of task: `pick` of the values of all measured tasks of that kind."""
    kinds = {}
    for task in tasks:
        kinds.setdefault(task.kind, []).append(value(rows[task.name]))
    return {kind: pick(values) for kind, values in kinds.items()}


def lambda_film(engine, structure, rows, measured, chunks, batch, service, jobs):
    """A film whose steps take as long as the measured ones. With lambda-chunk, each worker fetches its raw pictures
    once, and only what other chunks need goes through S3. With lambda, every step fetches its inputs and stores its
    outputs."""
    cpu = of_kinds(rows, measured, statistics.median, lambda row: row.cpu / service.speed)
    # Not every step of a kind writes a state, but every step that others wait for does.
    fetch = of_kinds(rows, measured, max, lambda row: service.transfer(row.bytes_in))
    store = of_kinds(rows, measured, max, lambda row: service.transfer(row.bytes_out))
    if "guess" in cpu and engine == "lambda-chunk":  # there, no step writes a state for others
        store["rebase"] = of_kinds(rows, measured, min, lambda row: service.transfer(row.bytes_out))["rebase"]
    launch = [service.launch + chunk / service.launch_rate for chunk in range(chunks)]
    closing = [service.transfer(0)] * chunks
    steps = film_steps(structure, chunks, batch, apart=engine == "lambda-chunk")
    if engine == "lambda":
        tasks = tasks_of(in_make_order(steps))
        medians = [(service.invoke if task.before else launch[task.chunk])
                   + fetch[task.kind] + cpu[task.kind] + store[task.kind] for task in tasks]
        return Film(tasks, medians, list(range(len(tasks))), [], [], closing, workers=jobs)
    tasks = tasks_of(steps)
    raw = fetch.get("guess") or service.transfer(rows[measured[0].name].bytes_in)
    # Fetching takes as long as storing.
    handover = [store[task.kind] + service.poll / 2 + store[task.kind] for task in tasks]
    return Film(tasks, [cpu[task.kind] for task in tasks], [task.chunk for task in tasks], [at + raw for at in launch],
                handover, closing)


def lambda_command(options):
    service, spread = (kind(**{name: getattr(options, name) for name in kind._fields}) for kind in (Service, Spread))
    report = {"service": service._asdict(), "spread": spread._asdict(), "predictions": []}
    for argument in options.timings:
        name, _, path = argument.rpartition("=")
        rows = read_timings(path)
        steps = steps_of(rows, options.batch, path)
        measured, structure = tasks_of([*steps, *replays_of(rows, options.batch, path)]), graph.structure_of(rows)
        replayed = structure != "prepared" or any(task.kind == "dump" for task in measured)
        for engine in ("lambda-chunk", "lambda") if replayed else ("lambda",):
            for batch in options.k:
                film = lambda_film(engine, structure, rows, measured, options.chunks, batch, service, options.jobs)
                plain = chunk_ends(film, film.medians)
                totals = [max(part[0]) for part in runs(film, spread, 1, options.films, 1)]
                report["predictions"].append({
                    "film": name or path, "structure": structure, "engine": engine, "k": batch, "no spread": max(plain),
                    "median": statistics.median(totals), "one in ten": statistics.quantiles(totals, n=10)[-1]})
    for name in dict.fromkeys(row["film"] for row in report["predictions"]):
        table(f"{name}: {options.chunks} chunks, seconds until all are finished",
              ["structure", "engine", "K", "no spread", "median run", "one run in ten"],
              [[row["structure"], row["engine"], str(row["k"]), row["no spread"], row["median"], row["one in ten"]]
               for row in report["predictions"] if row["film"] == name])
    return report


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    paper = commands.add_parser("paper", help="compare with the authors' runs")
    paper.add_argument("paper", metavar="PAPER.json")
    paper.set_defaults(command=paper_command)
    local = commands.add_parser("local", help="compare with local runs")
    local.add_argument("-j", dest="jobs", type=int, default=2, help="jobs in the second run (default: 2)")
    local.add_argument("-k", dest="batch", type=int, default=16, help="chunks in a batch (default: 16)")
    local.add_argument("one", metavar="ONE.tsv")
    local.add_argument("many", metavar="TWO.tsv")
    local.set_defaults(command=local_command)
    ours = commands.add_parser("lambda", help="predict our times on Lambda")
    ours.add_argument("timings", nargs="+", metavar="NAME=TIMINGS.tsv")
    ours.add_argument("--batch", type=int, default=16, help="chunks in a batch of the measured runs (default: 16)")
    ours.add_argument("--chunks", type=int, default=WORKERS,
                      help=f"chunks of the predicted film (default: {WORKERS}, as in the authors' runs)")
    ours.add_argument("-k", type=int, nargs="+", default=list(PUBLISHED),
                      help="batch sizes to predict (default: those of the paper)")
    ours.add_argument("-j", dest="jobs", type=int, default=800,
                      help="jobs of make, for the engine lambda (default: 800)")
    for name, value in {**Service._field_defaults, **Spread._field_defaults}.items():
        ours.add_argument(f"--{name.replace('_', '-')}", type=float, default=value, metavar="X",
                          help=f"see docs/notes/latency.md (default: {value:g})")
    ours.set_defaults(command=lambda_command)
    for command, films in ((paper, 40), (local, 0), (ours, 100)):
        command.add_argument("--json", metavar="FILE", help="also write all figures as JSON")
        if films:
            command.add_argument("--films", type=int, default=films,
                                 help=f"how many films to simulate (default: {films})")
    return parser.parse_args()


def main():
    options = parse_arguments()
    report = options.command(options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
