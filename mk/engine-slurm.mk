# SPDX-License-Identifier: BSD-2-Clause
# The engine for clusters that are run by Slurm (docs/engines.md). All nodes see this directory and the tools.
#
# SLURM_MODE=steps, inside salloc or sbatch: each recipe line is a job step on a node of the allocation.
# SLURM_MODE=jobs, elsewhere: all steps of a chunk are one job. SLURM_OPTIONS are for srun or sbatch.
HOSTS_DIR ?= $(ENGINE_DIR)/../hosts
SLURM_MODE ?= $(if $(SLURM_JOB_ID),steps,jobs)
# For the shell, whatever characters are in it.
hosts := '$(subst ','\'',$(HOSTS_DIR))'
# What python3 is may be a script that looks for it, too slow to be run with each step (pyenv).
PYTHON := '$(subst ','\'',$(shell python3 -c 'import sys; print(sys.executable)'))'
export SLURM_OPTIONS STEP_TIMEOUT TIMINGS
# By this name steps and jobs know what others of the same run of make have found out.
RUN := $(strip $(shell od -A n -N 8 -t x8 /dev/urandom))

ifeq ($(SLURM_MODE),steps)

export XC_HOSTS_RUN := $(RUN)
export XC_SLURM_NODES := $(shell $(hosts)/slurm-nodes)
ifneq ($(.SHELLSTATUS),0)
$(error SLURM_MODE=steps is for the inside of an allocation: salloc -n 16 make ...)
endif
SLOTS := $(shell echo '$(XC_SLURM_NODES)' | tr ' ' '\n' | awk -F / '{ sum += $$2 } END { print sum }')
run = @$(PYTHON) -S -E $(hosts)/slurm-step '$(1)' '$(2)' '$(filter $(1),$(FINISHED))'

else

export XC_SLURM_RUN := $(RUN)
WHOLE_CHUNKS := yes
SLOTS := 16
plan = @$(PYTHON) -S -E $(hosts)/slurm-plan '$(1)' '$(2)' '$(3)' '$(filter-out FORCE,$(4))'
run = @$(PYTHON) -S -E $(hosts)/slurm-chunk '$(2)'

# Tasks that an interrupted run has left are written down anew: the tools, or the makefile, may be others now.
.PHONY: FORCE
$(wildcard *.task): FORCE

endif

# As many steps or jobs at once, unless make is told otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(SLOTS)
endif

ifndef KEEP
.PHONY: tidy-slurm
all: tidy-slurm
tidy-slurm: $(FINISHED) ; @rm -rf .xc-slurm .xc-hosts
endif
