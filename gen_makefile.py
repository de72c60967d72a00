#!/usr/bin/env python3
"""Writes the makefile that encodes the chunks START to END, a key frame before each BATCH of them.

gen_makefile.py 0 31 16 22 > excamera.mk; make -j8 -f excamera.mk

The chunks are 00000000.y4m and so on, and become 00000000.ivf and so on. QUALITY is vpxenc's --cq-level, 0 to 63.
Variables of the makefile: VPXENC=vpxenc uses another vpxenc, ENGINE=NAME another way to run the steps, KEEP=1 keeps the
intermediate files, TIMINGS=FILE has the local engine write down what each step took (docs/latency.md)."""
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
    """The steps of one batch without any guess. The last frame of each chunk, its anchor, is coded first and predicts
    only from the anchor before it and from the batch's key frame; so the anchors are a short chain of single frames,
    and all else is encoded once, in parallel, from exact states."""
    steps = []
    options = ["--cq-level", str(quality), "$(ANCHORED_OPTIONS)", "-i", "y4m"]
    for chunk in batch:
        name, previous = f"{chunk:08d}", f"{chunk - 1:08d}"
        anchors = f"{name}-anchors.ivf"
        before = [] if chunk == batch[0] else [f"{previous}-anchors.state"]
        behind = [] if chunk == batch[-1] else [f"{name}-anchors.state"]
        given = ["-I", *before] if before else []
        steps.append(Step([anchors, *behind], [f"{name}.y4m", *before],
                          ["xc-enc", "--anchors", *options, *given, "-o", anchors, *(["-O", *behind] if behind else []),
                           f"{name}.y4m"]))
        steps.append(Step([finished(chunk)], [f"{name}.y4m", anchors, *before],
                          ["xc-enc", "--follow", anchors, *options, *given, "-o", finished(chunk), f"{name}.y4m"]))
    return steps


STRUCTURES = {"classic": classic, "anchored": anchored}

PROLOGUE = r"""# Chunks {start:08d} to {end:08d}, {size} behind each key frame, by gen_makefile.py.

ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or newer is needed)
endif

FINISHED := {finished}

.PHONY: all clean
all: {batches}
clean: ; rm -f *.ivf *.state *.task

.DELETE_ON_ERROR:

VPXENC ?= xc-vpxenc

# How a recipe line is run. An engine defines $(call run,OUTPUTS,INPUTS), which stands before each command. One that
# runs all steps of a chunk in one place has other rules (see engine-lambda-chunk.mk): it sets WHOLE_CHUNKS.
ENGINE ?= local
ENGINE_DIR ?= {engine_dir}
# A blank in the name gets a backslash; "$() " is how make writes a blank.
include $(subst $() ,\ ,$(ENGINE_DIR))/engine-$(ENGINE).mk
"""


def rule(step):
    outputs, inputs = " ".join(step.outputs), " ".join(step.inputs)
    colon = " &:" if len(step.outputs) > 1 else ":"
    tool = "$(VPXENC)" if step.argv[0] == "xc-vpxenc" else step.argv[0]
    return f"{outputs}{colon} {inputs}\n\t$(call run,{outputs},$^) {' '.join([tool, *step.argv[1:]])}\n"


def batch_name(batch):
    return f"batch-{batch[0]:08d}"


def batch_rules(batch, intermediate):
    """What frames the rules of a batch. The intermediate files live until the batch is finished: an interrupted run
    goes on from them, and no later run misses them, since they are declared to be secondary."""
    variable = f"INTERMEDIATE-{batch[0]:08d}"
    yield f"{variable} := {' '.join(intermediate)}\n"
    yield f".SECONDARY: $({variable})\n"
    yield f".PHONY: {batch_name(batch)}\n"
    yield f"{batch_name(batch)}: {' '.join(map(finished, batch))}\n\t$(if $(KEEP),,@rm -f $({variable}))\n"


def step_rules(batch, steps):
    """A batch as rules, one for each step."""
    wanted = [finished(chunk) for chunk in batch]
    yield from batch_rules(batch, [name for step in steps for name in step.outputs if name not in wanted])
    for step in steps:
        yield "\n" + rule(step)


def chunk_rules(batch, steps):
    """A batch as rules, two for each chunk: its task, which is all of its steps written down, and running that. A task
    names the task that makes the states which it starts from; so they are written one by one, but run at once."""
    yield from batch_rules(batch, [f"{chunk:08d}.task" for chunk in batch])
    for chunk in batch:
        name = f"{chunk:08d}"
        own = [step for step in steps if step.outputs[0].startswith(name)]
        made = [output for step in own for output in step.outputs]
        read_elsewhere = {name for step in steps if step not in own for name in step.inputs}
        published = " ".join(output for output in made if output in read_elsewhere)
        before = "" if chunk == batch[0] else f" {chunk - 1:08d}.task"
        yield f"\n{name}.task: {name}.y4m{before}\n\t$(call plan,$@,{finished(chunk)},{published},$^)"
        for step in own:
            yield f" \\\n\t    step '{' '.join(step.outputs)}' '{' '.join(step.inputs)}' {' '.join(step.argv)}"
        yield f"\n{finished(chunk)}: {name}.task\n\t$(call run,{finished(chunk)},{name}.task)\n"


def makefile(start, end, size, quality, structure):
    """The whole text, in pieces."""
    engine_dir = str(pathlib.Path(__file__).resolve().parent / "mk")
    yield PROLOGUE.format(start=start, end=end, size=size, finished=" ".join(map(finished, range(start, end + 1))),
                          batches=" ".join(map(batch_name, batches(start, end, size))),
                          engine_dir=engine_dir.replace("$", "$$").replace("#", "\\#"))
    for batch in batches(start, end, size):
        steps = STRUCTURES[structure](batch, quality)
        yield f"\n# Batch {batch[0]:08d} to {batch[-1]:08d}\n\nifndef WHOLE_CHUNKS\n\n"
        yield from step_rules(batch, steps)
        yield "\nelse\n\n"
        yield from chunk_rules(batch, steps)
        yield "\nendif\n"


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
