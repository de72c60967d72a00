# SPDX-License-Identifier: BSD-2-Clause
# The local engine: a recipe line is run as it stands. TIMINGS=timings.tsv writes down what each step took
# (docs/latency.md).
#
# An engine is a file engine-NAME.mk beside this one, chosen by `make ENGINE=NAME`. It defines `run`, which stands
# before each command of the generated makefile, called with $(1), the files that the command writes, and $(2), the
# files that it reads. Those of $(1) that are in $(FINISHED) must be here when the command is done; about the others,
# the engine only has to know where they are when a later command reads them. It may leave references in their places:
# text files whose first line is "XCREF COMMAND". The tools refuse them, and tell the user that COMMAND with the file's
# name fetches the file.
run = $(if $(TIMINGS),xc-timed -- '$(TIMINGS)' '$(1)' '$(2)')
