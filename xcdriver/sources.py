# SPDX-License-Identifier: BSD-2-Clause
"""How the raw pictures of each chunk come to be: steps of the graph that are the same for all structures."""
import re

from xcdriver.graph import AFTER, Step, batch_steps, extracts, raw, raw_near, some_near, stem


def plan(chunk):
    """The file that says what of its pieces a chunk needs."""
    return f"{stem(chunk)}.plan"


class GivenChunks:
    """They are there, in a file that xc-split has written. Other classes of this form have steps that make the file."""

    name = ""  # for the record of what the files in a directory were made with
    given = "%.y4m"  # those of the files in the directory that no step makes, as a pattern for make
    near = staticmethod(raw_near)  # see graph.anchored()

    def steps(self, _batch, _read):
        """The steps that make the raw pictures of a batch's chunks, and what of graph.extracts() is in `read`."""
        return []


class Pictures:
    """They come from PNG files, such as 00000001.png, of which each chunk has so many. `options` are those of each
    xc-png2y4m."""

    given = "%.png"
    near = staticmethod(some_near)

    def __init__(self, first, last, frames, options=()):
        self.first, self.last, self.frames, self.options = first, last, frames, options
        self.name = f"{frames} of the pictures {first} to {last} a chunk, {' '.join([*options, ''])}"

    def of_chunk(self, chunk):
        """The numbers of a chunk's pictures. The last chunk may have fewer than others."""
        begin = self.first + chunk * self.frames
        return range(begin, min(begin + self.frames, self.last + 1))

    def steps(self, batch, read):
        """See GivenChunks."""
        for chunk in batch:
            own = self.of_chunk(chunk)
            yield self.step(raw(chunk), own)
            for name, numbers in zip(extracts(chunk), (own[:1], own[-1:], self.of_chunk(chunk + 1)[:AFTER])):
                if name in read:
                    yield self.step(name, numbers)

    def step(self, film, numbers):
        """The step that makes a film of the pictures with these numbers."""
        names = [f"{stem(number)}.png" for number in numbers]
        return Step([film], names, ["xc-png2y4m", *self.options, "-o", film, *names])


class Pieces:
    """They are decoded from pieces of the film: plans has for each chunk the names of the pieces that it needs
    (cut.py). Next to it is a plan for xc-unpack."""

    name = "pieces, "
    given = "%.nut %.plan"
    near = staticmethod(some_near)

    def __init__(self, plans):
        self.plans = plans

    def steps(self, batch, read):
        """See GivenChunks."""
        for chunk in batch:
            inputs = [plan(chunk), *self.plans[chunk]]
            options = zip(("--first", "--last", "--next"), extracts(chunk))
            wanted = [(option, name) for option, name in options if name in read]
            yield Step([raw(chunk), *(name for _, name in wanted)], inputs,
                       ["xc-unpack", "-o", raw(chunk), *(word for pair in wanted for word in pair), *inputs])


def all_steps(source, structures, structure, batch, quality, options=()):
    """The steps of a batch, those that make its raw pictures first. For the rest see graph.batch_steps()."""
    steps = batch_steps(structures, structure, batch, quality, source.near, options)
    return [*source.steps(batch, {name for step in steps for name in step.inputs}), *steps]


def add_options(parser):
    """The options that choose a source."""
    parser.add_argument("--pictures", metavar="FIRST-LAST",
                        help="make the chunks from the PNG files with these numbers: 1-888 stands for 00000001.png "
                             "to 00000888.png")
    parser.add_argument("-s", "--chunk", metavar="S", type=int, help="with --pictures: pictures per chunk")


def choose(parser, options):
    """The source that the options say, for the chunks up to options.end."""
    if not options.pictures:
        if options.chunk is not None:
            parser.error("--chunk is for --pictures; xc-split has been told how long its chunks are")
        return GivenChunks()
    match = re.fullmatch("([0-9]{1,8})-([0-9]{1,8})", options.pictures)
    first, last = map(int, match.groups()) if match else (1, 0)
    if last < first:
        parser.error(f"--pictures ({options.pictures}) is not FIRST-LAST, the numbers of two pictures, such as 1-888")
    if not options.chunk or options.chunk < 1:
        parser.error("--pictures needs --chunk, how many pictures there are in a chunk")
    source = Pictures(first, last, options.chunk, ["$(PNG2Y4M_OPTIONS)"])
    if not source.of_chunk(options.end):
        parser.error(f"END ({options.end}) is after the last picture: chunk {(last - first) // options.chunk} has it")
    return source
