# SPDX-License-Identifier: BSD-2-Clause
"""The schedulers: from how long each task takes, they compute when each ends."""
import bisect
import heapq
import typing

from latency.polling import Polling


def list_schedule(tasks, seconds, workers, release=None):
    """When each task starts and when it ends, if any of `workers` equal workers may run any task. Workers get tasks as
    make hands them out: it goes through the tasks in order, starts the next one that is ready whenever a worker is
    free, and continues at the first task after the last one. A worker whose task is not released yet waits for it.
    release: when each task may start; None: at once."""
    missing = [len(task.before) for task in tasks]
    after = [[] for _ in tasks]
    for number, task in enumerate(tasks):
        for earlier in task.before:
            after[earlier].append(number)
    ready = [number for number, count in enumerate(missing) if not count]
    running, begin, end, now, last = [], [0.0] * len(tasks), [0.0] * len(tasks), 0.0, -1
    while ready or running:
        while ready and len(running) < workers:
            last = ready.pop(bisect.bisect(ready, last) % len(ready))
            begin[last] = max(now, release[last]) if release else now
            heapq.heappush(running, (begin[last] + seconds[last], last))
        now, done = heapq.heappop(running)
        end[done] = now
        for later in after[done]:
            missing[later] -= 1
            if not missing[later]:
                bisect.insort(ready, later)
    return begin, end


class Crowd(typing.NamedTuple):
    """While many workers run xc-enc, they slow each other down."""
    until: float = 0.0  # when that ends
    alone: float = 1.0  # by which factor the rest of an xc-enc is shorter from then on


class Traffic(typing.NamedTuple):
    """The seconds in which a worker sends and receives files, for each task."""
    fetch: list        # what it reads from the store, where it has been from the beginning
    take: list         # what other workers publish: by the number of the task that makes it
    publish: list      # what it publishes for others, before it goes on
    later: list        # of what it takes: how many files of other workers its chunk still waits for after that
    polling: typing.Optional[Polling] = None  # None: whoever waits for a file takes it as soon as it is there
    latency: float = 0.0                      # of a request that finds nothing

    def waiting(self, waited, later):
        """For one who waits: from when a file is there until he asks for it, and how many requests found nothing."""
        how = (waited, later, self.latency)
        return (self.polling.late(*how), self.polling.in_vain(*how)) if self.polling else (0.0, 0.0)


def files_later(tasks, take):
    """For each task, by the number of the task that makes what it takes: after how many more its chunk has all."""
    left, later = {}, [{} for _ in tasks]
    for number in reversed(range(len(tasks))):
        chunk = tasks[number].chunk
        for earlier in reversed(take[number]):
            later[number][earlier] = left.setdefault(chunk, 0)
            left[chunk] += 1
    return later


def no_traffic(tasks):
    """All files are there as soon as they are made."""
    nothing = [0.0] * len(tasks)
    take = [{earlier: 0.0 for earlier in task.before if tasks[earlier].chunk != task.chunk} for task in tasks]
    return Traffic(nothing, take, nothing, files_later(tasks, take))


class Course(typing.NamedTuple):
    """What happens if each chunk has workers of its own."""
    ends: list    # when each task has ended, and its outputs are published
    since: list   # per chunk: when all that other chunks make for it was there
    waited: list  # per chunk: for how long its first worker waited for that
    free: list    # per chunk: when each of its workers has ended
    polls: float  # how many requests of all first workers found nothing


def worker_per_chunk(tasks, seconds, begin, traffic, crowd=Crowd(), spares=None):
    """The course of things if each chunk has a worker of its own, which begins at begin[chunk] and runs the chunk's
    tasks in the order given. spares: (when it begins, how long it takes for each task) of a second worker, by the
    chunk. Then that output counts which is there first."""
    spares, until, polls = spares or {}, crowd.until, 0.0
    free = [[at, spares[chunk][0]] if chunk in spares else [at] for chunk, at in enumerate(begin)]
    ends, since, waited = [], list(begin), [0.0] * len(begin)
    for task, fetch, take, publish, later, duration in zip(tasks, traffic.fetch, traffic.take, traffic.publish,
                                                           traffic.later, seconds):
        chunk = task.chunk
        own = free[chunk]
        for worker, start in enumerate(own):
            start += fetch
            for earlier, transfer in take.items():
                there = ends[earlier]
                if there > start:
                    late, in_vain = traffic.waiting(there - start, later[earlier])
                    if not worker:
                        waited[chunk] += there + late - start
                        polls += in_vain
                    start = there + late
                start += transfer
                if there > since[chunk]:
                    since[chunk] = there
            if worker:
                duration = spares[chunk][1][len(ends)]
            if start < until and task.kind == "enc":
                within = min(duration, until - start)
                own[worker] = start + within + crowd.alone * (duration - within) + publish
            else:
                own[worker] = start + duration * (crowd.alone if task.kind == "enc" else 1) + publish
        ends.append(own[0] if len(own) == 1 else min(own))
    return Course(ends, since, waited, free, polls)
