# SPDX-License-Identifier: BSD-2-Clause
# The engine that runs all steps of a chunk as one function on AWS Lambda (docs/lambda.md). The functions of a batch
# run at the same time, and each hands its states to the next one through S3.
#
# $(call plan,TASK,OUTPUTS,PUBLISHED,INPUTS) stands before the steps of a chunk, and writes them down as a task.
include $(subst $() ,\ ,$(ENGINE_DIR))/lambda-engines.mk
WHOLE_CHUNKS := yes
plan = @$(scripts)/plan '$(1)' '$(2)' '$(3)' '$(filter-out FORCE,$(4))'

# Tasks that an interrupted run has left are written down anew: the tools, or the makefile, may be others now. What comes
# out the same stays as it is, and so does what was made of it.
.PHONY: FORCE
$(wildcard *.task): FORCE
