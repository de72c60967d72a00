# SPDX-License-Identifier: BSD-2-Clause
"""Encoding one film, from the options of ./excamera to the output file."""
import contextlib
import os
import time

from xcdriver import engine, graph, pieces, steering, vmaf
from xcdriver.edits import Edits
from xcdriver.encoding import encode
from xcdriver.output import check_output, finish
from xcdriver.places import ENGINES, IN_SOURCES, ROOT, TOOLS
from xcdriver.plan import print_plan
from xcdriver.processes import Failure, prepare_environment
from xcdriver.sound import container_of
from xcdriver.source import Source
from xcdriver.summary import summary
from xcdriver.target import Target
from xcdriver.terminal import say_line
from xcdriver.work import Work

DAMAGED = 3  # the exit status if the output is complete, but the film is not


def find_tools():
    """Puts the tools on the PATH, where the recipes of the makefile look for them."""
    if not (TOOLS / "xc-split").exists():
        mend = f"run make in {ROOT} first" if IN_SOURCES else "install them there"
        raise Failure(f"{TOOLS}: has no tools; {mend}")
    if os.pathsep in str(TOOLS):
        raise Failure(f"{TOOLS}: PATH cannot name a directory with a colon; rename it, or install the tools elsewhere")
    os.environ["PATH"] = f"{TOOLS}{os.pathsep}{os.environ.get('PATH') or os.defpath}"


def check_engine():
    """Raises Failure if ENGINE in the environment names no engine. Sets it if it is empty."""
    name = os.environ["ENGINE"] = engine.NAME
    engines = sorted(path.stem.partition("-")[2] for path in ENGINES.glob("engine-*.mk"))
    if name not in engines:
        raise Failure(f"ENGINE={name} in the environment: there is no such engine; there are {', '.join(engines)}")


def seconds_paid(directory):
    """The sum of the last column of timings.tsv, in which the engines on AWS Lambda write what has to be paid for."""
    path = directory / "timings.tsv"
    return sum(float(line.split("\t")[-1]) for line in path.read_text().splitlines()) if path.exists() else 0


def finished_work(work, source, options, target, progress):
    """Makes the output; returns how many frames it has, and what was measured of it. After a failure, keeps work that
    is worth it, and progress.outlook says how to go on."""
    encoded = False
    try:
        quality = encode(work, source, options, target, progress)
        encoded = True
        return finish(work, source, options, progress), quality
    except BaseException:
        if source.piped and encoded:
            progress.outlook = f"; the encoded chunks are kept in {work.path}, and xc-merge joins them"
        elif not work.has_begun() or (source.piped and not options.keep):
            with contextlib.suppress(OSError):
                work.remove()
        elif not source.piped:
            progress.outlook = f"; the work is kept in {work.path}, and the same command goes on from there"
        raise


def report(damage, is_allowed):
    """Tells the user what the film lost to damage. Returns the exit status."""
    if not damage:
        return 0
    is_failure = damage["serious"] and not is_allowed
    say_line(f"excamera: {damage['text']}" + ("; --allow-damaged makes this no failure" if is_failure else ""))
    return DAMAGED if is_failure else 0


def open_source(options):
    """The film, and, now that its rate is known, how long chunks and batches are."""
    source = Source(options.input, options.audio, options.rate, bool(container_of(options.output)), Edits.of(options))
    source.protect(options.output)
    pieces.settle(options, None if source.piped else source.timing.rate)
    return source


def arguments_of(source, options, target):
    """All that the output depends on, for the record of the work."""
    return {"input": source.identity(), "rate": options.rate and str(options.rate),
            "tracks": [track.index for track in source.tracks], "chunk": options.chunk, "batch": options.batch,
            "quality": options.quality, "structure": options.structure, **source.edits.record(),
            "target": str(target) if target else None, "speed": options.speed if options.speed != graph.SPEED else None}


def remove(work):
    try:
        work.remove()
    except OSError as error:
        say_line(f"excamera: {work.path}: cannot be removed: {error.strerror}")


def encode_film(options, progress):
    """Makes the output file, and returns the exit status. Afterwards, and after a failure before which nothing worth
    keeping was made, removes the work directory."""
    prepare_environment()
    find_tools()
    check_engine()
    slots = engine.jobs()  # also where they have been said: raises Failure if the engine cannot work
    options.jobs = options.jobs or slots
    check_output(options.output)
    source = open_source(options)
    target = Target.of(options)
    if target:
        steering.check(source, options)
        if target.metric == "vmaf":
            vmaf.ffmpeg()  # raises Failure if there is none
    for note in source.notes:
        progress.interject(f"excamera: {note}")
    directory = options.work or options.output.with_name(options.output.name + ".work")
    if str(directory).startswith("-"):  # the tools would take it for an option
        directory = directory.absolute()
    if options.dry_run:
        print_plan(source, options, target, directory)
        return 0
    work = Work(directory, arguments_of(source, options, target), options.restart)
    start = time.monotonic()
    frames, quality = finished_work(work, source, options, target, progress)
    seconds, paid = time.monotonic() - start, seconds_paid(work.path)
    progress.clear()
    if not options.keep:
        remove(work)
    if not options.quiet:
        say_line(summary(options.output, frames, seconds, paid, quality, target))
    return report(work.record["film"]["damage"], options.allow_damaged)
