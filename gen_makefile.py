#!/usr/bin/env python3
"""Writes the makefile that encodes the chunks START to END, a key frame before each BATCH of them.

gen_makefile.py 0 31 16 22 > excamera.mk; make -j8 -f excamera.mk

The chunks are 00000000.y4m and so on, and become 00000000.ivf and so on. QUALITY is vpxenc's --cq-level, 0 to 63.
Variables of the makefile: VPXENC=vpxenc uses another vpxenc, ENGINE=NAME another way to run the steps, KEEP=1 keeps the
intermediate files."""
import argparse
import pathlib
import sys
import typing

VPXENC_OPTIONS = (
    "--ivf --codec=vp8 --good --cpu-used=0 --end-usage=cq --min-q=0 --max-q=63 --cq-level={} "
    "--buf-initial-sz=10000 --buf-optimal-sz=20000 --buf-sz=40000 --undershoot-pct=100 --passes=2 --auto-alt-ref=1 "
    "--threads=1 --token-parts=0 --tune=ssim --target-bitrate=4294967295")


class Step(typing.NamedTuple):
    """One command of the graph, with all files that it reads and writes."""
    outputs: list
    inputs: list
    argv: list


def finished(chunk):
    """The name of a chunk's share of the stream, the last thing that is made of it."""
    return f"{chunk:08d}.ivf"


def batches(start, end, size):
    return [range(first, min(first + size, end + 1)) for first in range(start, end + 1, size)]


def classic(batch, quality):
    """The steps of one batch in the structure of the ExCamera paper. Each chunk is encoded by itself; then all but
    the first are encoded anew, given a guess of the state behind the chunk before (what that one left when it was
    alone); then each is rebased from the guess to the true state, one after the other."""
    steps = []
    for chunk in batch:
        name = f"{chunk:08d}"
        alone = finished(chunk) if chunk == batch[0] else f"{name}-0.ivf"
        steps.append(Step([f"{name}-vpxenc.ivf"], [f"{name}.y4m"],
                          ["xc-vpxenc", *VPXENC_OPTIONS.format(quality).split(),
                           "-o", f"{name}-vpxenc.ivf", f"{name}.y4m"]))
        steps.append(Step([alone], [f"{name}-vpxenc.ivf"], ["xc-terminate-chunk", f"{name}-vpxenc.ivf", alone]))
        if chunk != batch[-1]:
            steps.append(Step([f"{name}-0.state"], [alone], ["xc-dump", alone, f"{name}-0.state"]))

    for chunk in batch[1:]:
        name, previous = f"{chunk:08d}", f"{chunk - 1:08d}"
        guess_is_true = chunk == batch[1]
        given = finished(chunk) if guess_is_true else f"{name}-1.ivf"
        state = [f"{name}-1.state"] if guess_is_true and chunk != batch[-1] else []
        steps.append(Step([given, *state], [f"{name}.y4m", f"{name}-0.ivf", f"{previous}-0.state"],
                          ["xc-enc", "-W", "-w", "0.75", "-i", "y4m", "-o", given, "-r", "-I", f"{previous}-0.state",
                           "-p", f"{name}-0.ivf", *(["-O", *state] if state else []), f"{name}.y4m"]))

    for chunk in batch[2:]:
        name, previous = f"{chunk:08d}", f"{chunk - 1:08d}"
        state = [f"{name}-1.state"] if chunk != batch[-1] else []
        steps.append(Step([finished(chunk), *state],
                          [f"{name}.y4m", f"{name}-1.ivf", f"{previous}-0.state", f"{previous}-1.state"],
                          ["xc-rebase", "-W", "-w", "0.75", "-i", "y4m", "-o", finished(chunk), "-r",
                           "-I", f"{previous}-1.state", "-p", f"{name}-1.ivf", "-S", f"{previous}-0.state",
                           *(["-O", *state] if state else []), f"{name}.y4m"]))
    return steps


def anchored(batch, quality):
    """The steps of one batch without any guess. The first frame of each chunk, its anchor, predicts only from the
    anchor before it and from the batch's key frame; so the anchors are a short chain of single frames, and all else is
    encoded once, in parallel, from exact states."""
    steps = []
    for chunk in batch:
        name, previous = f"{chunk:08d}", f"{chunk - 1:08d}"
        anchor, state = f"{name}-anchor.ivf", f"{name}-anchor.state"
        before = [] if chunk == batch[0] else [f"{previous}-anchor.state"]
        options = ["--cq-level", str(quality), "$(ANCHORED_OPTIONS)", "-i", "y4m"]
        steps.append(Step([anchor, state], [f"{name}.y4m", *before],
                          ["xc-enc", "--anchor", *options, "--chunks-ahead", str(batch[-1] - chunk), *(["-I", *before] if before else []),
                           "-o", anchor, "-O", state, f"{name}.y4m"]))
        steps.append(Step([finished(chunk)], [f"{name}.y4m", anchor, state],
                          ["xc-enc", "--follow", anchor, *options, "-I", state, "-o", finished(chunk), f"{name}.y4m"]))
    return steps


STRUCTURES = {"classic": classic, "anchored": anchored}

PROLOGUE = r"""# Chunks {start:08d} to {end:08d}, {size} behind each key frame, by gen_makefile.py.

ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or newer is needed)
endif

FINISHED := {finished}

.PHONY: all clean
all: {batches}
clean: ; rm -f *.ivf *.state

.DELETE_ON_ERROR:

VPXENC ?= xc-vpxenc

# Removes the files that are no longer needed, those of them that are there.
remove = $(if $(KEEP),,$(if $(shell ls $(1) 2>/dev/null),@rm -f $(1)))

# How a recipe line is run. An engine defines $(call run,OUTPUTS,INPUTS), which stands before each command.
ENGINE ?= local
ENGINE_DIR ?= {engine_dir}
include $(ENGINE_DIR)/engine-$(ENGINE).mk
"""


def rule(step):
    outputs, inputs = " ".join(step.outputs), " ".join(step.inputs)
    colon = " &:" if len(step.outputs) > 1 else ":"
    tool = "$(VPXENC)" if step.argv[0] == "xc-vpxenc" else step.argv[0]
    return f"{outputs}{colon} {inputs}\n\t$(call run,{outputs},$^) {' '.join([tool, *step.argv[1:]])}\n"


def batch_name(batch):
    return f"batch-{batch[0]:08d}"


def batch_rules(batch, steps):
    """A batch as rules. The intermediate files live until the batch is finished: an interrupted run goes on from them,
    and no later run misses them, since they are declared to be secondary."""
    wanted = [finished(chunk) for chunk in batch]
    intermediate = f"INTERMEDIATE-{batch[0]:08d}"
    yield f"\n# Batch {batch[0]:08d} to {batch[-1]:08d}\n\n"
    yield f"{intermediate} := {' '.join(name for step in steps for name in step.outputs if name not in wanted)}\n"
    yield f".SECONDARY: $({intermediate})\n"
    yield f".PHONY: {batch_name(batch)}\n"
    yield f"{batch_name(batch)}: {' '.join(wanted)}\n\t$(call remove,$({intermediate}))\n"
    for step in steps:
        yield "\n" + rule(step)


def makefile(start, end, size, quality, structure):
    """The whole text, in pieces."""
    engine_dir = str(pathlib.Path(__file__).resolve().parent / "mk")
    yield PROLOGUE.format(start=start, end=end, size=size, finished=" ".join(map(finished, range(start, end + 1))),
                          batches=" ".join(map(batch_name, batches(start, end, size))),
                          engine_dir=engine_dir.replace("$", "$$").replace(" ", "\\ "))
    for batch in batches(start, end, size):
        yield from batch_rules(batch, STRUCTURES[structure](batch, quality))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("START", "END", "BATCH", "QUALITY"):
        parser.add_argument(name.lower(), metavar=name, type=int)
    parser.add_argument("--structure", choices=STRUCTURES, default="classic",
                        help="how the chunks of a batch depend on each other (%(default)s; see docs/architecture.md)")
    options = parser.parse_args()
    if options.start < 0:
        parser.error(f"START ({options.start}) is below 0")
    if options.end < options.start:
        parser.error(f"END ({options.end}) is before START ({options.start})")
    if options.end > 99999999:
        parser.error(f"END ({options.end}) has more than eight digits")
    if options.batch < 1:
        parser.error(f"BATCH ({options.batch}) is below 1")
    if not 0 <= options.quality <= 63:
        parser.error(f"QUALITY ({options.quality}) is not from 0 to 63")
    return options


if __name__ == "__main__":
    arguments = parse_arguments()
    sys.stdout.writelines(makefile(arguments.start, arguments.end, arguments.batch, arguments.quality,
                                   arguments.structure))
