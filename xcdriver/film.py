# SPDX-License-Identifier: BSD-2-Clause
"""Encoding one film, from the options of ./excamera to the output file."""
import contextlib
import os
import time

from xcdriver import engine, graph, ladder, output, pieces, publisher, steering, vmaf
from xcdriver.edits import Edits
from xcdriver.encoding import encode
from xcdriver.levels import Levels
from xcdriver.places import ENGINES, IN_SOURCES, ROOT, TOOLS
from xcdriver.plan import print_plan
from xcdriver.processes import Failure, prepare_environment
from xcdriver.publisher import Publisher
from xcdriver.sound import container_of
from xcdriver.source import Source
from xcdriver.summary import extent, summary
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


def finish_all(rungs, progress, segments):
    """Makes the outputs. Returns how many frames each has, and its bytes and kilobits per second."""
    if segments:
        frames = segments.finish(progress)
        return [(frames, segments.extent(rung)) for rung in rungs]
    return [(output.finish(rung.work, rung.source, rung.options, progress), extent(rung.options.output))
            for rung in rungs]


def finished_work(rungs, source, progress):
    """Makes the outputs; returns what finish_all() does, and what was measured of each. After a failure, keeps work
    that is worth it, and progress.outlook says how to go on."""
    encoded, segments, works = False, None, [rung.work for rung in rungs]
    where = " and ".join(str(work.path) for work in works)
    try:
        segments = Publisher(rungs) if rungs[0].options.segments else None
        qualities = encode(rungs, source, progress, segments)
        encoded = True
        return finish_all(rungs, progress, segments), qualities
    except BaseException:
        if source.piped and encoded:
            progress.outlook = f"; the encoded chunks are kept in {where}, and xc-merge joins them"
        elif not any(work.has_begun() for work in works) or (source.piped and not rungs[0].options.keep):
            for work in works:
                with contextlib.suppress(OSError):
                    work.remove()
            if segments and segments.batches:
                progress.outlook = f"; the segments that are finished remain in {rungs[0].options.output}"
        elif not source.piped:
            progress.outlook = f"; the work is kept in {where}, and the same command goes on from there"
        raise


def report(damage, is_allowed):
    """Tells the user what the film lost to damage. Returns the exit status."""
    if not damage:
        return 0
    is_failure = damage["serious"] and not is_allowed
    say_line(f"excamera: {damage['text']}" + ("; --allow-damaged makes this no failure" if is_failure else ""))
    return DAMAGED if is_failure else 0


def open_source(rungs):
    """The film, and, now that its rate is known, how long chunks and batches are."""
    options = rungs[0].options
    source = Source(options.input, options.audio, options.rate, bool(container_of(options.output)), Edits.of(options))
    for rung in rungs:
        source.protect(rung.options.output)
        pieces.settle(rung.options, None if source.piped else source.timing.rate)
    if options.segments:
        source.publish()
    ladder.open_all(rungs, source)
    return source


def arguments_of(source, options, target):
    """All that the output depends on, for the record of the work."""
    return {"input": source.identity(), "rate": options.rate and str(options.rate),
            "tracks": [track.index for track in source.tracks], "chunk": options.chunk, "batch": options.batch,
            "quality": options.quality, "structure": options.structure, **source.edits.record(),
            "segments": options.segments, "target": str(target) if target else None,
            "max bitrate": [options.max_bitrate, options.buffer],
            "scenes": options.scenes or None,
            "speed": options.speed if options.speed != graph.SPEED else None}


def remove(work):
    try:
        work.remove()
    except OSError as error:
        say_line(f"excamera: {work.path}: cannot be removed: {error.strerror}")


def check_outputs(rungs):
    """Raises Failure if one of them cannot be written."""
    if rungs[0].options.segments:
        publisher.check_output(rungs[0].options.output)
        return
    for rung in rungs:
        output.check_output(rung.options.output)


def check_target(rung):
    if rung.target:
        steering.check(rung.source, rung.options)
        if rung.target.metric == "vmaf":
            vmaf.ffmpeg()  # raises Failure if there is none


def begin_work(rungs):
    """Opens the work directories. If one cannot be used, those before it remain only if they have work."""
    works = []
    try:
        for rung in rungs:
            unsaid = () if rung.options.scenes_said else ("scenes",)
            rung.work = Work(rung.directory, arguments_of(rung.source, rung.options, rung.target), rung.options.restart,
                             unsaid)
            works.append(rung.work)
            for other in rungs:  # all sizes have the same scenes
                other.options.scenes, other.options.scenes_said = rung.work.layout.at_scenes, True
            if rung is not rungs[0]:
                rung.take_tracks(rungs[0])
    except BaseException:
        for work in works:
            if not work.has_begun():
                remove(work)
        raise


def say_summaries(rungs, made, qualities, seconds):
    for rung, (frames, size), quality in zip(rungs, made, qualities):
        name = f"{rung.options.output}, {rung.label}" if rung.options.segments and rung.label else rung.options.output
        paid = seconds_paid(rung.work.path)
        bound = rung.target and Levels(rung.work.record.get("levels") or []).bound
        if bound:
            say_line(f"excamera: {name}: {bound}")
        say_line(summary(name, size, frames, seconds, paid, quality, rung.target, rung.ceiling))


def encode_film(options, progress):
    """Makes the output files, and returns the exit status. Afterwards, and after a failure before which nothing worth
    keeping was made, removes the work directories."""
    prepare_environment()
    find_tools()
    check_engine()
    slots = engine.jobs()  # also where they have been said: raises Failure if the engine cannot work
    options.jobs = options.jobs or slots
    rungs = ladder.rungs(options)
    check_outputs(rungs)
    source = open_source(rungs)
    for rung in rungs:
        check_target(rung)
    for note in source.notes:
        progress.interject(f"excamera: {note}")
    if options.dry_run:
        for rung in rungs:
            print_plan(rung)
        return 0
    begin_work(rungs)
    start = time.monotonic()
    made, qualities = finished_work(rungs, source, progress)
    seconds = time.monotonic() - start
    progress.clear()
    if not options.quiet:
        say_summaries(rungs, made, qualities, seconds)
    damage = rungs[0].work.record["film"]["damage"]
    for rung in rungs if not options.keep else []:
        remove(rung.work)
    return report(damage, options.allow_damaged)
