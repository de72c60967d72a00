#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures in the ExCamera authors' logs how far the times of single steps lie from their medians. This is where
latency-model.py has those constants from that are not in paper-timings.json.

  paper-spread.py EXCAMERA-RESULTS/runs/xc-enc_14e88

The directory is from github.com/excamera/excamera-results. It has a log for each run of a quarter of the film. A log
has a line for each worker, which says when it entered which state. The time when a run was finished is not used.
Needs Python 3.10."""
import ast
import collections
import math
import pathlib
import re
import statistics
import sys
import typing

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # with PYTHONSAFEPATH, Python does not do this
from xcdriver import need_python  # noqa: E402

BATCHES = (1, 2, 4, 8, 16)
STEPS = ("vpxenc", "dump", "enc", "rebase")
LAGS = (1, 2, 4, 8, 16, 32, 64)  # chunks
SLOW = 2  # a worker is slow if its vpxenc takes more than twice the usual time; almost none is between 1.7 and 2.1


class Run(typing.NamedTuple):
    batch: int
    offset: int    # the number of its first chunk in the film, so it identifies the quarter
    quality: int
    workers: dict  # per chunk: the seconds of its steps, by name
    ranks: dict    # per chunk: how many workers were launched before its worker


def visits(events, state):
    return [(begin, events[i + 1][0]) for i, (begin, name) in enumerate(events) if name == state]


def steps(events, before):
    """How long a worker's steps took. Time in which it waited for the chunk before, whose events are `before`, does not
    count."""
    runs, dumps = visits(events, "XCEncRunState"), visits(events, "XCEncDumpState")
    seconds = {"vpxenc": runs[0][1] - runs[0][0]}
    if dumps:
        seconds["dump"] = dumps[0][1] - dumps[0][0]
    if len(runs) > 1 and before:
        seconds["enc"] = runs[1][1] - max(runs[1][0], visits(before, "XCEncDumpState")[0][1])
    if len(runs) > 2 and before:
        seconds["rebase"] = runs[2][1] - max(runs[2][0], visits(before, "XCEncRunState")[-1][1])
    return seconds


def read_run(path, batch):
    offset, quality = map(int, re.search(r"_o(\d+)_y(\d+)_", path.name).groups())
    events = {}
    for line in path.read_text().splitlines():
        chunk, _, text = line.partition(":")
        if text:
            events[int(chunk)] = ast.literal_eval(text)
    launched = sorted(events, key=lambda chunk: events[chunk][0][0])
    return Run(batch, offset, quality, {chunk: steps(events[chunk], events.get(chunk - 1) if chunk % batch else None)
                                        for chunk in events}, {chunk: rank for rank, chunk in enumerate(launched)})


def medians(runs):
    """The usual time of each step: the median over the runs with the same pictures and quality."""
    times = collections.defaultdict(list)
    for run in runs:
        for chunk, seconds in run.workers.items():
            for step, value in seconds.items():
                times[step, run.quality, run.offset + chunk].append(value)
    return {key: statistics.median(values) for key, values in times.items()}


def content(usual):
    """The standard deviation of the logarithm of vpxenc's usual time, and its autocorrelation at each distance in
    LAGS."""
    logs = {key[1:]: math.log(value) for key, value in usual.items() if key[0] == "vpxenc"}
    pairs = {lag: [(value, logs[quality, chunk + lag]) for (quality, chunk), value in logs.items()
                   if (quality, chunk + lag) in logs] for lag in LAGS}
    return statistics.stdev(logs.values()), {lag: statistics.correlation(*zip(*both)) for lag, both in pairs.items()}


def damping(usual, step):
    """The slope of the logarithm of a step's time against that of vpxenc's time."""
    xs, ys = [], []
    for (name, *where), value in usual.items():
        if name == step and value > 0:
            xs.append(math.log(usual[("vpxenc", *where)]))
            ys.append(math.log(value))
    return statistics.linear_regression(xs, ys).slope if xs else math.nan


def slow_workers(run, usual):
    return {chunk for chunk, seconds in run.workers.items()
            if seconds["vpxenc"] > SLOW * usual["vpxenc", run.quality, run.offset + chunk]}


def quartiles(values):
    return "-" if len(values) < 2 else " ".join(f"{value:.2f}" for value in statistics.quantiles(values, n=4))


def measure(batch, runs, pooled):
    """Prints the figures of one configuration. Adds to `pooled` the values that are evaluated over all of them."""
    usual = medians(runs)
    deviation, correlation = content(usual)
    for lag, value in correlation.items():
        pooled["correlation", lag].append(value)
    powers = [damping(usual, step) for step in ("enc", "rebase")]
    pooled["power"] += [power for power in powers if not math.isnan(power)]
    counts, ranks = collections.defaultdict(list), []
    for run in runs:
        slow = slow_workers(run, usual)
        counts[run.offset].append(len(slow))
        for chunk in slow:
            ranks.append(run.ranks[chunk] / len(run.workers))
            for step, value in run.workers[chunk].items():
                pooled["times", step].append(value / usual[step, run.quality, run.offset + chunk])
        pooled["after"] += [run.workers[chunk + 1]["enc"] for chunk in slow
                            if "enc" in run.workers.get(chunk + 1, {}) and chunk + 1 not in slow]
    print(f"[6,{batch}]: content {deviation:.3f}; its power in enc {powers[0]:.2f}, in rebase {powers[1]:.2f}")
    print("  slow workers in each run: " + "; ".join(
        f"quarter at {offset} {' '.join(map(str, values))}" for offset, values in sorted(counts.items())))
    print(f"  their ranks in the order of launches, quartiles: {quartiles(ranks)}")


def main():
    need_python(3, 10)
    if len(sys.argv) != 2:
        sys.exit("usage: paper-spread.py EXCAMERA-RESULTS/runs/xc-enc_14e88")
    pooled = collections.defaultdict(list)
    for batch in BATCHES:
        paths = sorted(pathlib.Path(sys.argv[1]).glob(f"sintel-s06_k{batch:02d}-logs/*.log"))
        if not paths:
            sys.exit(f"paper-spread.py: {sys.argv[1]}: has no logs of [6,{batch}]")
        measure(batch, [read_run(path, batch) for path in paths], pooled)
    fit = statistics.linear_regression(LAGS, [math.log(statistics.mean(pooled["correlation", lag])) for lag in LAGS])
    print(f"correlation of content: {math.exp(fit.intercept):.2f} exp(-distance / {-1 / fit.slope:.0f} chunks)")
    print(f"power, median: {statistics.median(pooled['power']):.2f}")
    for step in STEPS:
        print(f"times as long, quartiles: {step} {quartiles(pooled['times', step])}")
    print(f"enc after a slow worker, seconds, quartiles: {quartiles(pooled['after'])}")


if __name__ == "__main__":
    main()
