# SPDX-License-Identifier: BSD-2-Clause
"""The graph as the text of a makefile."""
from xcdriver import graph, sources
from xcdriver.places import ENGINES

SUMS = "excamera.sums"  # where the tools note the checksums of what they make; see tools/tool-sums.h
STAMP = "excamera.options"  # what the files in a directory were made with

# make ANCHORED_OPTIONS='...' adds options to each xc-enc of the anchored structures.
ADDED = ["$(ANCHORED_OPTIONS)"]


# Tools for which make is told another, since the published commands have other names for them.
REPLACEABLE = {"xc-vpxenc": "$(VPXENC)", "xc-rebase": "$(REBASE)"}

NAMES_PER_LINE = 1000  # the kernel limits the length of a shell command, to 128 kB

PROLOGUE = r"""# Chunks {start} to {end}, {per_key} per key frame. Written by gen_makefile.py.

ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or newer is needed)
endif

FINISHED := {finished}

{batches_are}

.PHONY: all clean FORCE
all: {targets}

.DELETE_ON_ERROR:
SHELL := /bin/sh
.SHELLFLAGS := -c

VPXENC ?= xc-vpxenc
REBASE ?= xc-rebase

# The engine decides how each command is run. It defines $(call run,OUTPUTS,INPUTS), which is put before the command.
# An engine that runs all steps of a chunk in one place sets WHOLE_CHUNKS and gets other rules (engine-lambda-chunk.mk).
ENGINE ?= local
ENGINE_DIR ?= {engine_dir}
WHOLE_CHUNKS :=
# In an include line, a space in a name needs a backslash before it. "$() " stands for a space.
include $(subst $() ,\ ,$(ENGINE_DIR))/engine-$(ENGINE).mk

ifdef WHOLE_CHUNKS
%.state: ; @echo '$@: with ENGINE=$(ENGINE), states stay where they are made; make it with ENGINE=local' >&2; exit 1
endif

# Removes those of the files that are there. If there are none, there is nothing to do, also for make -q.
remove = $(if $(KEEP),,$(if $(wildcard $(1)),@rm -f $(1)))

# Removes files, and what a tool that was killed has left of them.
discard = @rm -f $(1) $(wildcard $(addsuffix .tmp??????,$(1)))

# All that is made depends on this file. It changes if other options are used in the same directory. Then the checksums
# are those of files that will be replaced.
OPTIONS := {options} $(VPXENC) $(REBASE) $(ANCHORED_OPTIONS)
{stamp}: ; @rm -f {sums} && printf '%s\n' '$(subst ','\'',$(OPTIONS))' >$@.tmp && mv $@.tmp $@
ifneq ($(file <{stamp}),$(OPTIONS))
{stamp}: FORCE
endif

# A power cut can leave files without their data. The tools note here what they have written; what is something else
# now is made again.
export XC_SUMS := $(CURDIR)/{sums}
ifneq ($(MAKECMDGOALS),clean)
DAMAGED := $(filter-out {given},$(shell command -v xc-check >/dev/null && xc-check --list --sums {sums} .))
ifneq ($(DAMAGED),)
$(DAMAGED): FORCE
endif
endif

clean: {cleaning} ; @rm -f {stamp} {sums}
"""


REGULAR = """# Chunk N is in batch (N - BATCH_FIRST) / BATCH_SIZE, rounded down.
BATCH_SIZE := {size}
BATCH_FIRST := {first}"""

IRREGULAR = """# Batches begin with BATCH_STARTS. They have at most BATCH_SIZE chunks.
BATCH_SIZE := {size}
BATCH_FIRST := {first}
BATCH_STARTS := {starts}"""


def what_batches_are(batches, layout):
    """The variables that tell engines about the layout."""
    return (REGULAR if layout.is_regular else IRREGULAR).format(
        size=layout.most, first=layout.first % layout.most, starts=" ".join(str(batch[0]) for batch in batches))


def in_lines(names):
    """Divides names into groups that are short enough for a line."""
    return [names[i:i + NAMES_PER_LINE] for i in range(0, len(names), NAMES_PER_LINE)]


def rule(step):
    """The rule of one step."""
    outputs, inputs = " ".join(step.outputs), " ".join(step.inputs)
    colon = " &:" if len(step.outputs) > 1 else ":"
    tool = REPLACEABLE.get(step.argv[0], step.argv[0])
    return f"{outputs}{colon} {inputs}\n\t$(call run,{outputs},{inputs}) {' '.join([tool, *step.argv[1:]])}\n"


def last_states(structure, batch, quality):
    """Steps that make the states after a batch. No other step reads them, but they can be asked for by name; so can
    the steps of a chain whose chunks are made in different places."""
    name, previous = graph.stem(batch[-1]), graph.stem(batch[-1] - 1)
    wanted = [(f"{name}-0.state", graph.finished(batch[-1]) if len(batch) == 1 else f"{name}-0.ivf", None)]
    if structure in graph.ANCHORED:
        wanted = [(f"{name}-anchors.state", graph.finished(batch[-1]), len(batch) > 1 and f"{previous}-anchors.state")]
    elif len(batch) > 1:
        wanted += [(f"{name}-1.state", graph.finished(batch[-1]), f"{previous}-{int(len(batch) > 2)}.state")]
    for state, stream, before in wanted:
        yield graph.Step([state], [stream, *([before] if before else [])],
                         ["xc-dump", *(["-S", before] if before else []), stream, state])
    if structure == "prepared":
        yield from graph.chained_again(batch, quality)


def batch_name(batch):
    """The phony target that stands for a batch."""
    return f"batch-{graph.stem(batch[0])}"


def batch_rules(batch, intermediate, optional=()):
    """The rules for a batch as a whole. Its intermediate files are kept until all of it is finished, so that an
    interrupted run can be continued. They are declared secondary, so that a later run does not make them again."""
    name, finished = batch_name(batch), [graph.finished(chunk) for chunk in batch]
    groups = in_lines(intermediate)
    variables = [f"INTERMEDIATE-{graph.stem(batch[0])}" + (f"-{i}" if i else "") for i in range(len(groups))]
    for variable, names in zip(variables, groups):
        yield f"{variable} := {' '.join(names)}\n"
        yield f".SECONDARY: $({variable})\n"
        yield f"$({variable}): {STAMP}\n"
    yield f".PHONY: {name} clean-{name}\n"
    yield f"{name}: {' '.join(finished)} | $(filter {' '.join(optional)},$(MAKECMDGOALS))\n"
    for variable in variables:
        yield f"\t$(call remove,$(filter-out $(MAKECMDGOALS),$({variable})))\n"
    yield f"{' '.join([*finished, *optional])}: {STAMP}\n"
    yield f"clean-{name}:\n"
    for names in [f"$({variable})" for variable in variables] + list(map(" ".join, in_lines([*finished, *optional]))):
        yield f"\t$(call discard,{names})\n"


def step_rules(batch, steps, states):
    """The rules of a batch for engines that run each step by itself: one rule per step."""
    wanted = [graph.finished(chunk) for chunk in batch]
    yield from batch_rules(batch, [name for step in steps for name in step.outputs if name not in wanted],
                           [name for step in states for name in step.outputs])
    for step in [*steps, *states]:
        yield "\n" + rule(step)


def chunk_rules(batch, steps):
    """The rules of a batch for engines that run all steps of a chunk together: two rules per chunk. The first writes
    the chunk's steps to a task file, the second runs the task. A task names the tasks that make what it starts from. So
    task files are written one after another, but tasks run at the same time."""
    yield from batch_rules(batch, [f"{graph.stem(chunk)}.task" for chunk in batch])
    all_made = {output for step in steps for output in step.outputs}
    for chunk in batch:
        name, finished = graph.stem(chunk), graph.finished(chunk)
        own = [step for step in steps if graph.chunk_of(step.outputs[0]) == chunk]
        made = [output for step in own for output in step.outputs]
        read_elsewhere = {name for step in steps if step not in own for name in step.inputs}
        published = " ".join(output for output in made if output in read_elsewhere)
        given = dict.fromkeys(name for step in own for name in step.inputs if name not in all_made)
        awaited = sorted({graph.chunk_of(name) for step in own for name in step.inputs if name in all_made} - {chunk})
        inputs = " ".join([*given, *(f"{graph.stem(earlier)}.task" for earlier in awaited)])
        yield f"\n{name}.task: {inputs}\n\t$(call plan,$@,{finished},{published},{inputs})"
        for step in own:
            yield f" \\\n\t    step '{' '.join(step.outputs)}' '{' '.join(step.inputs)}' {' '.join(step.argv)}"
        yield f"\n{finished}: {name}.task\n\t$(call run,{finished},{name}.task)\n"


def makefile(batches, layout, quality, structure, source=sources.GivenChunks()):
    """The text of the makefile for some batches of a layout, in pieces. `source` has the steps that make the raw
    pictures."""
    names = list(map(batch_name, batches))
    yield PROLOGUE.format(start=graph.stem(batches[0][0]), end=graph.stem(batches[-1][-1]),
                          batches_are=what_batches_are(batches, layout),
                          per_key=layout.most if layout.is_regular else f"at most {layout.most}",
                          finished=" ".join(graph.finished(chunk) for batch in batches for chunk in batch),
                          targets=" ".join(names), cleaning=" ".join(f"clean-{name}" for name in names),
                          options=f"structure {structure}, quality {quality}, {layout}, {source.name}with",
                          stamp=STAMP, sums=SUMS, given=source.given,
                          engine_dir=str(ENGINES).replace("$", "$$").replace("#", "\\#"))
    for batch in batches:
        steps, apart = (sources.all_steps(source, structures, structure, batch, quality, ADDED)
                        for structures in (graph.STRUCTURES, graph.APART))
        yield f"\n# Batch {graph.stem(batch[0])} to {graph.stem(batch[-1])}\n\nifndef WHOLE_CHUNKS\n\n"
        yield from step_rules(batch, steps, list(last_states(structure, batch, quality)))
        yield "\nelse\n\n"
        yield from chunk_rules(batch, apart)
        yield "\nendif\n"
