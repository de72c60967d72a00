"""Encoding one film, from the options of ./excamera to the output file."""
import os
import time

from xcdriver.encoding import encode
from xcdriver.output import finish
from xcdriver.places import IN_SOURCES, ROOT, TOOLS
from xcdriver.processes import Failure
from xcdriver.progress import say
from xcdriver.source import Source
from xcdriver.work import Work


def find_tools():
    """Puts the tools on the PATH, where the recipes of the makefile look for them."""
    if not (TOOLS / "xc-split").exists():
        mend = f"run make in {ROOT} first" if IN_SOURCES else "install them there"
        raise Failure(f"{TOOLS}: has no tools; {mend}")
    if os.pathsep in str(TOOLS):
        raise Failure(f"{TOOLS}: PATH cannot name a directory with a colon; rename it, or install the tools elsewhere")
    os.environ["PATH"] = f"{TOOLS}{os.pathsep}{os.environ.get('PATH') or os.defpath}"


def check_output(output, film):
    """Raises Failure if the output cannot be written, or would replace the film itself."""
    if not output.parent.is_dir():
        raise Failure(f"{output.parent}: no such directory")
    if output.is_dir():
        raise Failure(f"{output}: is a directory")
    if output.exists() and os.path.exists(film) and output.samefile(film):
        raise Failure(f"{output}: is the film to be encoded; choose another name")


def seconds_paid(directory):
    """The sum of the last column of timings.tsv, in which the engines on AWS Lambda write what has to be paid for."""
    path = directory / "timings.tsv"
    return sum(float(line.split("\t")[-1]) for line in path.read_text().splitlines()) if path.exists() else 0


def encode_film(options, progress):
    """Makes the output file. Afterwards, and after a failure before which nothing worth keeping was made, removes the
    work directory."""
    find_tools()
    check_output(options.output, options.input)
    source = Source(options.input)
    arguments = {"input": source.identity(), "chunk": options.chunk, "batch": options.batch,
                 "quality": options.quality, "structure": options.structure}
    directory = options.work or options.output.with_name(options.output.name + ".work")
    work = Work(directory, arguments, options.restart)
    start = time.monotonic()
    try:
        encode(work, source, options, progress)
        finish(work, source, options.output)
    except BaseException:
        if not work.has_begun() or (source.piped and not options.keep):
            work.remove()
        elif not source.piped:
            progress.outlook = "; the same command continues where it stopped"
        raise
    frames, seconds, paid = work.record["film"]["frames"], time.monotonic() - start, seconds_paid(work.path)
    if not options.keep:
        work.remove()
    progress.clear()
    size = options.output.stat().st_size
    say(f"{options.output}: {frames} frames, {size} bytes, {seconds:.1f} s" +
        (f"; {paid:.1f} s of AWS Lambda to pay for" if paid else "") + "\n")
