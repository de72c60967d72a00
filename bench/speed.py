#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures how fast the tools are and how much memory they need, and compares that with what docs/performance.md
promises.

  speed.py [--bin DIR] [--build DIR] [--out DIR] [--runs N] [FILM.y4m ...]

Each promise compares two commands on the same input. They run alternately, so that other work on the machine affects
both. Each pair of runs gives a ratio; the result is the median of the ratios. Whole processes are measured, by what the
kernel reports when they have ended. Films must be 1920x1080 and have at least 18 frames. Without a film, one is
generated. The first film is also what the films of cameras.py are made from. speed.json and speed.svg are written to
the directory of --out, which also keeps the encoded material for the next time."""
import argparse
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import typing

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # with PYTHONSAFEPATH, Python does not do this
import cameras  # noqa: E402
import speed_report as report  # noqa: E402
from promises import PROMISES, Figure  # noqa: E402
from xcdriver import y4m  # noqa: E402
from xcdriver.graph import vpxenc_options  # noqa: E402
from xcdriver.places import ROOT  # noqa: E402

QUALITY = 22
CHUNK = 6        # frames
DECODED = 48     # frames of the stream that is decoded; fewer if the film is shorter


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


def decoders(tools, stream):
    """Our decoder and each of the others, by name."""
    ours = tools("xc-decode", stream)
    return {
        "decode": (ours, ["vpxdec", "--threads=1", "--noblit", stream]),
        "ffmpeg": (ours, ["ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-i", stream,
                          "-f", "null", "-"]),
    }


def commands(tools, directory):
    """For each promise about a 1080p film: our command, and the one to compare it with."""
    long, chunk = directory / "long-0.ivf", directory / "2-0.ivf"
    return {
        **decoders(tools, long),
        "dump": (tools("xc-dump", long, directory / "long.state"), ["vpxdec", "--threads=1", "--noblit", long]),
        "rebase": (rebase(tools, directory), ["vpxdec", "--threads=1", "--noblit", chunk]),
        "threads": (rebase(tools, directory, "--threads", "2"), rebase(tools, directory, "--threads", "1")),
        "enc": (enc(tools, directory, 2, "2-1.ivf"), vpxenc(tools, directory / "2")),
        "memory": (rebase(tools, directory), None),
    }


# Measuring

def installed(promise, command):
    """Whether a command can be compared with; says so if not."""
    if command and not shutil.which(command[0]):
        print(f"skipped: {promise.what} against {promise.against}: {command[0]} is not installed")
        return False
    return True


def measure_film(tools, film, directory, runs, results):
    prepare(tools, film, directory)
    for key, (ours, theirs) in commands(tools, directory).items():
        if installed(PROMISES[key], theirs):
            print(f"measuring {film.stem}: {PROMISES[key].what}", flush=True)
            slow = key == "enc"
            results[key][film.stem] = compare(PROMISES[key], ours, theirs, max(1, runs // 3) if slow else runs)


def measure_cameras(tools, film, directory, runs, results):
    for command in ("ffmpeg", "vpxenc", "vpxdec"):
        if not shutil.which(command):
            print(f"skipped: decoding films of cameras: {command} is not installed")
            return
    directory.mkdir(exist_ok=True)
    cameras.make(measure, film, directory)
    for name, camera in cameras.CAMERAS.items():
        print(f"measuring xc-decode: {camera.what}", flush=True)
        for rate, label in zip(camera.rates, ("low rate", "high rate")):
            for decoder, pair in decoders(tools, cameras.coded(name, rate, directory)).items():
                key = f"{decoder} {name}"
                results[key][label] = compare(PROMISES[key], *pair, runs)


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
    films = options.films or [made(1920, 1080, DECODED)]
    for film in films:
        measure_film(tools, film, options.out / film.stem, options.runs, results)
    measure_cameras(tools, films[0], options.out / f"{films[0].stem}-cameras", options.runs, results)
    large = options.out / "made-2160"
    prepare(tools, made(3840, 2160, 3 * CHUNK), large, fast=True)
    results["memory-2160"][large.name] = compare(PROMISES["memory-2160"], rebase(tools, large), None, 1)
    results["start"][""] = compare(PROMISES["start"], tools("xc-rebase", "--version"), None, 3 * options.runs)

    report.print_table(results)
    if load > 0.5:
        print(f"\nThe machine was not idle (load {load:.1f}): elapsed times, as those of --threads 2, mean little.")
    (options.out / "speed.json").write_text(json.dumps(report.as_json(results, options.runs, load), indent=1) + "\n")
    (options.out / "speed.svg").write_text(report.as_svg(results))
    print(f"\n{options.out}/speed.json, {options.out}/speed.svg")


if __name__ == "__main__":
    main()
