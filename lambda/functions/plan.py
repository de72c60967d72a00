# SPDX-License-Identifier: BSD-2-Clause
"""The graph of a batch in terms of functions: which files each call makes and needs."""
import functools
import typing

from . import graph

# Which function does the work of a command: those of vpxenc run two tools.
FUNCTIONS = {"xc-vpxenc": "vpxenc", "xc-terminate-chunk": "vpxenc", "xc-dump": "xcdec", "xc-enc": "reencode",
             "xc-rebase": "rebase", "--anchors": "anchors", "--follow": "follow"}


class Call(typing.NamedTuple):
    """A function's work on a chunk."""
    function: str
    chunk: int

    def __str__(self):
        return f"{self.function}-{graph.stem(self.chunk)}"


class Files(typing.NamedTuple):
    """What a call leaves in the bucket for others, and what it needs that others leave there."""
    made: frozenset
    needed: frozenset


def function_of(step):
    return next(FUNCTIONS[word] for word in (step.argv[1], step.argv[0]) if word in FUNCTIONS)


@functools.lru_cache(maxsize=4)
def calls(structure, first, last):
    """The calls for a batch, from chunk first to last, each with its files, in an order in which they can be made."""
    made, read = {}, {}
    for step in graph.STRUCTURES[structure](range(first, last + 1), 0):
        call = Call(function_of(step), graph.chunk_of(step.outputs[0]))
        made.setdefault(call, set()).update(step.outputs)
        read.setdefault(call, set()).update(name for name in step.inputs if not name.endswith(".y4m"))
    needed = {call: frozenset(read[call] - made[call]) for call in made}
    wanted = frozenset().union(*needed.values()) | {graph.finished(chunk) for chunk in range(first, last + 1)}
    return {call: Files(frozenset(made[call]) & wanted, needed[call]) for call in made}


def after(plan, call):
    """The calls that need something which this one makes."""
    return [other for other, files in plan.items() if files.needed & plan[call].made]
