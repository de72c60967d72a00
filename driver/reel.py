"""A part of the film, and make at work on it."""
import collections
import os
import re
import subprocess
import time

import gen_makefile
from driver.processes import Failure, log_in_memory, started

# Rough shares of the CPU time, only for showing how far the work has come.
WEIGHTS = collections.defaultdict(lambda: 0.5, {"xc-vpxenc": 10, "xc-enc": 14, "xc-rebase": 2})


class Reel:
    """Some whole batches, or what the film has instead: the steps of a makefile, to find out how far it has come and
    which of them failed."""

    def __init__(self, first, end, options):
        structure = gen_makefile.STRUCTURES[options.structure]
        self.first, self.end = first, end
        self.makefile = gen_makefile.makefile(first, end - 1, options.batch, options.quality, options.structure)
        self.batches = [({gen_makefile.finished(chunk) for chunk in batch}, structure(batch, options.quality))
                        for batch in gen_makefile.batches(first, end - 1, options.batch)]
        self.weight = sum(WEIGHTS[step.argv[0]] for _, steps in self.batches for step in steps)

    def chunks_done(self, directory):
        """Of the film. A finished batch no longer has its intermediate files."""
        there = set(os.listdir(directory))
        done = sum(WEIGHTS[step.argv[0]] for finished, steps in self.batches for step in steps
                   if finished <= there or step.outputs[0] in there)
        return self.first + (self.end - self.first) * done / self.weight

    def explain(self, log):
        """From what make printed, the messages of each target that failed, behind its command if make has shown that;
        or else the last words."""
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


def make(work, reel, options, on_wait):
    """Has make do it."""
    with open(work.path / "excamera.mk", "w") as out:
        out.writelines(reel.makefile)
    command = ["make", "-f", "excamera.mk", "-j", str(options.jobs), "--output-sync=target"]
    # Only what this driver says counts, not the flags of a make that runs it; and make speaks as explain() expects.
    environment = {**os.environ, "MAKEFLAGS": "", "MAKELEVEL": "0", "LC_ALL": "C", "KEEP": "1" if options.keep else ""}
    with log_in_memory() as log:
        # Those who inherit the lock keep it until the last of them has ended, even if this process is killed.
        with started(command, cwd=work.path, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                     stderr=subprocess.STDOUT, pass_fds=[work.lock.fileno()]) as process:
            while process.poll() is None:
                time.sleep(0.2)
                on_wait()
        if process.returncode:
            log.seek(0)
            raise Failure(f"a step failed:\n{reel.explain(log.read())}")
