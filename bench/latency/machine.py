# SPDX-License-Identifier: BSD-2-Clause
"""The same film on one machine with many cores: make -jN with ENGINE=local. The raw pictures are there."""
from latency.chance import Film
from latency.tasks import film_steps, in_make_order, tasks_of, weight


def film_on_machine(measured, chunks, batch, cores, speed):
    """speed: of a core, when all of them are busy, relative to the machine where the steps were measured."""
    tasks = tasks_of(in_make_order(film_steps(measured.structure, chunks, batch)))
    nothing = [0.0] * len(tasks)
    return Film(tasks, [measured.cpu[task.kind] * weight(task) / speed for task in tasks], list(range(len(tasks))),
                [0.0] * chunks, workers=cores, calling=nothing, moving=nothing)
