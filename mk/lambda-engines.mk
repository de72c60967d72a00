# SPDX-License-Identifier: BSD-2-Clause
# What both engines on AWS Lambda need of make (engine-lambda.mk, engine-lambda-chunk.mk; docs/lambda.md).
LAMBDA_DIR ?= $(ENGINE_DIR)/../lambda
# For the shell, whatever characters are in it.
scripts := '$(subst ','\'',$(LAMBDA_DIR))'
run = @$(scripts)/run '$(1)' '$(2)' '$(filter $(1),$(FINISHED))'

# By this name the functions know whether a failure that they hear of is one of this run (lambda/worker/life.h), and the
# wrappers find the process that makes their requests (lambda/requester.h).
export XC_LAMBDA_RUN := $(or $(XC_LAMBDA_RUN),$(strip $(shell od -A n -N 8 -t x8 /dev/urandom)))

# Each of several regions has to be ready before anything is started.
# (What is exported, $(shell) gets from make 4.4 on.)
ifneq ($(word 2,$(XC_LAMBDA_REGIONS)),)
# The batch of a chunk decides about its region (lambda/place.h). The kernel limits a variable to 128 kB.
ifneq ($(word 14000,$(BATCH_STARTS)),)
$(error ENGINE=$(ENGINE): 14000 batches of different lengths are too many for several regions; make some at a time)
endif
export XC_LAMBDA_BATCH := $(strip $(BATCH_SIZE) $(BATCH_FIRST) $(BATCH_STARTS))
ifneq ($(filter-out clean clean-%,$(or $(MAKECMDGOALS),all)),)
WRONG := $(shell programs=$${XC_LAMBDA_PROGRAMS:-$(scripts)/../bin/lambda}; \
    XC_LAMBDA_REGIONS='$(subst ','\'',$(XC_LAMBDA_REGIONS))' "$$programs/xc-remote" check 2>&1)
ifneq ($(.SHELLSTATUS),0)
$(error $(WRONG))
endif
endif
endif
