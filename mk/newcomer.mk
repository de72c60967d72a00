# From a fresh clone to something that runs. Each step is a make of its own: what an earlier one installs and builds, the
# makefiles of the next one find when they are read.

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
