# SPDX-License-Identifier: BSD-2-Clause
"""timings.tsv: what the steps of a run took, and what follows for other films."""
import pathlib
import statistics
import sys
import typing

from latency.tasks import REPLAYING, film_steps, kind_of, role, tasks_of, weight
from xcdriver import graph


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
    structure, chunks = graph.structure_of(rows), 1 + max(row.chunk for row in rows.values())
    missing = []
    for apart in (True, False):
        steps = film_steps(structure, chunks, batch, apart=apart)
        missing = [step.outputs[0] for step in steps if step.outputs[0] not in rows]
        if not missing:
            return steps
    sys.exit(f"latency-model.py: {path}: has nothing about {missing[0]} (batches of {batch}?)")


def chain_of(rows, batch, path):
    """The steps of a chain whose chunks are made in different places, in the prepared structure, where those of the run
    are made in the same place. make runs them only if they are asked for."""
    steps = graph.chained_again(range(batch), 22) if graph.structure_of(rows) == "prepared" else []
    missing = [step.outputs[0] for step in steps if step.outputs[0] not in rows]
    if missing:
        print(f"latency-model.py: {path}: has nothing about {' '.join(missing)}, and so nothing is predicted for "
              "lambda-chunk; give make these names, too, beside all", file=sys.stderr)
        return []
    return steps


def makespan(rows):
    return max(row.end for row in rows.values()) - min(row.start for row in rows.values())


def file_sizes(rows, steps):
    """The bytes of each file. A row has only sums over what a step reads, and over what it writes: a file that is alone
    in one is known, and then others are. Files that no sum tells apart get equal parts of it."""
    sums = [part for step in steps for row in [rows[step.outputs[0]]]
            for part in ((step.inputs, row.bytes_in), (step.outputs, row.bytes_out))]
    sizes = {}
    for most in range(1, 1 + max(len(names) for names, _ in sums)):
        found = True
        while found:
            found = False
            for names, total in sums:
                unknown = [name for name in names if name not in sizes]
                if 0 < len(unknown) <= most:
                    left = total - sum(sizes.get(name, 0) for name in names)
                    sizes.update((name, max(0, left) / len(unknown)) for name in unknown)
                    found = True
    return sizes


def medians(pairs):
    """From (key, value) pairs: the median of the values of each key."""
    values = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {key: statistics.median(found) for key, found in values.items()}


class Measured(typing.NamedTuple):
    """What a run tells of other films."""
    structure: str
    cpu: dict         # CPU seconds of a task, by its kind; for each unit of its weight
    size: dict        # bytes of a file, by its role
    has_chain: bool   # it tells what the chain takes if its chunks are made in different places


def measure(path, batch):
    """Reads the timings of a run in batches of this size."""
    rows = read_timings(path)
    steps, structure = steps_of(rows, batch, path), graph.structure_of(rows)
    is_apart = any(kind_of(step) == REPLAYING for step in steps)
    more = [] if is_apart else chain_of(rows, batch, path)
    tasks = tasks_of([*steps, *more])
    cpu = medians((task.kind, rows[task.name].cpu / weight(task)) for task in tasks)
    if is_apart:  # how long xc-rebase takes without a replay is not known, but it is less
        cpu["rebase"] = cpu[REPLAYING]
    return Measured(structure, cpu,
                    medians((role(name), size) for name, size in file_sizes(rows, [*steps, *more]).items()),
                    structure != "prepared" or is_apart or bool(more))
