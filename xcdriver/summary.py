# SPDX-License-Identifier: BSD-2-Clause
"""The last line: what was made, and what it took."""
import json
import os

from xcdriver.processes import attempt


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
    if not quality or not quality.frames:
        return
    some = f" of {quality.frames} frames" if quality.frames != frames else ""
    yield f"SSIM {quality.ssim:.5f}{some}"
    yield f"PSNR {quality.psnr:.2f} dB{some}" if quality.psnr is not None else "no picture differs"


def summary(output, frames, seconds, paid, quality):
    """One line, in an order that programs may rely on: what is new comes last. paid: seconds on AWS Lambda."""
    text = f"{output}: {frames} frames, {output.stat().st_size} bytes, {seconds:.1f} s"
    if paid:
        text += f"; {paid:.1f} s of AWS Lambda to pay for"
    bitrate = kilobits_per_second(output)
    parts = [f"{cpu_seconds():.1f} s of CPU", *([f"{bitrate:.1f} kbit/s"] if bitrate else []),
             *quality_parts(quality, frames)]
    return f"{text}; {', '.join(parts)}"
