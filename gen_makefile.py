#!/usr/bin/env -S python3 -I
# SPDX-License-Identifier: BSD-2-Clause
"""Writes to standard output a makefile that encodes the chunks of a film.

  gen_makefile.py 0 31 16 22 > excamera.mk
  make -j8 -f excamera.mk

With --format asl, it is the definition of a state machine for AWS Step Functions
(docs/lambda.md).

The makefile turns START.y4m to END.y4m into START.ivf to END.ivf; the names
have eight digits, as in 00000000.y4m. xc-split makes the former, xc-merge joins
the latter. With --pictures the makefile also makes the former, of PNG files. The
tools must be on the PATH.

Variables of the makefile, as in `make KEEP=1 -f excamera.mk`:
  VPXENC=PROGRAM  encode with another vpxenc than xc-vpxenc
  REBASE=PROGRAM  rebase with another program than xc-rebase, such as xc-enc
  ENGINE=NAME     run the steps elsewhere, as on other machines (docs/engines.md)
  KEEP=1          keep the intermediate files
  TIMINGS=FILE    log how long each step takes (docs/latency.md)
  ANCHORED_OPTIONS=OPTIONS
                  more options for each xc-enc of --structure anchored and prepared
  PNG2Y4M_OPTIONS=OPTIONS
                  options for each xc-png2y4m, such as -f 30
"""
import os
import sys

sys.dont_write_bytecode = True  # the package may be installed in a system directory
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # with PYTHONSAFEPATH, Python does not do this
from xcdriver import asl, sources  # noqa: E402
from xcdriver.arguments import Parser, Version, chunk_list, layout_of, write_output  # noqa: E402
from xcdriver.graph import LAST_CHUNK, STRUCTURES, stem  # noqa: E402
from xcdriver.makefile import makefile  # noqa: E402


def parse_arguments():
    parser = Parser(prog="gen_makefile.py", description=__doc__)
    for name, meaning in (("START", "number of the first chunk"), ("END", "number of the last chunk"),
                          ("BATCH", "chunks per key frame"),
                          ("QUALITY", "vpxenc's --cq-level, from 0 (best) to 63 (smallest)")):
        parser.add_argument(name.lower(), metavar=name, type=int, help=meaning)
    parser.add_argument("--structure", choices=STRUCTURES, default="classic",
                        help="how the chunks of a batch depend on each other (default: %(default)s; see "
                             "docs/architecture.md)")
    parser.add_argument("--batch-starts", metavar="CHUNKS", type=chunk_list, default=[],
                        help="chunks that begin a batch in any case, such as 0,6,13, where scenes begin. The batch "
                             "before is shorter than BATCH then. START always begins one")
    parser.add_argument("--format", choices=("make", "asl"), default="make",
                        help="what to write: a makefile, or a state machine in the Amazon States Language (default: "
                             "%(default)s)")
    sources.add_options(parser)
    parser.add_argument("--version", action=Version)
    options = parser.parse_args()
    if options.start < 0:
        parser.error("START (%d) is below 0" % options.start)
    if options.end < options.start:
        parser.error("END (%d) is before START (%d)" % (options.end, options.start))
    if options.end > LAST_CHUNK:
        parser.error("END (%d) is above %s: file names have eight digits" % (options.end, stem(LAST_CHUNK)))
    if options.batch < 1:
        parser.error("BATCH (%d) is below 1" % options.batch)
    options.layout = layout_of(parser, options)
    if options.format == "asl" and options.batch > asl.LARGEST_BATCH:
        parser.error("BATCH (%d) is above %d: a longer batch has too many events for an execution of Step Functions"
                     % (options.batch, asl.LARGEST_BATCH))
    if options.format == "asl" and options.layout.number(options.end) >= asl.MOST_BATCHES:
        parser.error("more than %d batches are too many for an execution of Step Functions" % asl.MOST_BATCHES)
    if not 0 <= options.quality <= 63:
        parser.error("QUALITY (%d) is not from 0 to 63" % options.quality)
    options.source = sources.choose(parser, options)
    if options.format == "asl" and options.structure not in asl.STRUCTURES:
        parser.error("--format asl knows no structure %s, but %s"
                     % (options.structure, " and ".join(asl.STRUCTURES)))
    if options.format == "asl" and options.pictures:
        parser.error("--format asl has no step for --pictures: make the .y4m files first")
    return options


def main():
    options = parse_arguments()
    film = options.layout.batches(options.end + 1)
    if options.format == "asl":
        pieces = asl.text(asl.definition(film, options.quality, options.structure))
    else:
        pieces = makefile(film, options.layout, options.quality, options.structure, options.source)
    write_output("gen_makefile.py", pieces)


if __name__ == "__main__":
    main()
