"""A segment of the film, and the run of make that encodes it."""
import collections
import os
import re
import subprocess
import time

from xcdriver import graph
from xcdriver.makefile import makefile
from xcdriver.processes import Failure, log_in_memory, started

# Rough shares of the CPU time. They only serve to show how much is done.
WEIGHTS = collections.defaultdict(lambda: 0.5, {"xc-vpxenc": 10, "xc-enc": 14, "xc-rebase": 2})


class Segment:
    """Some whole batches, or the last ones of the film. Knows their steps, and from these how much is done and which
    step failed."""

    def __init__(self, first, end, options):
        structure = graph.STRUCTURES[options.structure]
        self.first, self.end = first, end
        self.makefile = makefile(first, end - 1, options.batch, options.quality, options.structure)
        self.batches = [({graph.finished(chunk) for chunk in batch}, structure(batch, options.quality))
                        for batch in graph.batches(first, end - 1, options.batch)]
        self.weight = sum(WEIGHTS[step.argv[0]] for _, steps in self.batches for step in steps)

    def chunks_done(self, directory):
        """How many chunks are done from the beginning of the film, as a fraction. The intermediate files of a finished
        batch no longer exist, so all steps of such a batch count."""
        there = set(os.listdir(directory))
        done = sum(WEIGHTS[step.argv[0]] for finished, steps in self.batches for step in steps
                   if finished <= there or step.outputs[0] in there)
        return self.first + (self.end - self.first) * done / self.weight

    def explain(self, log):
        """Finds in the output of make the messages of each target that failed, after the command if make has shown it.
        Without such targets, returns the last lines."""
        files_of = {output: {*step.outputs, *step.inputs} for _, steps in self.batches for step in steps
                    for output in step.outputs}
        lines, found, begin = log.splitlines(), [], 0
        for number, line in enumerate(lines):
            match = re.fullmatch(r"make: \*\*\* \[[^]]*?([^ :\]]+)\] (.*)", line)
            if match:
                files = files_of.get(match[1])
                commands = [i for i in range(begin, number) if files and files <= set(lines[i].split())]
                if commands:
                    found.append("  " + lines[commands[-1]])
                    begin = commands[-1] + 1
                found += [*lines[begin:number], match[2]]
            if line.startswith("make: ***"):
                begin = number + 1
        return "\n".join(found or lines[-20:])


def make(work, segment, options, on_wait):
    """Encodes a segment. Calls on_wait() while make runs."""
    with open(work.path / "excamera.mk", "w", errors="surrogateescape") as out:
        out.writelines(segment.makefile)
    command = ["make", "-f", "excamera.mk", "-j", str(options.jobs), "--output-sync=target"]
    # If a make has started this driver, its flags must not reach this make. explain() expects messages in English.
    environment = {**os.environ, "MAKEFLAGS": "", "MAKELEVEL": "0", "LC_ALL": "C", "KEEP": "1" if options.keep else ""}
    with log_in_memory() as log:
        # Every process inherits the lock, and holds it until it ends, even if this process is killed.
        with started(command, cwd=work.path, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                     stderr=subprocess.STDOUT, pass_fds=[work.lock.fileno()]) as process:
            while process.poll() is None:
                time.sleep(0.2)
                on_wait()
        if process.returncode:
            log.seek(0)
            raise Failure(f"a step failed:\n{segment.explain(log.read())}")
