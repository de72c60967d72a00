#!/usr/bin/env python3
"""Measures how fast the tools are and how much memory they take, against what we promise (docs/performance.md).

  speed.py [--bin DIR] [--build DIR] [--out DIR] [--runs N] [FILM.y4m ...]

Each promise compares two commands on the same input. They run in turn, A B A B, so that whatever else the machine does
meets both; each pair gives a ratio, and their median counts. Whole processes are measured, by what the kernel says
about them when they have ended. The films are to be of 1920x1080 and of 18 frames at least; without any, one is made.
Writes speed.json and speed.svg to the directory of --out, where it also keeps what it has encoded for the next time."""
import argparse
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

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT))
from gen_makefile import VPXENC_OPTIONS  # noqa: E402

QUALITY = 22
CHUNK = 6        # frames
DECODED = 48     # frames of the stream that is decoded, if the film has so many


class Promise(typing.NamedTuple):
    what: str
    against: str
    quantity: str     # of a Sample
    floor: float
    original: object  # what the first implementation of ExCamera scores, or None
    unit: str = ""    # of an absolute figure; a ratio has none


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
    peak: float  # MiB of resident memory; what this script itself takes, about 12, is the least that can be seen


def measure(argv):
    argv = [str(word) for word in argv]
    with open(os.devnull, "r+") as null:
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=null, stdout=null, stderr=subprocess.PIPE)
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"speed.py: {' '.join(argv)}\n{complaint.decode(errors='replace')}")
    return Sample(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


class Figure(typing.NamedTuple):
    """What came of a promise with one film."""
    value: float
    low: float
    high: float
    ours: list    # samples
    theirs: list


def compare(promise, ours, theirs, runs):
    """theirs: None for an absolute figure. The first round warms up."""
    samples = [(measure(ours), theirs and measure(theirs)) for _ in range(runs + 1)][1:]
    values = [getattr(a, promise.quantity) / (getattr(b, promise.quantity) if b else 1) for a, b in samples]
    return Figure(statistics.median(values), min(values), max(values), [a for a, _ in samples],
                  [b for _, b in samples if b])


# The material

class Tools:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def __call__(self, name, *words):
        return [self.directory.resolve() / name, *words]


def split(film, directory, chunks):
    """Cuts the first chunks out of a film, and a longer piece for decoding: N.y4m and long.y4m. Returns its size."""
    with open(film, "rb") as stream:
        header = stream.readline()
        words = {word[:1]: word[1:] for word in header.decode().split()[1:]}
        width, height = int(words["W"]), int(words["H"])
        size = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)
        outputs = [open(directory / f"{i}.y4m", "wb") for i in range(chunks)] + [open(directory / "long.y4m", "wb")]
        for output in outputs:
            output.write(header)
        for number in range(DECODED):
            frame = stream.readline() + stream.read(size)
            if len(frame) <= size:
                break
            outputs[-1].write(frame)
            if number < chunks * CHUNK:
                outputs[number // CHUNK].write(frame)
        for output in outputs:
            output.close()
    if number + 1 < chunks * CHUNK:
        sys.exit(f"speed.py: {film} has fewer than {chunks * CHUNK} frames")
    return width, height


def rebase(tools, directory, *options):
    return tools("xc-rebase", "-W", "-w", "0.75", "-i", "y4m", "-r", "-I", directory / "1-1.state",
                 "-p", directory / "2-1.ivf", "-S", directory / "1-0.state", "-o", directory / "2.ivf",
                 "-O", directory / "2-1.state", *options, directory / "2.y4m")


def enc(tools, directory, chunk, output):
    before = directory / f"{chunk - 1}-0.state"
    return tools("xc-enc", "-W", "-w", "0.75", "-i", "y4m", "-r", "-I", before, "-p", directory / f"{chunk}-0.ivf",
                 "-o", directory / output, "-O", directory / f"{chunk}-1.state", directory / f"{chunk}.y4m")


def vpxenc(tools, name, *options):
    return tools("xc-vpxenc", *VPXENC_OPTIONS.format(QUALITY).split(), *options, "-o", f"{name}-vpxenc.ivf",
                 f"{name}.y4m")


def prepare(tools, film, directory, fast=False):
    """All that the commands to be measured read: three chunks of the classic structure, and the long stream."""
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
    """For each promise about a 1080p film: our command, and theirs."""
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
    figures = figure.value, figure.low, figure.high, promise.floor
    value, low, high, floor = (f"{x * scale:.{digits}f}" for x in figures)
    return value, f"{low} to {high}", f"{floor} {unit}".strip(), "" if figure.value <= promise.floor else "MISSED"


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
    """Each figure as a bar, relative to what is promised: left of the line in the middle is well."""
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
            value, start, end = (x(v / promise.floor) for v in (figure.value, figure.low, figure.high))
            color = colors[films.index(film) % 4] if film else "#999"
            body.append(f'<rect x="{left}" y="{y + 2}" width="{value - left:.1f}" height="{line - 4}" '
                        f'fill="{color}"/>')
            body.append(f'<path d="M{start:.1f} {y + line / 2}H{end:.1f}" stroke="#222"/>')
            body.append(f'<text x="{max(end, x(1)) + 6:.1f}" y="{y + 13}">{as_text(figure, promise)[0]}</text>')
            y += line
        if promise.original:
            middle = y - line * len(figures) / 2
            body.append(f'<circle cx="{x(promise.original / promise.floor):.1f}" cy="{middle}" r="4" fill="none" '
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
                  f'<text x="{at + 17}" y="{y + 16}">the first implementation</text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 520 + right}" height="{y + 30}" '
        'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="20" font-size="14">Medians, and how far they spread, relative to what is promised (1)'
        '</text>',
        *grid, *body, *legend, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=ROOT / "bin", help="where the tools are")
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path, help="where make-film is")
    parser.add_argument("--out", default=ROOT / "build/bench", type=pathlib.Path)
    parser.add_argument("--runs", default=9, type=int, help="of each command, besides one to warm up (%(default)s)")
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
                print(f"skipped: {PROMISES[key].what} against {PROMISES[key].against}: there is no {theirs[0]}")
                continue
            print(f"measuring {film.stem}: {PROMISES[key].what}", flush=True)
            runs = options.runs if key != "enc" else max(1, options.runs // 3)  # which takes long
            results[key][film.stem] = compare(PROMISES[key], ours, theirs, runs)
    large = options.out / "made-2160"
    prepare(tools, made(3840, 2160, 3 * CHUNK), large, fast=True)
    results["memory-2160"][large.name] = compare(PROMISES["memory-2160"], rebase(tools, large), None, 1)
    results["start"][""] = compare(PROMISES["start"], tools("xc-rebase", "--version"), None, 3 * options.runs)

    print_table(results)
    if load > 0.5:
        print(f"\nThe machine was not idle (load {load:.1f}): elapsed times, as of --threads 2, tell little.")
    (options.out / "speed.json").write_text(json.dumps(as_json(results, options.runs, load), indent=1) + "\n")
    (options.out / "speed.svg").write_text(as_svg(results))
    print(f"\n{options.out}/speed.json, {options.out}/speed.svg")


if __name__ == "__main__":
    main()
