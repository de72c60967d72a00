# SPDX-License-Identifier: BSD-2-Clause
# The engine that runs each recipe line as a function on AWS Lambda (docs/lambda.md). Finished chunks come here; of all
# other files only references do.
include $(subst $() ,\ ,$(ENGINE_DIR))/lambda-engines.mk
