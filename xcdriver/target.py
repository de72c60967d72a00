# SPDX-License-Identifier: BSD-2-Clause
"""What the user wants the film to come to: a quality, a size or a bitrate. A target is a cost that the film is to have,
which falls from level to level: its bytes, or how far it is from being perfect."""
import argparse
import re

from xcdriver import ivf

UNITS = {"": 1, "k": 10 ** 3, "M": 10 ** 6, "G": 10 ** 9}
PERFECT = {"ssim": 1, "vmaf": 100}
PEAK = 255 ** 2  # squared, as PSNR has it
MOST = {"ssim": 0.99999, "vmaf": 99.99, "psnr": 60}  # that can be asked for
# Bytes of WebM beside the frames of the video, as ffmpeg writes it: of a block, and of all else. A track has its own.
BLOCK, CONTAINER = 7, 400


def amount(text):
    """A type of argument: a number of bytes or bits, such as 700k, 50M or 1.5G."""
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)([kMG]?)", text, re.ASCII)
    value = round(float(match[1]) * UNITS[match[2]]) if match else 0
    if not 0 < value <= 10 ** 15:
        raise argparse.ArgumentTypeError(f"{text} is not a number such as 700k, 50M or 1.5G")
    return value


def quality(text):
    """A type of argument: a metric and its value."""
    metric, _, value = text.partition("=")
    if metric in MOST and re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value, re.ASCII):
        if 0 < float(value) <= MOST[metric]:
            return metric, float(value)
    raise argparse.ArgumentTypeError(f"{text} is not a quality such as ssim=0.98, psnr=40 or vmaf=95")


def loss_of(metric, value):
    """How far a quality is from perfect, so that the mean over all frames counts: of PSNR, the squared error."""
    return PEAK / 10 ** (value / 10) if metric == "psnr" else PERFECT[metric] - value


class Target:
    """metric: "ssim", "psnr", "vmaf", "size" or "bitrate"."""

    def __init__(self, metric, value):
        self.metric, self.value = metric, value

    @classmethod
    def of(cls, options):
        """What the options say; None if they ask for a level."""
        if options.target:
            return cls(*options.target)
        if options.size or options.bitrate:
            return cls("size", options.size) if options.size else cls("bitrate", options.bitrate)
        return None

    @property
    def is_quality(self):
        return self.metric in MOST

    @property
    def measured(self):
        """The metric that a comparison is made by (comparison.py)."""
        return "vmaf" if self.metric == "vmaf" else "ssim"

    @property
    def column(self):
        """Which of its figures of a frame is the loss."""
        return int(self.metric == "psnr")

    def __str__(self):
        return f"{self.metric}={self.value}"

    def file_size(self, seconds):
        return self.value if self.metric == "size" else self.value * seconds / 8

    def cost(self, frames, hidden, rate, tracks, is_container):
        """What all frames of the film are to cost; of bytes, those that they have in an IVF file. hidden: how many are
        coded in addition to those that are shown. tracks: bytes of those beside the video."""
        if self.is_quality:
            return loss_of(self.metric, self.value) * frames
        overhead = CONTAINER + (frames + hidden) * (BLOCK - ivf.FRAME_HEADER) if is_container else ivf.HEADER
        return max(1., self.file_size(frames / float(rate)) - tracks - overhead)

    def wanted(self):
        """In the units of the last line."""
        if self.is_quality:
            return f"{self.metric.upper()} {self.value:g}" + (" dB" if self.metric == "psnr" else "")
        return f"{self.value} bytes" if self.metric == "size" else f"{self.value / 1000:g} kbit/s"
