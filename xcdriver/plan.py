# SPDX-License-Identifier: BSD-2-Clause
"""What would be done, in words: the option --dry-run."""
import math
import shlex

from xcdriver import engine, graph, room
from xcdriver.arguments import write_output
from xcdriver.layout import Layout
from xcdriver.progress import in_bytes
from xcdriver.sound import splitting_command


def film_lines(source):
    if source.piped:
        yield "film", "Y4M from standard input"
        return
    width, height = source.size
    length = f"about {source.frames} frames" if source.frames else "an unknown number of frames"
    yield "film", f"{source.name}: {length} of {width}x{height}, {float(source.timing.rate):.3f} per second"
    for track in source.tracks:
        how = "copied" if track.codec == "copy" else f"encoded as {track.codec}"
        yield "track", f"stream {track.index}, {track.kind}: {how}"
    if source.edits.filters:
        yield "filters", ", ".join(source.edits.filters)


def chunk_lines(rung):
    source, options = rung.source, rung.options
    pieces = f"{options.chunk} frames each, {options.batch} per key frame, structure {options.structure}"
    if source.frames:
        chunks = math.ceil(source.frames / options.chunk)
        steps = len(graph.film_steps(options.structure, Layout(options.batch).batches(chunks), 0))
        pieces = f"{chunks}, {pieces}; {steps} steps"
    yield "chunks", pieces + ("; new ones where scenes begin" if options.scenes else "")
    if source.frames:
        chunks = min(chunks, room.chunks_here([rung]) or chunks)
        needed = (room.for_pieces(source) if room.has_no_raw_chunks(options) else
                  room.for_chunks(source, chunks * options.chunk))
        yield "room", f"about {in_bytes(needed)} in the work directory"


def print_plan(rung):
    source, options, target, directory = rung.source, rung.options, rung.target, rung.directory
    lines = [*film_lines(source), *chunk_lines(rung)]
    quality = target.wanted() if target else f"level {options.quality}"
    if options.max_bitrate:
        quality += f", or coarser, for at most {options.max_bitrate / 1000:g} kbit/s at any moment"
    lines += [("quality", quality),
              ("engine", f"{engine.NAME}, {options.jobs} processes at a time"),
              ("work", f"{directory}" + (", which an earlier run has left" if directory.exists() else ""))]
    if options.verbose and not source.piped:
        lines.append(("reading", shlex.join(map(str, splitting_command(source, directory)))))
    form = f", a directory with segments for {options.segments.upper()}" if options.segments else ""
    lines.append(("output", f"{options.output}{form}"))
    write_output("excamera", [f"{name + ':':9} {text}\n" for name, text in lines])
