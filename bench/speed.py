#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures how fast the tools are and how much memory they need, and compares that with what docs/performance.md
promises.

  speed.py [--bin DIR] [--build DIR] [--out DIR] [--runs N] [FILM.y4m ...]

Each promise compares two commands on the same input. They run alternately, so that other work on the machine affects
both. Each pair of runs gives a ratio; the result is the median of the ratios. Whole processes are measured, by what the
kernel reports when they have ended. Films must be 1920x1080 and have at least 18 frames. Without a film, one is
generated. speed.json and speed.svg are written to the directory of --out, which also keeps the encoded material for the
next time."""
import argparse
import contextlib
import itertools
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time
import typing
from math import log2

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # with PYTHONSAFEPATH, Python does not do this
from xcdriver import y4m  # noqa: E402
from xcdriver.graph import vpxenc_options  # noqa: E402
from xcdriver.places import ROOT  # noqa: E402

QUALITY = 22
CHUNK = 6        # frames
DECODED = 48     # frames of the stream that is decoded; fewer if the film is shorter


class Promise(typing.NamedTuple):
    what: str
    against: str
    quantity: str     # a field of Sample
    limit: float      # what is promised: at most this
    original: object  # the figure of the original implementation of ExCamera, or None
    unit: str = ""    # of an absolute figure; empty for a ratio


PROMISES = {
    "decode": Promise("xc-decode, no output", "vpxdec --threads=1 --noblit", "cpu", 1.00, 2.7),
    "ffmpeg": Promise("xc-decode, no output", "ffmpeg -threads 1 -f null", "cpu", 1.00, 2.3),
    "dump": Promise("xc-dump", "vpxdec --threads=1 --noblit", "cpu", 1.15, 2.7),
    "rebase": Promise("xc-rebase", "vpxdec, the same six frames", "cpu", 4.0, 10.4),
    "threads": Promise("xc-rebase --threads 2", "xc-rebase --threads 1", "wall", 0.60, None),
    "enc": Promise("xc-enc -r", "xc-vpxenc", "cpu", 1.3, 0.6),
    "memory": Promise("xc-rebase, 1080p, peak memory", "", "peak", 64, 292, "MiB"),
    "memory-2160": Promise("xc-rebase, 2160p, peak memory", "", "peak", 200, None, "MiB"),
    "start": Promise("xc-rebase --version, start to exit", "", "wall", 0.002, None, "s"),
}


# Running commands

class Sample(typing.NamedTuple):
    cpu: float   # seconds, user and system
    wall: float  # seconds
    peak: float  # MiB of resident memory; at least about 12, which this script itself had when it forked


def measure(argv):
    """Runs a command that must succeed. Returns a Sample."""
    argv = [str(word) for word in argv]
    with open(os.devnull, "r+") as null:
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=null, stdout=null, stderr=subprocess.PIPE)
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    if process.returncode:
        sys.exit(f"speed.py: {' '.join(argv)}\n{complaint.decode(errors='replace')}")
    return Sample(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


class Figure(typing.NamedTuple):
    """The result of a promise with one film."""
    value: float
    low: float
    high: float
    ours: list    # samples
    theirs: list


def compare(promise, ours, theirs, runs):
    """Measures both commands `runs` times, after one run to warm up. `theirs` is None for an absolute figure."""
    samples = [(measure(ours), theirs and measure(theirs)) for _ in range(runs + 1)][1:]
    values = [getattr(a, promise.quantity) / (getattr(b, promise.quantity) if b else 1) for a, b in samples]
    return Figure(statistics.median(values), min(values), max(values), [a for a, _ in samples],
                  [b for _, b in samples if b])


# The material

class Tools:
    """Makes commands of the tools in a directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def __call__(self, name, *words):
        return [self.directory.resolve() / name, *words]


def split(film, directory, chunks):
    """Writes the first chunks of a film to N.y4m, and a longer piece, for decoding, to long.y4m. Holds one frame at a
    time: the memory of this process is the least that measure() reports."""
    names, count = [*(f"{i}.y4m" for i in range(chunks)), "long.y4m"], 0
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(open(film, "rb"))
        *pieces, long = [stack.enter_context(open(directory / name, "wb")) for name in names]
        try:
            header = y4m.read_header(stream)
        except ValueError as error:
            sys.exit(f"speed.py: {film}: {error}")
        for output in (*pieces, long):
            output.write(header.line)
        for frame in itertools.islice(y4m.read_frames(stream, header), DECODED):
            long.write(frame)
            if count < chunks * CHUNK:
                pieces[count // CHUNK].write(frame)
            count += 1
    if count < chunks * CHUNK:
        sys.exit(f"speed.py: {film}: has fewer than {chunks * CHUNK} frames")


def rebase(tools, directory, *options):
    return tools("xc-rebase", "-W", "-w", "0.75", "-i", "y4m", "-r", "-I", directory / "1-1.state",
                 "-p", directory / "2-1.ivf", "-S", directory / "1-0.state", "-o", directory / "2.ivf",
                 "-O", directory / "2-1.state", *options, directory / "2.y4m")


def enc(tools, directory, chunk, output):
    before = directory / f"{chunk - 1}-0.state"
    return tools("xc-enc", "-W", "-w", "0.75", "-i", "y4m", "-r", "-I", before, "-p", directory / f"{chunk}-0.ivf",
                 "-o", directory / output, "-O", directory / f"{chunk}-1.state", directory / f"{chunk}.y4m")


def vpxenc(tools, name, *options):
    return tools("xc-vpxenc", *vpxenc_options(QUALITY), *options, "-o", f"{name}-vpxenc.ivf",
                 f"{name}.y4m")


def prepare(tools, film, directory, fast=False):
    """Makes all files that the measured commands read: three chunks in the classic structure, and the long stream."""
    if (directory / "2.ivf").exists():
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    split(film, directory, 3)
    options = ["--cpu-used=5", "--passes=1"] if fast else []
    for name in ("0", "1", "2") if fast else ("0", "1", "2", "long"):
        print(f"encoding {directory.name}/{name}.y4m", flush=True)
        measure(vpxenc(tools, directory / name, *options))
        measure(tools("xc-terminate-chunk", directory / f"{name}-vpxenc.ivf", directory / f"{name}-0.ivf"))
    for name in ("0", "1"):
        measure(tools("xc-dump", directory / f"{name}-0.ivf", directory / f"{name}-0.state"))
    measure(enc(tools, directory, 1, "1.ivf"))
    measure(enc(tools, directory, 2, "2-1.ivf"))
    measure(rebase(tools, directory))


def commands(tools, directory):
    """For each promise about a 1080p film: our command, and the one to compare it with."""
    long, chunk = directory / "long-0.ivf", directory / "2-0.ivf"
    return {
        "decode": (tools("xc-decode", long), ["vpxdec", "--threads=1", "--noblit", long]),
        "ffmpeg": (tools("xc-decode", long), ["ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-i", long,
                                              "-f", "null", "-"]),
        "dump": (tools("xc-dump", long, directory / "long.state"), ["vpxdec", "--threads=1", "--noblit", long]),
        "rebase": (rebase(tools, directory), ["vpxdec", "--threads=1", "--noblit", chunk]),
        "threads": (rebase(tools, directory, "--threads", "2"), rebase(tools, directory, "--threads", "1")),
        "enc": (enc(tools, directory, 2, "2-1.ivf"), vpxenc(tools, directory / "2")),
        "memory": (rebase(tools, directory), None),
    }


# The report

def as_text(figure, promise):
    scale, unit = (1000, "ms") if promise.unit == "s" else (1, promise.unit)
    digits = 0 if promise.unit == "MiB" else 2
    figures = figure.value, figure.low, figure.high, promise.limit
    value, low, high, limit = (f"{x * scale:.{digits}f}" for x in figures)
    return value, f"{low} to {high}", f"{limit} {unit}".strip(), "" if figure.value <= promise.limit else "MISSED"


def print_table(results):
    rows = [("what", "against", "film", "median", "spread", "at most", "")]
    for key, figures in results.items():
        promise = PROMISES[key]
        rows += [(promise.what, promise.against, film, *as_text(figure, promise)) for film, figure in figures.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def as_json(results, runs, load):
    return {
        "machine": {"processor": platform.processor() or platform.machine(), "cpus": os.cpu_count(), "load": load},
        "runs": runs,
        "results": [
            {**PROMISES[key]._asdict(), "key": key, "film": film,
             "median": figure.value, "low": figure.low, "high": figure.high,
             "samples": [[sample._asdict() for sample in side] for side in (figure.ours, figure.theirs)]}
            for key, figures in results.items() for film, figure in figures.items()],
    }


def as_svg(results):
    """Draws each figure as a bar, relative to what is promised. A bar that ends left of the red line keeps the
    promise."""
    left, right, line, top, low, high = 330, 80, 18, 52, 1 / 8, 8
    colors = ("#3b6ea5", "#8fb4d9", "#5f8f5f", "#a8cfa8")

    def x(relative):
        return left + (log2(min(max(relative, low), high)) - log2(low)) * 520 / (log2(high) - log2(low))

    films = [film for film in dict.fromkeys(film for figures in results.values() for film in figures) if film]
    body, y = [], top
    for key, figures in results.items():
        promise = PROMISES[key]
        label = promise.what + (f" / {promise.against}" if promise.against else "")
        body.append(f'<text x="{left - 10}" y="{y + 13}" text-anchor="end">{label}</text>')
        for film, figure in figures.items():
            value, start, end = (x(v / promise.limit) for v in (figure.value, figure.low, figure.high))
            color = colors[films.index(film) % 4] if film else "#999"
            body.append(f'<rect x="{left}" y="{y + 2}" width="{value - left:.1f}" height="{line - 4}" '
                        f'fill="{color}"/>')
            body.append(f'<path d="M{start:.1f} {y + line / 2}H{end:.1f}" stroke="#222"/>')
            body.append(f'<text x="{max(end, x(1)) + 6:.1f}" y="{y + 13}">{as_text(figure, promise)[0]}</text>')
            y += line
        if promise.original:
            middle = y - line * len(figures) / 2
            body.append(f'<circle cx="{x(promise.original / promise.limit):.1f}" cy="{middle}" r="4" fill="none" '
                        'stroke="#b03030" stroke-width="2"/>')
        y += 10
    grid = []
    for relative in (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8):
        strong = relative == 1
        name = f"{relative:g}" if relative >= 1 else f"1/{1 / relative:g}"
        grid.append(f'<path d="M{x(relative):.1f} {top - 4}V{y}" stroke="{"#b03030" if strong else "#ddd"}"/>')
        grid.append(f'<text x="{x(relative):.1f}" y="{top - 10}" text-anchor="middle" fill="#666">{name}</text>')
    legend, at = [], left
    for film in films:
        legend.append(f'<rect x="{at}" y="{y + 6}" width="12" height="12" fill="{colors[films.index(film) % 4]}"/>'
                      f'<text x="{at + 17}" y="{y + 16}">{film}</text>')
        at += 40 + 7 * len(film)
    legend.append(f'<circle cx="{at + 6}" cy="{y + 12}" r="4" fill="none" stroke="#b03030" stroke-width="2"/>'
                  f'<text x="{at + 17}" y="{y + 16}">the original implementation</text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 520 + right}" height="{y + 30}" '
        'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="20" font-size="14">Medians and ranges, relative to what is promised (1)'
        '</text>',
        *grid, *body, *legend, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=ROOT / "bin", help="directory of the tools")
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path, help="directory of make-film")
    parser.add_argument("--out", default=ROOT / "build/bench", type=pathlib.Path, help="directory for the results")
    parser.add_argument("--runs", default=9, type=int, help="runs of each command, after one to warm up (%(default)s)")
    parser.add_argument("films", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    tools, load = Tools(options.bin), os.getloadavg()[0]
    options.out.mkdir(parents=True, exist_ok=True)

    def made(width, height, frames):
        film = options.out / f"made-{height}.y4m"
        if not film.exists():
            measure([options.build / "make-film", "--width", width, "--height", height, "--frames", frames, film])
        return film

    results = {key: {} for key in PROMISES}
    for film in options.films or [made(1920, 1080, DECODED)]:
        directory = options.out / film.stem
        prepare(tools, film, directory)
        for key, (ours, theirs) in commands(tools, directory).items():
            if theirs and not shutil.which(theirs[0]):
                print(f"skipped: {PROMISES[key].what} against {PROMISES[key].against}: {theirs[0]} is not installed")
                continue
            print(f"measuring {film.stem}: {PROMISES[key].what}", flush=True)
            runs = options.runs if key != "enc" else max(1, options.runs // 3)  # xc-enc takes long
            results[key][film.stem] = compare(PROMISES[key], ours, theirs, runs)
    large = options.out / "made-2160"
    prepare(tools, made(3840, 2160, 3 * CHUNK), large, fast=True)
    results["memory-2160"][large.name] = compare(PROMISES["memory-2160"], rebase(tools, large), None, 1)
    results["start"][""] = compare(PROMISES["start"], tools("xc-rebase", "--version"), None, 3 * options.runs)

    print_table(results)
    if load > 0.5:
        print(f"\nThe machine was not idle (load {load:.1f}): elapsed times, as those of --threads 2, mean little.")
    (options.out / "speed.json").write_text(json.dumps(as_json(results, options.runs, load), indent=1) + "\n")
    (options.out / "speed.svg").write_text(as_svg(results))
    print(f"\n{options.out}/speed.json, {options.out}/speed.svg")


if __name__ == "__main__":
    main()
