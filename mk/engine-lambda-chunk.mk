# SPDX-License-Identifier: BSD-2-Clause
# The engine that runs all steps of a chunk as one function on AWS Lambda (docs/lambda.md). The functions of a batch
# run at the same time, and each hands its states to the next one through S3.
#
# $(call plan,TASK,OUTPUTS,PUBLISHED,INPUTS) stands before the steps of a chunk, and writes them down as a task.
LAMBDA_DIR ?= $(ENGINE_DIR)/../lambda
# For the shell, whatever characters are in it.
scripts := '$(subst ','\'',$(LAMBDA_DIR))'
WHOLE_CHUNKS := yes
plan = @$(scripts)/plan '$(1)' '$(2)' '$(3)' '$(filter-out FORCE,$(4))'
run = @$(scripts)/run '$(1)' '$(2)' '$(filter $(1),$(FINISHED))'

# Tasks that an interrupted run has left are written down anew: the tools, or the makefile, may be others now. What comes
# out the same stays as it is, and so does what was made of it.
.PHONY: FORCE
$(wildcard *.task): FORCE

# By this name the functions know whether a failure that they hear of is one of this run (lambda/bootstrap).
export XC_LAMBDA_RUN := $(or $(XC_LAMBDA_RUN),$(strip $(shell od -A n -N 8 -t x8 /dev/urandom)))
