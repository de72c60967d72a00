#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What handing a file from one worker to the next costs the workers in CPU time: handover.py [EVENTS]

One worker of the local stack, whose store speaks TLS, publishes a chunk, and then waits for it as the next worker
would; so many times each. The CPU time of the tools is subtracted, and so is that of the same events without the
handover."""
import hashlib
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))  # with PYTHONSAFEPATH, Python does not do this
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
import stack    # noqa: E402


def cpu(processes):
    """The CPU seconds of processes, with their children that have ended."""
    ticks = 0
    for process in processes:
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Worker:
    def __init__(self, local, chunk):
        self.stack = local
        self.digest = hashlib.sha256(chunk).hexdigest()
        local.curl("PUT", f"data/{self.digest}", chunk)
        lines = (local.programs / "tools.sha256").read_text().splitlines()
        self.tools = dict(reversed(line.split()) for line in lines)

    def step(self, tool, inputs, output, *arguments):
        return {"tool": tool, "digest": self.tools[tool], "arguments": list(arguments), "inputs": inputs,
                "outputs": [output]}

    def task(self, inputs, steps, outputs=(), publish=()):
        return {"inputs": inputs, "steps": steps, "outputs": list(outputs), "publish": list(publish)}

    def cost(self, task, count):
        """CPU seconds of one event with this task, without its tools."""
        event = json.dumps({"bucket": stack.BUCKET, "run": "today", "task": task}).encode()
        port = self.stack.worker_ports[0][0]
        self.stack.invoke(event, port)  # the first one may find that there is no connection yet
        before, tools = cpu(self.stack.bootstraps()), 0.0
        for _ in range(count):
            answer = json.loads(self.stack.invoke(event, port)[1])
            tools += sum(step["cpu"] for step in answer["steps"])
        return (cpu(self.stack.bootstraps()) - before - tools) / count


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    chunk = harness.film(width=128, height=96, frames=6).read_bytes()
    with tempfile.TemporaryDirectory() as directory, stack.Stack(directory, 1) as local:
        worker = Worker(local, chunk)
        inputs = {"a.y4m": worker.digest}
        encode = worker.step("xc-vpxenc", ["a.y4m"], "b.ivf", "-o", "b.ivf", "a.y4m")
        dump = worker.step("xc-dump", ["b.ivf"], "c.state", "b.ivf", "c.state")
        alone = worker.cost(worker.task(inputs, [encode]), count)
        giver = worker.task(inputs, [encode], publish=["b.ivf"])
        text = json.dumps(giver, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        gives = worker.cost(giver, count)
        taker = worker.task({"b.ivf": f"@{hashlib.sha256(text.encode()).hexdigest()}"}, [dump])
        takes = worker.cost(taker, count)
        idle = worker.cost(worker.task({}, [worker.step("xc-dump", [], "c.state", "--version")]), count)
    print(f"CPU ms of an event, without its tools: {1000 * idle:.1f} without files, {1000 * alone:.1f} with an input, "
          f"{1000 * gives:.1f} with an input and a published file, {1000 * takes:.1f} with a file that it waits for\n"
          f"CPU ms of a handover: {1000 * (gives - alone + takes - idle):.1f}")


if __name__ == "__main__":
    main()
