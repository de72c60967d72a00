# SPDX-License-Identifier: BSD-2-Clause
"""A segment of the film, and the run of make that encodes it."""
import collections
import contextlib
import functools
import os
import re
import subprocess

from xcdriver import engine, files, graph, sources
from xcdriver.makefile import makefile
from xcdriver.processes import Failure, ending, log_in_memory, reason, started

# Rough shares of the CPU time. They only serve to show how much is done.
WEIGHTS = collections.defaultdict(lambda: 0.5, {"xc-vpxenc": 10, "xc-enc": 14, "xc-rebase": 2})

MESSAGE = re.compile(r"[a-z][\w-]*: .")  # what programs print when they fail, "xc-enc: 00000003.y4m: ..."


class Segment:
    """A part of the film, mostly some whole batches. Knows their steps, and from these how much is done and which step
    failed. Batches that are finished in the directory are left out: their raw pictures may have been split off again,
    and make would take what was made of them for outdated."""

    def __init__(self, first, end, options, steering, work, source):
        """steering: the level of each chunk, and how many chunks the film has; if that is known, the segment may begin
        and end within a batch, of which only its own chunks are made, and intermediate files stay until clean() is
        called. source: has the steps that make the raw pictures."""
        layout, quality = work.layout, steering.levels
        self.first, self.end, self.start = first, end, layout.batch(first).start
        stop = max(end, min(steering.chunks or end, layout.batch(end - 1).stop))
        batches = layout.batches(stop, self.start)
        there = set(os.listdir(work.path))
        self.unfinished = [batch for batch in batches if not set(map(graph.finished, batch)) <= there]
        self.makefile = self.unfinished and makefile(self.unfinished, layout, quality, options.structure, source)
        self.goals = [graph.finished(chunk) for chunk in range(first, end)] if steering.chunks else []
        steps_of = functools.partial(sources.all_steps, source, graph.STRUCTURES, options.structure, quality=quality)
        self.batches = [({graph.finished(chunk) for chunk in batch if chunk < end},
                         [step for step in steps_of(batch) if graph.chunk_of(step.outputs[0]) < end])
                        for batch in batches]
        self.weight = sum(WEIGHTS[step.argv[0]] for _, steps in self.batches for step in steps)

    def remove(self, directory):
        """Removes what was made of the segment's own chunks. Nothing else may have been made of that."""
        for chunk in range(self.first, self.end):
            for path in directory.glob(f"{graph.stem(chunk)}*"):
                if path.name not in (graph.raw(chunk), *graph.extracts(chunk)):
                    path.unlink()

    def clean(self, directory):
        """Removes the intermediate files of the batches that the segment has finished."""
        for finished, steps in self.batches if self.goals else []:
            if all((directory / name).exists() for name in finished):
                for name in {name for step in steps for name in step.outputs} - finished:
                    (directory / name).unlink(missing_ok=True)

    def chunks_done(self, directory):
        """How many chunks are done from the beginning of the film, as a fraction. The intermediate files of a finished
        batch no longer exist, so all steps of such a batch count."""
        there = set(os.listdir(directory))
        done = sum(WEIGHTS[step.argv[0]] for finished, steps in self.batches for step in steps
                   if finished <= there or step.outputs[0] in there)
        return self.start + (self.end - self.start) * done / self.weight


def explain(log):
    """The reason why make failed, from its output: the message of the first target that failed, or what make says of
    that target, or its last line."""
    lines = [line for line in log.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        match = re.fullmatch(r"make: \*\*\* \[[^]]*?([^ :\]]+)\] (.*)", line)
        if match:
            said = lines[number - 1] if number else ""
            return said if MESSAGE.match(said) else f"{match[1]}: could not be made: {match[2]}"
    return reason(log)


def make(work, segment, options, on_wait, on_message, variables=()):
    """Encodes a segment. While make runs, calls on_wait(), and on_message(line) with what the engine says. variables:
    of make, as it takes them."""
    with open(work.path / "excamera.mk", "w", errors="surrogateescape") as out:
        out.writelines(segment.makefile)
    files.sync(work.path / "excamera.mk")  # by this file a later run knows that there is something to go on with
    files.sync(work.path)
    command = ["make", "-f", "excamera.mk", "-j", str(options.jobs), "--output-sync=target", *variables,
               *(["TIMINGS=timings.tsv"] if options.keep else []), *segment.goals]  # for excamera report
    # explain() expects messages in English.
    environment = {**os.environ, "LC_ALL": "C", "KEEP": "1" if options.keep else ""}
    with log_in_memory() as log:
        messages = engine.Messages(log, on_message)
        with started(command, cwd=work.path, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                     stderr=subprocess.STDOUT, pass_fds=[work.lock.fileno()]) as process:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
                on_wait()
                messages.pass_on()
            messages.pass_on()
        if process.returncode:
            log.seek(0)
            raise Failure(explain(log.read()) or ending("make", process.returncode))
