# SPDX-License-Identifier: BSD-2-Clause
"""The last line: what was made, and what it took."""
import json
import os

from xcdriver.processes import attempt
from xcdriver.target import PERFECT


def kilobits_per_second(path):
    """The bitrate of a file as ffprobe has it, in which each track counts; None if ffprobe does not know."""
    found = attempt(["ffprobe", "-v", "error", "-show_entries", "format=bit_rate", "-of", "json", f"file:{path}"])
    try:
        return int(json.loads(found.output)["format"]["bit_rate"]) / 1000
    except (ValueError, KeyError, TypeError):
        return None


def cpu_seconds():
    """CPU time of this process, and of all that it has started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def quality_parts(quality, frames):
    """What was measured. An earlier run may have encoded the beginning without measuring it."""
    if quality.has("ssim"):
        measured = round(quality.total("ssim", 0))
        some = f" of {measured} frames" if measured != frames else ""
        yield f"SSIM {1 - quality.loss('ssim'):.5f}{some}"
        yield f"PSNR {quality.psnr:.2f} dB{some}" if quality.psnr is not None else "no picture differs"
    if quality.has("vmaf"):
        yield f"VMAF {100 - quality.loss('vmaf'):.2f} of {quality.total('vmaf', 0):.0f} frames"


def nearness(target, size, bitrate, quality):
    """How near the film came to its target."""
    if target.metric == "psnr":
        return f"{quality.psnr - target.value:+.2f} dB" if quality.psnr is not None else "no picture differs"
    if target.is_quality:
        value = PERFECT[target.metric] - quality.loss(target.metric)
        return f"{value - target.value:+.5f}" if target.metric == "ssim" else f"{value - target.value:+.2f}"
    value = size if target.metric == "size" else bitrate * 1000
    return f"{100 * (value / target.value - 1):+.1f} %"


def extent(output):
    """Of a file: its bytes, and its kilobits per second."""
    return output.stat().st_size, kilobits_per_second(output)


def summary(name, extent, frames, seconds, paid, quality, target, ceiling):
    """One line, in an order that programs may rely on: what is new comes last. name: of the output. extent: bytes and
    kilobits per second. paid: seconds on AWS Lambda."""
    size, bitrate = extent
    text = f"{name}: {frames} frames, {size} bytes, {seconds:.1f} s"
    if paid:
        text += f"; {paid:.1f} s of AWS Lambda to pay for"
    parts = [f"{cpu_seconds():.1f} s of CPU", *([f"{bitrate:.1f} kbit/s"] if bitrate else []),
             *quality_parts(quality, frames)]
    if target and (bitrate or target.metric != "bitrate"):
        parts.append(f"wanted {target.wanted()} ({nearness(target, size, bitrate, quality)})")
    if ceiling:
        parts.append(ceiling.told())
    return f"{text}; {', '.join(parts)}"
