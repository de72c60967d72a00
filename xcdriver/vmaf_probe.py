# SPDX-License-Identifier: BSD-2-Clause
"""Encoding a sample of a film, fast and in part, to predict its VMAF at any level.

To measure a frame takes longer than to encode it fast. So some frames of few chunks are enough, at one level."""
import contextlib
import functools
import itertools
import os
import threading

from xcdriver import graph, vmaf, y4m
from xcdriver.comparison import Comparison, compare
from xcdriver.drop import CURVE, FIRST, Drops, along
from xcdriver.prediction import Prediction
from xcdriver.probe import THOROUGHNESS, encode
from xcdriver.processes import run

USUAL_DROP, USUAL_LEAST = 9., -2.  # at level 46; of a perfect copy
FINEST, COARSEST = 34, 56  # levels that are tried
EACH, SHORT_EACH = 3, 2  # one in so many frames is measured; of a film of one chunk
FEW = 24  # chunks of a sample: if there are not more, the motion in each is measured at two places
# The mean drop of a chunk's frames after a thorough search, divided by that of the frames that are measured, none of
# which is an anchor, after a fast one: at drop.LEVELS.
SAVED = (0.86, 0.86, 0.87, 0.88, 0.88, 0.87, 0.84, 0.82, 0.8, 0.79)
SAVED_SHORT = (0.92, 0.92, 0.92, 0.92, 0.92, 0.92, 0.91, 0.88, 0.86, 0.85)
LEAST_HALVED = 8  # frames


def spans(sample):
    """Of each batch, chunks that are encoded as if they were a batch, of which the last one is measured: the first one
    owes more to the key frame than others do. The last one of a batch may be short; but what comes late matters most,
    since the first windows of a film tell themselves what they cost."""
    places = [max(0, min(2 * len(batch) // 3, len(batch) - 2)) for batch in sample.batches]
    return [batch[max(0, place - 1):place + 1] for batch, place in zip(sample.batches, places)]


def halve(path, frames):
    """Replaces a film of so many frames by its first half."""
    with open(path, "rb") as stream:
        header = y4m.read_header(stream)
        half = [header.line, *itertools.islice(y4m.read_frames(stream, header), frames // 2)]
    path.unlink()  # it may be a link to the film
    path.write_bytes(b"".join(half))


def beginner(sample, span, each):
    """A function that begins to compare the last chunk of a span, from its second frame on if it has more."""
    chunk = span[-1]
    state = f"{graph.stem(chunk - 1)}-anchors.state" if len(span) > 1 else None
    return functools.partial(Comparison, sample, [chunk], "vmaf", each, state=state,
                             ahead=int(sample.frames_of(chunk) > 1))


def write_triples(sample, chunks, each, descriptor):
    """Writes three successive frames, `each` times from each of these chunks, to a pipe, as one Y4M film. Stops if
    nobody reads them."""
    with contextlib.suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as out:
        for chunk in chunks:
            with open(sample.path / graph.raw(chunk), "rb") as stream:
                header, count = y4m.read_header(stream), sample.frames_of(chunk)
                out.write(header.line if chunk == chunks[0] else b"")
                size = (os.fstat(stream.fileno()).st_size - len(header.line)) // count
                for number in range(each):
                    stream.seek(len(header.line) + size * ((2 * number + 1) * (count - 2) // (2 * each)))
                    out.write(stream.read(3 * size))


def losses_of_perfect(sample):
    """Of each chunk of the sample that has three frames, of some frames the loss of VMAF that a perfect copy has."""
    chunks = [chunk for batch in sample.batches for chunk in batch if sample.frames_of(chunk) > 2]
    if not chunks:
        return {}
    each = 1 if len(chunks) > FEW else 2
    reading, writing = os.pipe()
    threading.Thread(target=write_triples, args=(sample, chunks, each, writing), daemon=True).start()
    try:
        motions = vmaf.motions(run(vmaf.motion_command(reading), pass_fds=[reading]))
    finally:
        os.close(reading)
    losses = [100 - vmaf.perfect(motion) for motion in motions]
    return {chunk: losses[each * place:each * (place + 1)] for place, chunk in enumerate(chunks)}


def predict(sample, target, cost, on_round):
    """The prediction for a film; see probe.predict()."""
    wanted = (cost / sample.frames - USUAL_LEAST) / USUAL_DROP
    level = next((level for level in range(FINEST, COARSEST) if along(CURVE, level) >= wanted), COARSEST)
    on_round(level)
    some, is_short = spans(sample), sample.chunks == 1
    leasts = losses_of_perfect(sample)
    if is_short and sample.frames >= LEAST_HALVED:
        halve(sample.path / graph.raw(0), sample.frames)
    encode(sample, level, some, [graph.finished(span[-1]) for span in some])
    found = compare([beginner(sample, span, SHORT_EACH if is_short else EACH) for span in some], sample.options.jobs,
                    lambda: None)
    saved = along(SAVED_SHORT if is_short else SAVED, level) ** THOROUGHNESS[sample.options.speed]
    drops = {span[-1]: [saved * lost / (FIRST if len(span) == 1 else 1) for _, lost, _ in frames]
             for span, frames in zip(some, found) if frames}
    leasts = leasts or {span[-1]: [least for _, _, least in frames] for span, frames in zip(some, found) if frames}
    return Prediction([Drops(level, drops, leasts, sample.frames)], sample.layout)
