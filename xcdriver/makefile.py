"""The graph as the text of a makefile."""
import functools

from xcdriver import graph
from xcdriver.places import ENGINES

# make ANCHORED_OPTIONS='...' adds options to each xc-enc of the anchored structure.
STRUCTURES = {**graph.STRUCTURES, "anchored": functools.partial(graph.anchored, options=["$(ANCHORED_OPTIONS)"])}

PROLOGUE = r"""# Chunks {start} to {end}, {size} per key frame. Written by gen_makefile.py.

ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or newer is needed)
endif

FINISHED := {finished}

.PHONY: all clean
all: {batches}
clean: ; rm -f *.ivf *.state *.task

.DELETE_ON_ERROR:

VPXENC ?= xc-vpxenc

# The engine decides how each command is run. It defines $(call run,OUTPUTS,INPUTS), which is put before the command.
# An engine that runs all steps of a chunk in one place sets WHOLE_CHUNKS and gets other rules (engine-lambda-chunk.mk).
ENGINE ?= local
ENGINE_DIR ?= {engine_dir}
# In an include line, a space in a name needs a backslash before it. "$() " stands for a space.
include $(subst $() ,\ ,$(ENGINE_DIR))/engine-$(ENGINE).mk
"""


def rule(step):
    """The rule of one step."""
    outputs, inputs = " ".join(step.outputs), " ".join(step.inputs)
    colon = " &:" if len(step.outputs) > 1 else ":"
    tool = "$(VPXENC)" if step.argv[0] == "xc-vpxenc" else step.argv[0]
    return f"{outputs}{colon} {inputs}\n\t$(call run,{outputs},$^) {' '.join([tool, *step.argv[1:]])}\n"


def batch_name(batch):
    """The phony target that stands for a batch."""
    return f"batch-{graph.stem(batch[0])}"


def batch_rules(batch, intermediate):
    """The rules for a batch as a whole. Its intermediate files are kept until all of it is finished, so that an
    interrupted run can be continued. They are declared secondary, so that a later run does not make them again."""
    variable = f"INTERMEDIATE-{graph.stem(batch[0])}"
    yield f"{variable} := {' '.join(intermediate)}\n"
    yield f".SECONDARY: $({variable})\n"
    yield f".PHONY: {batch_name(batch)}\n"
    yield f"{batch_name(batch)}: {' '.join(map(graph.finished, batch))}\n\t$(if $(KEEP),,@rm -f $({variable}))\n"


def step_rules(batch, steps):
    """The rules of a batch for engines that run each step by itself: one rule per step."""
    wanted = [graph.finished(chunk) for chunk in batch]
    yield from batch_rules(batch, [name for step in steps for name in step.outputs if name not in wanted])
    for step in steps:
        yield "\n" + rule(step)


def chunk_rules(batch, steps):
    """The rules of a batch for engines that run all steps of a chunk together: two rules per chunk. The first writes
    the chunk's steps to a task file, the second runs the task. A task names the task that makes the states it starts
    from. So task files are written one after another, but tasks run at the same time."""
    yield from batch_rules(batch, [f"{graph.stem(chunk)}.task" for chunk in batch])
    for chunk in batch:
        name, finished = graph.stem(chunk), graph.finished(chunk)
        own = [step for step in steps if graph.chunk_of(step.outputs[0]) == chunk]
        made = [output for step in own for output in step.outputs]
        read_elsewhere = {name for step in steps if step not in own for name in step.inputs}
        published = " ".join(output for output in made if output in read_elsewhere)
        before = "" if chunk == batch[0] else f" {graph.stem(chunk - 1)}.task"
        yield f"\n{name}.task: {graph.raw(chunk)}{before}\n\t$(call plan,$@,{finished},{published},$^)"
        for step in own:
            yield f" \\\n\t    step '{' '.join(step.outputs)}' '{' '.join(step.inputs)}' {' '.join(step.argv)}"
        yield f"\n{finished}: {name}.task\n\t$(call run,{finished},{name}.task)\n"


def makefile(start, end, size, quality, structure):
    """The text of the makefile for the chunks from start to end, both included, in pieces."""
    batches = graph.batches(start, end, size)
    yield PROLOGUE.format(start=graph.stem(start), end=graph.stem(end), size=size,
                          finished=" ".join(map(graph.finished, range(start, end + 1))),
                          batches=" ".join(map(batch_name, batches)),
                          engine_dir=str(ENGINES).replace("$", "$$").replace("#", "\\#"))
    for batch in batches:
        steps = STRUCTURES[structure](batch, quality)
        yield f"\n# Batch {graph.stem(batch[0])} to {graph.stem(batch[-1])}\n\nifndef WHOLE_CHUNKS\n\n"
        yield from step_rules(batch, steps)
        yield "\nelse\n\n"
        yield from chunk_rules(batch, steps)
        yield "\nendif\n"
