# SPDX-License-Identifier: BSD-2-Clause
"""Spare workers: which job gets one, and when, by the rule and the numbers of lambda/spare.c (docs/lambda.md)."""
import bisect
import typing

LEAST_DONE = 4       # jobs of a kind, before anything is known of it
TIMES_USUAL = 2      # a job is late after so many times the median of its kind
MORE_SECONDS = 2     # and so many seconds
DONE_PER_SPARE = 25  # at most one of so many gets a spare worker
GLANCE = 0.5         # seconds from when a job is late until its wrapper looks, on average


class Job(typing.NamedTuple):
    """What one call of the function does."""
    kind: object
    begun: float
    since: float   # when all that it needs was there
    end: float
    worked: float  # seconds, without waiting for others


def limits_of(group, order, spares):
    """When enough of a kind's jobs are done, and few enough have had a spare worker: (how many are done, after how many
    seconds a job is late then). order: the jobs' places, by their ends."""
    begun, worked = sorted(job.begun for job in group), []
    for done, place in enumerate(order[:-1], 1):
        bisect.insort(worked, group[place].worked)
        if (done >= LEAST_DONE and 4 * done >= 3 * bisect.bisect(begun, group[place].end)
                and spares < max(1, done // DONE_PER_SPARE)):
            yield done, TIMES_USUAL * worked[done // 2] + MORE_SECONDS


def first_late(group, granted):
    """The time when the first of a kind's jobs gets a spare worker, and the job's place in the group; None if none
    does. granted: the places of those that have had one."""
    order = sorted(range(len(group)), key=lambda place: group[place].end)
    limits = list(limits_of(group, order, len(granted)))
    least = min((limit for _, limit in limits), default=0)
    perhaps = [place for place, job in enumerate(group)
               if place not in granted and job.end > job.since + least + GLANCE]
    for done, limit in limits if perhaps else []:
        now, then = group[order[done - 1]].end, group[order[done]].end
        late = [(time, place) for place in perhaps for time in [max(now, group[place].since + limit) + GLANCE]
                if now < group[place].end and time < min(then + GLANCE, group[place].end)]
        if late:
            return min(late)
    return None


def next_spare(jobs, spares, most):
    """The number of the job that gets a spare worker next, and when it is called; None if there is none. spares: when
    those that have one already got theirs. most: so many may be at work at once."""
    kinds = {}
    for number, job in enumerate(jobs):
        kinds.setdefault(job.kind, []).append(number)
    found = []
    for numbers in kinds.values():
        granted = {place for place, number in enumerate(numbers) if number in spares}
        late = first_late([jobs[number] for number in numbers], granted)
        if late:
            found.append((late[0], numbers[late[1]]))
    for time, number in sorted(found):
        if sum(at <= time < jobs[other].end for other, at in spares.items()) < most:
            return number, time
    return None
