# SPDX-License-Identifier: BSD-2-Clause
"""The graph of a film, as the schedulers need it."""
import re
import typing

from xcdriver import graph, sources
from xcdriver.layout import Layout

REPLAYING = "replay and rebase"  # the kind of xc-rebase in a chain whose chunks are made in different places
STATES = 0.28  # the part of a replay that is spent on states, where it reads and writes one (docs/notes/latency.md)
NUMBER = re.compile(f"[0-9]{{{graph.DIGITS}}}")


class Task(typing.NamedTuple):
    """What the model needs to know about a step of the makefile."""
    name: str     # its first output
    kind: str     # which tool, in which mode
    chunk: int
    before: list  # the numbers of the tasks whose outputs it reads
    inputs: tuple = ()
    outputs: tuple = ()


def film_steps(structure, chunks, batch, quality=22, apart=False, source=sources.GivenChunks()):
    """The steps of a film. No step comes before one that it depends on, and the steps of a chunk are in the order in
    which a worker with only that chunk runs them. source: has the steps that make the raw pictures."""
    structures = graph.APART if apart else graph.STRUCTURES
    return [step for part in Layout(batch).batches(chunks)
            for step in sources.all_steps(source, structures, structure, part, quality)]


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
    if "--replay" in step.argv:
        return REPLAYING
    return first[len("--"):] if tool == "enc" and first.startswith("--") else tool


def tasks_of(steps):
    """The steps as tasks, in the same order."""
    maker = {output: number for number, step in enumerate(steps) for output in step.outputs}
    return [Task(step.outputs[0], kind_of(step), graph.chunk_of(step.outputs[0]),
                 sorted({maker[name] for name in step.inputs if name in maker}), tuple(step.inputs),
                 tuple(step.outputs)) for step in steps]


def role(name):
    """What a file is to its chunk: its name without the numbers of chunks."""
    return NUMBER.sub("", name)


def weight(task):
    """How many times a task does what its kind does. A replay does it for each chunk whose anchors it reads, but reads
    and writes a state only once."""
    replayed = sum(role(name) == "-anchors.ivf" for name in task.inputs)
    return 1 + (1 - STATES) * (replayed - 1) if task.kind == "dump" and replayed else 1
