# SPDX-License-Identifier: BSD-2-Clause
"""Writes a page that shows what is in a film and how it was made.

INPUT is the work directory of a run with --keep, or any directory in which make
has made chunks, or a film: .webm, .mkv or .ivf. A film alone tells its frames,
their bits and quantizers. A directory with the raw pictures tells the SSIM of
each picture, too. With timings.tsv, it tells what every step took, what it
waited for, and what the run waited for in the end.

The page is one file. A browser shows it, without a network.
"""
import os
import pathlib
import sys
import tempfile

from xcdriver import files
from xcdriver.arguments import Parser, number
from xcdriver.film import find_tools
from xcdriver.processes import Failure, prepare_environment
from xcdriver.report import cost, page, steps, stream
from xcdriver.report.directory import Directory


EXAMPLES = """Examples:
  excamera report holiday.webm.work -o report.html
  excamera report holiday.webm -o report.html"""


def parse_arguments(argv):
    parser = Parser(prog="excamera report", usage="excamera report [OPTION]... INPUT -o FILE.html", description=__doc__,
                    epilog=EXAMPLES)
    parser.add_argument("input", metavar="INPUT", type=pathlib.Path, help="the directory, or the film")
    parser.add_argument("-o", "--output", metavar="FILE.html", required=True, type=pathlib.Path,
                        help="the page; an existing file is replaced")
    parser.add_argument("--no-ssim", action="store_true",
                        help="do not compare the pictures of a directory, which takes the longest")
    parser.add_argument("--memory", metavar="MB", type=number(128, 10240), default=1769,
                        help="what the function had, for the cost of a run on AWS Lambda; default: %(default)s")
    parser.add_argument("--arch", choices=("x86_64", "arm64"), default="x86_64",
                        help="what it ran on; default: %(default)s")
    return parser.parse_args(argv)


def about_directory(options, scratch):
    """What there is to tell about a directory with chunks."""
    directory = Directory(options.input)
    film = directory.merge(scratch)
    found = {"film": stream.film(film, options.input), "frames": stream.frames(film), **directory.layout(),
             "steps": None, "notes": directory.notes}
    if not options.no_ssim:
        found["frames"]["ssim"] = directory.ssim(film)
    if directory.rows:
        found["steps"] = steps.analyse(directory.rows, directory.graph())
        found["cost"] = cost.lines(directory.rows, directory.timings_path, options)
    return found


def about_film(options, scratch):
    """What a film says by itself."""
    film, rate = stream.video_of(options.input, scratch)
    return {"film": stream.film(film, options.input, rate), "frames": stream.frames(film), "chunks": None,
            "steps": None, "notes": [
                "A film alone does not tell where its chunks begin, how it was made, or how good it is: a work "
                "directory, which excamera --keep keeps, does."]}


def write_whole(path, text):
    """Writes a text that appears under its name whole or not at all."""
    part = path.with_name(path.name + ".excamera-part")
    try:
        with open(part, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
        files.sync(part)
        files.replace(part, path)
    except OSError as error:
        raise Failure(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def main(argv):
    """Makes the page; returns the exit status."""
    options = parse_arguments(argv)
    prepare_environment()
    find_tools()
    output = pathlib.Path(os.path.realpath(options.output))
    if output.is_dir():
        raise Failure(f"{options.output}: is a directory; name a file")
    if output.exists() and options.input.exists() and output.samefile(options.input):
        raise Failure(f"{options.output}: is the film; choose another name for the page")
    with tempfile.TemporaryDirectory(prefix="excamera-report-") as scratch:
        about = about_directory if options.input.is_dir() else about_film
        text = page.html(about(options, pathlib.Path(scratch)))
    write_whole(output, text)
    print(f"{options.output}: {output.stat().st_size} bytes", file=sys.stderr)
    return 0
