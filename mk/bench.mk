# SPDX-License-Identifier: BSD-2-Clause
# make bench: how fast the tools are, against what docs/performance.md promises.

FILMS ?=
RUNS ?= 9

.PHONY: bench
bench: tools test-programs
	bench/speed.py --bin $(BIN) --build $(OUT) --out build/bench --runs $(RUNS) $(FILMS)
