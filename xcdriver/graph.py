# SPDX-License-Identifier: BSD-2-Clause
"""The graph of steps that encodes a film: every command, with the files that it reads and writes."""
import functools
import typing

# The file names are those of the original ExCamera. They begin with the number of the chunk, in eight digits.
DIGITS = 8
LAST_CHUNK = 10 ** DIGITS - 1
MOST_AT_ONCE = 32  # chunks whose anchors one step replays
SPEED = 0  # of xc-enc, if nothing else is said
MINI_GOP = 12  # of the pictures of a chunk, each such one and the last are anchors: XC_MINI_GOP_PICTURES
AFTER = 3  # pictures after a chunk that its last anchor is averaged with: XC_MINI_GOP_AFTER
RAW_PATTERN = "[0-9]" * DIGITS + ".y4m"  # as a shell pattern

VPXENC_OPTIONS = (
    "--ivf --codec=vp8 --good --cpu-used=0 --end-usage=cq --min-q=0 --max-q=63 --cq-level={} "
    "--buf-initial-sz=10000 --buf-optimal-sz=20000 --buf-sz=40000 --undershoot-pct=100 --passes=2 --auto-alt-ref=1 "
    "--threads=1 --token-parts=0 --tune=ssim --target-bitrate=4294967295")


class Step(typing.NamedTuple):
    """One command of the graph, with all files that it reads and writes. The first output names the step."""
    outputs: list
    inputs: list
    argv: list


def stem(chunk):
    """What the names of all files of a chunk begin with."""
    return f"{chunk:0{DIGITS}d}"


def chunk_of(name):
    """The number of the chunk that a file belongs to."""
    return int(name[:DIGITS])


def raw(chunk):
    """The file with a chunk's raw pictures."""
    return f"{stem(chunk)}.y4m"


class Near(typing.NamedTuple):
    """The names of films that have pictures which the anchors of a chunk need besides the chunk's own."""
    before: str  # its last picture comes before the chunk
    key: str     # its first picture is that of the batch's key frame
    after: str   # its first pictures come after the chunk


def raw_near(batch, chunk):
    """The raw chunks there."""
    return Near(raw(chunk - 1), raw(batch[0]), raw(chunk + 1))


def extracts(chunk):
    """Films with only a chunk's first picture, with its last one, and with some after it."""
    return f"{stem(chunk)}-first.y4m", f"{stem(chunk)}-last.y4m", f"{stem(chunk)}-next.y4m"


def some_near(batch, chunk):
    """These films."""
    return Near(extracts(chunk - 1)[1], extracts(batch[0])[0], extracts(chunk)[2])


def finished(chunk):
    """The file with a chunk's part of the stream, the last that is made of the chunk."""
    return f"{stem(chunk)}.ivf"


def level_of(quality, chunk):
    """quality: a level for all chunks, or a function from the number of a chunk to one."""
    return quality(chunk) if callable(quality) else quality


def fit_options(quality, chunk):
    """Options for xc-enc --follow that bring a chunk to a cost, where the function of level_of() knows one for it."""
    return getattr(quality, "fit", {}).get(chunk, [])


def vpxenc_options(quality):
    """The published options for vpxenc, as a list. quality: a level."""
    return VPXENC_OPTIONS.format(quality).split()


def classic(batch, quality):
    """The steps of one batch in the structure of the ExCamera paper.

    First, each chunk is encoded on its own. Then every chunk except the first is encoded again, predicting from a
    guess of the state before it: the state that the chunk before it left when that was encoded on its own. Finally,
    from the third chunk on, each chunk is rebased from the guess to the true state, one chunk after another."""
    steps = []
    for chunk in batch:
        name = stem(chunk)
        alone = finished(chunk) if chunk == batch[0] else f"{name}-0.ivf"
        steps.append(Step([f"{name}-vpxenc.ivf"], [raw(chunk)],
                          ["xc-vpxenc", *vpxenc_options(level_of(quality, chunk)), "-o", f"{name}-vpxenc.ivf",
                           raw(chunk)]))
        steps.append(Step([alone], [f"{name}-vpxenc.ivf"], ["xc-terminate-chunk", f"{name}-vpxenc.ivf", alone]))
        if chunk != batch[-1]:
            steps.append(Step([f"{name}-0.state"], [alone], ["xc-dump", alone, f"{name}-0.state"]))

    for chunk in batch[1:]:
        name, previous = stem(chunk), stem(chunk - 1)
        guess_is_true = chunk == batch[1]
        given = finished(chunk) if guess_is_true else f"{name}-1.ivf"
        state = [f"{name}-1.state"] if guess_is_true and chunk != batch[-1] else []
        steps.append(Step([given, *state], [raw(chunk), f"{name}-0.ivf", f"{previous}-0.state"],
                          ["xc-enc", "-W", "-w", "0.75", "-i", "y4m", "-o", given, "-r", "-I", f"{previous}-0.state",
                           "-p", f"{name}-0.ivf", *(["-O", *state] if state else []), raw(chunk)]))

    for chunk in batch[2:]:
        name, previous = stem(chunk), stem(chunk - 1)
        state = [f"{name}-1.state"] if chunk != batch[-1] else []
        steps.append(Step([finished(chunk), *state],
                          [raw(chunk), f"{name}-1.ivf", f"{previous}-0.state", f"{previous}-1.state"],
                          ["xc-rebase", "-W", "-w", "0.75", "-i", "y4m", "-o", finished(chunk), "-r",
                           "-I", f"{previous}-1.state", "-p", f"{name}-1.ivf", "-S", f"{previous}-0.state",
                           *(["-O", *state] if state else []), raw(chunk)]))
    return steps


def place_options(batch, chunk):
    """What xc-enc is told of a chunk's place in its batch, on which the fineness of its anchors depends."""
    return ["--place", str(chunk - batch[0])]


def after_options(batch, chunk, near):
    """What xc-enc is told of the pictures after a chunk, with which it averages the chunk's last anchor. After a batch,
    nothing is predicted from that."""
    return [] if chunk == batch[-1] else ["--after", near(batch, chunk).after]


def anchored(batch, quality, options=(), near=raw_near):
    """The steps of one batch in the structure that needs no guess.

    The last frame of each chunk is its anchor. It is coded first, and predicts only from the anchor before it and from
    the key frame of the batch. So the anchors are a short chain of single frames. All other frames are encoded once, in
    parallel, from exact states. `options` are added to those of each xc-enc. near: what has the pictures
    near a chunk, raw_near or some_near."""
    steps, added = [], options
    for chunk in batch:
        name, previous = stem(chunk), stem(chunk - 1)
        options = ["--cq-level", str(level_of(quality, chunk)), *added, "-i", "y4m"]
        anchors = f"{name}-anchors.ivf"
        before = [] if chunk == batch[0] else [f"{previous}-anchors.state"]
        after = [] if chunk == batch[-1] else [f"{name}-anchors.state"]
        given = ["-I", *before] if before else []
        ahead = after_options(batch, chunk, near)
        steps.append(Step([anchors, *after], [raw(chunk), *ahead[1:], *before],
                          ["xc-enc", "--anchors", *place_options(batch, chunk), *ahead, *options, *given, "-o", anchors,
                           *(["-O", *after] if after else []), raw(chunk)]))
        steps.append(Step([finished(chunk)], [raw(chunk), anchors, *before],
                          ["xc-enc", "--follow", anchors, *options, *fit_options(quality, chunk), *given, "-o",
                           finished(chunk), raw(chunk)]))
    return steps


def guess_of(chunk):
    """The files of a chunk's guessed anchors: frames, and what they are to look like."""
    return [f"{stem(chunk)}-guess.ivf", f"{stem(chunk)}-targets.y4m"]


def replayed_at_once(batch, chunk, quality):
    """Divides the chunks of a batch before a chunk into ranges whose anchors are replayed together. The last two are
    replayed one by one, and ranges before them are longer and longer: while a range is replayed, the anchors of the
    next one are made, and making one takes several times as long as replaying one."""
    end, size, ranges = chunk, 1, []
    while end > batch[0]:
        first = max(batch[0], end - size)
        while level_of(quality, first) != level_of(quality, end - 1):
            first += 1
        ranges.insert(0, range(first, end))
        end, size = first, min(MOST_AT_ONCE, size * 2 if len(ranges) > 1 else 1)
    return ranges


# For the steps of a chain whose chunks are made in different places, each of which waits for its turn. On AWS Lambda, a
# function has nearly two processors.
BOTH_PROCESSORS = ("--threads", "2")


def replay(batch, chunk, quality):
    """The steps by which a chunk finds out the state before it from the anchors before it, as they come."""
    before = []
    for chunks in replayed_at_once(batch, chunk, quality):
        anchors = [f"{stem(earlier)}-anchors.ivf" for earlier in chunks]
        after = f"{stem(chunk)}-after-{stem(chunks[-1])}.state"
        yield Step([after], [*anchors, *before],
                   ["xc-dump", "--anchors", "--cq-level", str(level_of(quality, chunks[0])),
                    *(["-S", *before] if before else []), *BOTH_PROCESSORS, *anchors, after])
        before = [after]


def rebase_guess(chunk, quality, onto, options, outputs):
    """The step that makes a chunk's anchors from its guess. onto: the files that tell the state before it; options:
    those that name these files, and all outputs."""
    guess, targets = guess_of(chunk)
    return Step(outputs, [guess, targets, *onto],
                ["xc-rebase", "--anchors", "--cq-level", str(level_of(quality, chunk)), "-i", "y4m", "-p", guess,
                 *options, targets])


def chained(batch, chunk, quality, anchors):
    """The steps by which a chunk makes its anchors where it finds out the state before it. What all later chunks wait
    for comes first: xc-rebase replays the last anchors itself. The state after these is written only then, for the
    other frames."""
    *replays, last = replay(batch, chunk, quality)
    replayed, *state = last.inputs
    return [*replays,
            rebase_guess(chunk, quality, last.inputs,
                         ["--replay", replayed, "--replay-cq-level", str(level_of(quality, chunk_of(replayed))),
                          *(["-I", *state] if state else []), *BOTH_PROCESSORS, "-o", anchors], [anchors]),
            last]


def prepared(batch, quality, options=(), near=raw_near, replays=False):
    """The steps of one batch in the anchored structure with a shorter chain.

    From the second chunk on, anchors are first guessed from raw pictures, in parallel. The chain then only rebases each
    guess onto the true state. If that is made where no file of the chunk before is, anchors travel instead of states,
    which are much larger: `replays` says so."""
    steps = []
    for chunk in batch:
        name, previous = stem(chunk), stem(chunk - 1)
        given = ["--cq-level", str(level_of(quality, chunk)), *options, "-i", "y4m"]
        anchors, before = f"{name}-anchors.ivf", []
        after = [] if replays or chunk == batch[-1] else [f"{name}-anchors.state"]
        handing_on = ["-o", anchors, *(["-O", *after] if after else [])]
        place, ahead = place_options(batch, chunk), after_options(batch, chunk, near)
        if chunk == batch[0]:
            steps.append(Step([anchors, *after], [raw(chunk), *ahead[1:]],
                              ["xc-enc", "--anchors", *place, *ahead, *given, *handing_on, raw(chunk)]))
        else:
            guess, targets = guess_of(chunk)
            before = [f"{name}-after-{previous}.state" if replays else f"{previous}-anchors.state"]
            others = near(batch, chunk)
            steps.append(Step([guess, targets],
                              list(dict.fromkeys([raw(chunk), *ahead[1:], others.before, others.key])),
                              ["xc-enc", "--guess", targets, *place, *ahead, *given, "--before", others.before,
                               "--key", others.key, "-o", guess, raw(chunk)]))
            steps.extend(chained(batch, chunk, quality, anchors) if replays else
                         [rebase_guess(chunk, quality, before, ["-I", *before, *handing_on], [anchors, *after])])
        steps.append(Step([finished(chunk)], [raw(chunk), anchors, *before],
                          ["xc-enc", "--follow", anchors, *given, *fit_options(quality, chunk),
                           *(["-I", *before] if before else []), "-o", finished(chunk), raw(chunk)]))
    return steps


def chained_again(batch, quality):
    """The steps of chained() for the last chunk of a batch, whose anchors are made under another name: they can be
    measured where chunks are not made in different places."""
    return chained(batch, batch[-1], quality, f"{stem(batch[-1])}-again.ivf") if len(batch) > 1 else []


STRUCTURES = {"classic": classic, "anchored": anchored, "prepared": prepared}
ANCHORED = ("anchored", "prepared")  # those in which each chunk is anchors and followers
# The same where each chunk is made in another place.
APART = {**STRUCTURES, "prepared": functools.partial(prepared, replays=True)}


def batch_steps(structures, structure, batch, quality, near=raw_near, options=()):
    """The steps of a batch in one of STRUCTURES or APART. For options and near see anchored()."""
    more = {"options": options, "near": near} if structure in ANCHORED else {}
    return structures[structure](batch, quality, **more)


def structure_of(names):
    """The structure in which files of these names are made."""
    for structure, ending in (("prepared", "-guess.ivf"), ("anchored", "-anchors.ivf")):
        if any(name.endswith(ending) for name in names):
            return structure
    return "classic"


def film_steps(structure, batches, quality, apart=False):
    """The steps of some batches (layout.py). No step comes before one whose output it reads. apart: each chunk is made
    in another place."""
    steps = (APART if apart else STRUCTURES)[structure]
    return [step for batch in batches for step in steps(batch, quality)]
