# SPDX-License-Identifier: BSD-2-Clause
"""What the command lines of ./excamera, gen_makefile.py and lambda/ have in common."""
import argparse
import signal
import subprocess
import sys
from fractions import Fraction

from xcdriver.layout import Layout
from xcdriver.places import TOOLS


def write_output(program, pieces):
    """Writes texts to standard output. If that fails, says so in one line and exits with status 1. A closed pipe ends
    the program silently, as is usual."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        # Paths may hold bytes that are no text. sys.stdout would fail once more when Python ends.
        with open(1, "w", errors="surrogateescape", closefd=False) as out:
            out.writelines(pieces)
    except OSError as error:
        sys.exit(f"{program}: standard output: {error.strerror}")


class Parser(argparse.ArgumentParser):
    """Prints its description as it stands, and checks that the help text could be written."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message):
        super().error("%s; try '%s --help'" % (message, self.prog))

    def print_help(self, file=None):
        write_output(self.prog, [self.format_help()])


class Version(argparse.Action):
    """The option --version. It prints the version of the tools."""

    def __init__(self, option_strings, dest):
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser, *_):
        try:
            text = subprocess.run([TOOLS / "xc-split", "--version"], stdout=subprocess.PIPE, text=True).stdout
        except OSError as error:
            sys.exit(f"{parser.prog}: {TOOLS}/xc-split: {error.strerror}")
        write_output(parser.prog, [f"{parser.prog} {text.split()[-1]}\n"])
        parser.exit()


def number(low, high):
    """A type of argument: a whole number from low to high."""
    def parse(text):
        if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {low} to {high}")
        return int(text)
    return parse


def chunk_list(text):
    """A type of argument: numbers of chunks, in ascending order."""
    words = text.split(",")
    if not all(word.isascii() and word.isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text} is not a list of chunks such as 0,6,13")
    chunks = list(map(int, words))
    for chunk, after in zip(chunks, chunks[1:]):
        if after <= chunk:
            raise argparse.ArgumentTypeError(f"{after} comes after {chunk}: list the chunks in ascending order, "
                                             "each once")
    return chunks


def layout_of(parser, options):
    """The layout that START, END, BATCH and --batch-starts stand for."""
    outside = [chunk for chunk in options.batch_starts if not options.start <= chunk <= options.end]
    if outside:
        parser.error(f"--batch-starts names chunk {outside[0]}, which is not from START ({options.start}) to END "
                     f"({options.end})")
    return Layout(options.batch, sorted({options.start, *options.batch_starts}))


def frame_rate(text):
    """A type of argument: a frame rate, as a number or a fraction."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = 0
    if not 0 < rate <= 1000 or rate.denominator > 1000000:
        raise argparse.ArgumentTypeError(f"{text} is not a frame rate such as 25, 29.97 or 30000/1001")
    return rate


def audio_choice(text):
    """A type of argument: which audio tracks are wanted."""
    if text in ("all", "none"):
        return text
    if not (text.isascii() and text.isdecimal()) or len(text) > 4:
        raise argparse.ArgumentTypeError(f"{text} is not all, none, or the number of an audio track")
    return int(text)
