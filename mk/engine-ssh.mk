# SPDX-License-Identifier: BSD-2-Clause
# The engine that runs each recipe line on one of several machines, by ssh (docs/engines.md). Finished chunks come here.
# Other files stay on the machine that makes them, and references stand for them here.
#
# HOSTS="big/8 small/4 :" are the machines, with how many steps each runs at once; : is this one.
HOSTS_DIR ?= $(ENGINE_DIR)/../hosts
# For the shell, whatever characters are in it.
hosts := '$(subst ','\'',$(HOSTS_DIR))'
# What python3 is may be a script that looks for it, too slow to be run with each step (pyenv).
PYTHON := '$(subst ','\'',$(shell python3 -c 'import sys; print(sys.executable)'))'
run = @$(PYTHON) -S -E $(hosts)/ssh-step '$(1)' '$(2)' '$(filter $(1),$(FINISHED))'

# States travel, so they are compressed unless XC_COMPRESS_STATES=0 says otherwise (docs/state-file.md).
XC_COMPRESS_STATES ?= 1
export HOSTS SSH_OPTIONS HOSTS_CACHE STEP_TIMEOUT TIMINGS XC_COMPRESS_STATES
# By this name steps know what others of the same run have found out about the hosts.
export XC_HOSTS_RUN := $(strip $(shell od -A n -N 8 -t x8 /dev/urandom))

# As many steps at once as the hosts have slots, unless make is told otherwise.
# (What is exported, $(shell) gets from make 4.4 on.)
SLOTS := $(shell HOSTS='$(subst ','\'',$(HOSTS))' $(PYTHON) $(hosts)/xc-hosts slots 2>&1)
ifeq ($(.SHELLSTATUS),0)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(SLOTS)
endif
else
$(error $(SLOTS))
endif

# When all chunks are finished, nothing of the film stays on the hosts.
ifndef KEEP
.PHONY: tidy-hosts
all: tidy-hosts
tidy-hosts: $(FINISHED) ; @$(PYTHON) $(hosts)/xc-hosts tidy
endif
