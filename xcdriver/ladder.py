# SPDX-License-Identifier: BSD-2-Clause
"""--ladder: a film in several sizes, which one ffmpeg reads and scales. Each size is encoded as if it were the only
one, in a work directory of its own."""
import argparse
import copy
import re
import typing

from xcdriver import sound, trial
from xcdriver.processes import Failure
from xcdriver.target import Target, amount

MOST = 12  # sizes


class Step(typing.NamedTuple):
    """One size. If neither level nor bitrate is there, all have the same quality."""
    height: int
    level: int = None
    bitrate: int = None


def steps(text):
    """A type of argument: HEIGHT or HEIGHT:LEVEL or HEIGHT:BITRATE, several."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"([1-9]\d{0,4})(?::(?:([1-5]?\d|6[0-3])|(\d+(?:\.\d+)?[kMG])))?", part, re.ASCII)
        if not match:
            raise argparse.ArgumentTypeError(f"{part} is not a height, as in 1080,720:30,360:800k, where the numbers "
                                             "after the colons are a level or a bitrate")
        height, level, bitrate = match.groups()
        found.append(Step(int(height), int(level) if level else None, amount(bitrate) if bitrate else None))
    if len({step.height for step in found}) < len(found):
        raise argparse.ArgumentTypeError("has a height twice")
    if len(found) > MOST:
        raise argparse.ArgumentTypeError(f"has more than {MOST} heights")
    return found


def check(parser, options):
    """Refuses what does not go together."""
    if not options.ladder:
        return
    if options.scale:
        parser.error("--ladder and --scale exclude each other: both say how large pictures are")
    if options.decode == "there":
        parser.error("--ladder needs the raw pictures here, and --decode there makes them elsewhere")
    for name in ("size", "bitrate"):
        if getattr(options, name) is not None:
            parser.error(f"--{name} is for one size; say a bitrate for each, as in --ladder 720:2M,360:700k")
    if options.input == "-":
        parser.error("standard input: is encoded as it is; --ladder needs a film that ffmpeg reads")


def named(path, label):
    """holiday-720.webm, for holiday.webm and 720."""
    return path.with_name(f"{path.stem}-{label}{path.suffix}") if label else path


class Rung:
    """A size of the film: its options, its source, and what it is to come to. Its work is added later."""

    def __init__(self, options, step=None):
        """step: None for a film that has one size, its own."""
        self.options = options = copy.copy(options)
        self.ceiling = None  # or what keeps it below --max-bitrate
        self.step, self.label = step, str(step.height) if step else ""
        if step and step.level is not None:
            options.quality, options.target = step.level, None
        if step and step.bitrate:
            options.quality, options.target, options.bitrate = None, None, step.bitrate
        self.target = Target.of(options)
        own = named(options.output, self.label)
        self.directory = named(options.work, self.label) if options.work else own.with_name(f"{own.name}.work")
        if str(self.directory).startswith("-"):  # the tools would take it for an option
            self.directory = self.directory.absolute()
        if not options.segments:
            options.output = own

    @property
    def scaling(self):
        """Filters that make this size of the film's own."""
        return [f"scale=-1:{self.step.height}"] if self.step else []

    def open(self, source):
        """Makes this size's source of that of the film. Raises Failure if it would be larger."""
        self.source = source
        if not self.step:
            return
        if self.step.height > source.size[1]:
            raise Failure(f"{source.name}: has {source.size[1]} lines, fewer than --ladder {self.step.height}")
        self.source = copy.copy(source)
        self.source.edits = source.edits._replace(filters=(*source.edits.filters, *self.scaling))
        trial.settle_size(self.source)
        self.source.check_size()

    def take_tracks(self, first):
        """Has the tracks that are written to the directory of another size."""
        for mine, theirs in zip(sound.files(self.source, self.work), sound.files(self.source, first.work)):
            mine.unlink(missing_ok=True)
            mine.symlink_to(theirs.resolve())


def rungs(options):
    """All sizes of a film; one without --ladder."""
    return [Rung(options, step) for step in options.ladder] if options.ladder else [Rung(options)]


def open_all(found, source):
    if found[0].step:
        trial.settle_size(source)
    for rung in found:
        rung.open(source)
