# SPDX-License-Identifier: BSD-2-Clause
"""Chance: how the times of steps differ from run to run, and what becomes of a film then."""
import math
import random
import typing

from latency.schedule import Crowd, Traffic, list_schedule, worker_per_chunk
from latency.spares import Job, next_spare
from latency.tasks import REPLAYING


class Spread(typing.NamedTuple):
    """How far the times of single steps lie from their medians, as measured by bench/paper-spread.py."""
    content: float = 0.328   # standard deviation of the logarithm that is due to the content of a chunk
    common: float = 0.84     # the share of that variance which changes slowly along the film
    scene: float = 54        # the number of chunks after which the correlation of that share has fallen to 1/e
    damping: float = 0.22    # the power to which content affects steps that reuse decisions (xc-enc, xc-rebase)
    slow: float = 6 / 880    # the share of slow workers, in the region that has most of them
    slowness: float = 2.5    # how many times as long a slow worker takes for every step


FULLY = {"vpxenc", "anchors", "guess", "follow"}  # these make all decisions themselves, so content affects them fully
DAMPED = {"enc", "rebase", REPLAYING}
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
    medians: list          # seconds of each task's tool
    ranks: list            # per task: the rank of its worker in the order of launches
    closing: list          # per chunk: seconds from the end of its last task until its worker has ended
    delivery: float = 0.0  # seconds from then until the chunk counts as finished
    crowd: Crowd = Crowd()

    # If each chunk has a worker:
    called: list = ()      # per chunk: when its worker is called, in seconds since the start of the run
    begin: list = ()       # per chunk: when the worker begins
    traffic: Traffic = None

    # If there are workers of which each may run any task:
    workers: int = 0       # how many
    release: list = None   # per task: when it may start
    calling: list = ()     # per task: seconds from its start until the function runs
    moving: list = ()      # per task: seconds in which the function fetches and stores files

    # Spare workers:
    kinds: list = ()       # per job, which is a chunk or a task: of which kind it is
    most_spares: int = 0   # so many may be at work at once
    launch: float = 0.0    # seconds from the call of one until it begins

    @property
    def chunks(self):
        return self.tasks[-1].chunk + 1


class Outcome(typing.NamedTuple):
    """What became of a film in one run."""
    ends: list   # per chunk: when it is finished
    busy: float  # seconds of all workers together, from when they begin to when they end
    spares: int  # how many spare workers there were
    polls: float = 0.0  # requests for files that were not there yet


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


def finished(film, ends):
    """When each chunk is finished, from the ends of the tasks."""
    last = [0.0] * film.chunks
    for task, end in zip(film.tasks, ends):
        last[task.chunk] = max(last[task.chunk], end)
    return [end + more + film.delivery for end, more in zip(last, film.closing)]


def in_steps(film, tools, usual, spares):
    """One course of a film whose tasks may be run by any worker. Returns its jobs, and its outcome."""
    seconds = [sum(parts) for parts in zip(film.calling, film.moving, tools)]
    begin, end = list_schedule(film.tasks, seconds, film.workers, film.release)
    if spares:
        for number, at in spares.items():
            second = at + film.launch + film.moving[number] + usual[number]
            seconds[number] = min(seconds[number], max(0.0, second - begin[number]))
        begin, end = list_schedule(film.tasks, seconds, film.workers, film.release)
    jobs = film.most_spares and [Job(kind, start, start, stop, stop - start)
                                 for kind, start, stop in zip(film.kinds, begin, end)]
    busy = sum(film.moving) + sum(tools) + sum(film.moving[number] + usual[number] for number in spares)
    return jobs, Outcome(finished(film, end), busy, len(spares))


def in_chunks(film, tools, usual, spares):
    """The same if each chunk has a worker."""
    seconds_of = {chunk: (at + film.launch, usual) for chunk, at in spares.items()}
    course = worker_per_chunk(film.tasks, tools, film.begin, film.traffic, film.crowd, seconds_of)
    ends = finished(film, course.ends)
    jobs = film.most_spares and [
        Job(film.kinds[chunk], film.called[chunk], course.since[chunk], end,
            end - film.called[chunk] - course.waited[chunk]) for chunk, end in enumerate(ends)]
    busy = sum(free + film.closing[chunk] - begin for chunk, own in enumerate(course.free)
               for free, begin in zip(own, [film.begin[chunk], seconds_of.get(chunk, (0,))[0]]))
    return jobs, Outcome(ends, busy, len(spares), course.polls)


def outcome(film, tools, usual=()):
    """What becomes of a film if its tools take so long. usual: what they take a worker that is not slow. Jobs that are
    late get spare workers one after another: what one changes is later than its call, so those before stay."""
    spares, schedule = {}, in_steps if film.workers else in_chunks
    while True:
        jobs, result = schedule(film, tools, usual, spares)
        late = next_spare(jobs, spares, film.most_spares) if film.most_spares else None
        if not late:
            return result
        number, at = late
        spares[number] = at


def runs(film, spread, seed, parts, repeats):
    """For each part of a film, the outcomes of `repeats` runs. Runs of the same part have the same content."""
    rng = random.Random(seed)
    for part in range(parts):
        contents, share = list(walk(film.chunks, spread, rng)), spread.slow * REGIONS[part % len(REGIONS)]
        usual = drawn(film, spread, contents, ()) if film.most_spares else ()
        yield [outcome(film, drawn(film, spread, contents, slow_ranks(max(film.ranks) + 1, share, rng)), usual)
               for _ in range(repeats)]
