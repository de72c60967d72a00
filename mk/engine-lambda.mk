# SPDX-License-Identifier: BSD-2-Clause
# The engine that runs each recipe line as a function on AWS Lambda (docs/lambda.md). Finished chunks come here; of all
# other files only references do.
LAMBDA_DIR ?= $(ENGINE_DIR)/../lambda
# For the shell, whatever characters are in it.
scripts := '$(subst ','\'',$(LAMBDA_DIR))'
run = @$(scripts)/run '$(1)' '$(2)' '$(filter $(1),$(FINISHED))'
