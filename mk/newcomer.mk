# SPDX-License-Identifier: BSD-2-Clause
# From a fresh clone to something that runs. Building is a make of its own, which finds what the set-up has installed
# when it reads its makefiles.

.PHONY: setup demo check
setup:
	mk/setup build demo test

demo:
	mk/setup build demo
	$(MAKE) -j"$$(nproc)" tools test-programs
	mk/demo $(OUT) build/demo

check:
	mk/setup build demo test
	$(MAKE) -j"$$(nproc)" tools test-programs
	XC_BIN=$(BIN) XC_BUILD=$(OUT) test/run
