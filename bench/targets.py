#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures how near films come to what --target, --size and --bitrate of ./excamera ask for, and what that takes.

usage: targets.py [--levels 22,36,48] [--metrics size,ssim,vmaf] [--structure anchored] [--runs 3] [--jobs 2]
                  [--json OUT] FILM...

Each film is encoded with -q, and measured by others: its size by the file system, SSIM and VMAF by ffmpeg, of all
frames. What came of that is then asked for as a target, so the film should get the same level again. The CPU time is
that of all processes of a run, as the kernel counts it. Runs with -q and with targets take turns, and of each the least
time counts, since other work on the machine only adds to it. The films must not change on their way into the encoder:
progressive, 4:2:0, 8 bits, BT.601 in limited range, such as Y4M.
"""
import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # with PYTHONSAFEPATH, Python does not do this
from xcdriver import vmaf  # noqa: E402
from xcdriver.graph import ANCHORED  # noqa: E402
from xcdriver.places import ROOT  # noqa: E402

ALLOWED = {"size": 0.03, "ssim": 0.002, "vmaf": 1., "psnr": 0.2}
MOST_CPU = 1.3
UNITS = {"size": ".2%", "ssim": ".5f", "vmaf": ".2f", "psnr": ".3f"}


def encode(film, output, *options):
    """Encodes a film, and returns the CPU seconds that it took."""
    with subprocess.Popen([ROOT / "excamera", film, "-o", output, "--quiet", "--restart", *options]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status) if hasattr(os, "waitstatus_to_exitcode") else status
    if process.returncode:
        sys.exit(f"{film}: excamera {' '.join(options)} has failed")
    return usage.ru_utime + usage.ru_stime


def measure(film, output, metric):
    """What a film has come to."""
    if metric == "size":
        return output.stat().st_size
    program, name, pattern = {"ssim": ("ffmpeg", "ssim", r"SSIM Y:([\d.]+)"),
                              "psnr": ("ffmpeg", "psnr", r"PSNR y:([\d.]+)"),
                              "vmaf": ("", "libvmaf=n_threads=2", r"VMAF score: ([\d.]+)")}[metric]
    graph = f"[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a][b]{name}"
    argv = [program or vmaf.ffmpeg(), "-nostdin", "-i", output, "-i", film, "-lavfi", graph, "-f", "null", "-"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    match = re.search(pattern, done.stdout.decode(errors="replace"))
    if not match:
        sys.exit(f"{film}: ffmpeg did not measure {metric}")
    return float(match[1])


def asked_for(metric, value):
    """The options that ask for what a film came to."""
    return ["--size", str(value)] if metric == "size" else ["--target", f"{metric}={value:.6g}"]


def miss(metric, wanted, came):
    return came / wanted - 1 if metric == "size" else came - wanted


def rows(film, level, options, directory):
    """Of each metric: the film, the level, what was wanted, by how much it was missed, and how many times the CPU time
    of -q that took."""
    plain = directory / "plain.webm"
    same = ["-j", str(options.jobs), "--structure", options.structure]
    encode(film, plain, "-q", str(level), *same)
    wanted = {metric: measure(film, plain, metric) for metric in options.metrics}
    least = dict.fromkeys([None, *wanted], math.inf)
    for _ in range(options.runs):
        least[None] = min(least[None], encode(film, plain, "-q", str(level), *same))
        for metric, value in wanted.items():
            output = directory / f"{metric}.webm"
            least[metric] = min(least[metric], encode(film, output, *asked_for(metric, value), *same))
    for metric, value in wanted.items():
        came = measure(film, directory / f"{metric}.webm", metric)
        yield {"film": film.stem, "level": level, "metric": metric, "wanted": value,
               "miss": miss(metric, value, came), "cpu": least[metric] / least[None], "seconds": least[None]}


def text_of(row):
    metric = row["metric"]
    is_near, is_cheap = abs(row["miss"]) <= ALLOWED[metric], row["cpu"] <= MOST_CPU
    return (f"{row['film']:12} {row['level']:3} {metric:5} {row['wanted']:>12.6g} {row['miss']:>+12{UNITS[metric]}} "
            f"{row['cpu']:7.2f}  {'' if is_near else 'far '}{'' if is_cheap else 'dear'}").rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("films", nargs="+", metavar="FILM", type=pathlib.Path)
    parser.add_argument("--levels", default="22,36,48")
    parser.add_argument("--metrics", default="size,ssim,vmaf")
    parser.add_argument("--structure", choices=ANCHORED, default="anchored")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", metavar="OUT", type=pathlib.Path, help="write all figures there")
    options = parser.parse_args()
    options.metrics = options.metrics.split(",")
    found = []
    print(f"{'film':12} {'-q':>3} {'':5} {'wanted':>12} {'miss':>12} {'CPU':>7}")
    with tempfile.TemporaryDirectory() as directory:
        for film in options.films:
            for level in map(int, options.levels.split(",")):
                for row in rows(film.resolve(), level, options, pathlib.Path(directory)):
                    found.append(row)
                    print(text_of(row), flush=True)
    for metric in options.metrics:
        some = [row for row in found if row["metric"] == metric]
        worst, most = max(some, key=lambda row: abs(row["miss"])), max(some, key=lambda row: row["cpu"])
        mean = math.fsum(row["cpu"] for row in some) / len(some)
        print(f"{metric}: the farthest {worst['miss']:+{UNITS[metric]}} ({worst['film']}, -q {worst['level']}); CPU "
              f"{mean:.2f} times that of -q, at most {most['cpu']:.2f} ({most['film']}, -q {most['level']})")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
