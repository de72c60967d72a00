# SPDX-License-Identifier: BSD-2-Clause
# ExCamera in C. `make setup` installs what is missing, `make` builds the tools; `make help` lists what else there is.

# BSD make takes this line for an error and prints it; to GNU make it is a rule that nothing needs.
.error ExCamera needs GNU make. On BSD it is called: gmake

ifneq ($(filter 3.% 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)),)
$(error ExCamera needs GNU make 4.2 (2016) or a later one; this is $(MAKE_VERSION))
endif

# In an empty environment the shell still knows where programs are, but make does not.
ifndef PATH
export PATH := $(shell echo "$$PATH")
endif

VERSION := $(shell sed -n 's/^.define XC_VERSION_[A-Z]* //p' lib/include/excamera/version.h | paste -s -d . -)

.DEFAULT_GOAL := tools
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

include mk/config.mk  # which compiler and flags, and in which directory
include mk/build.mk   # the library, the tools, the test programs
include mk/install.mk # what goes where on a system
include mk/names.mk # other names of tools
include mk/man.mk # man pages and completions
include mk/dist.mk # archives and packages
include mk/newcomer.mk # setup, demo, check
include mk/bench.mk  # measurements
include mk/lambda.mk  # the function for AWS Lambda and what speaks with it

.PHONY: help
help:
	@sed -n 's/^#: //p' Makefile

#: make                  the tools, in bin/
#: make static           the tools without shared libraries, in bin/static/
#: make lib              the library, build/release/libexcamera.a and .so
#: make test-programs    the programs of test/, in build/release/
#: make lambda           what ENGINE=lambda needs, in bin/lambda/
#: make demo             install what is missing, build, encode a short film, compare with vpxenc
#: make check            install what is missing, build, run all tests
#: make check-lambda     the same for the remote engines, on this machine
#: make bench            how fast and how large the tools are, side by side with others; FILMS='A.y4m B.y4m', or one is made
#: make format           clang-format all C sources; make check-format only looks
#: make setup            only install what is missing
#: make install          PREFIX=/usr/local DESTDIR=; make install-lambda, the remote engines as well
#: make man              man pages and completions, in build/release/man/; make install-man installs them
#: make uninstall        remove what both have installed, given the same PREFIX and DESTDIR
#: make dist, tarball    the sources, the static tools, each as an archive with its SHA-256, in build/dist/
#: make deb              packages for Debian, in build/deb/; DEBFULLNAME= and DEBEMAIL= say who makes them
#: make clean            remove build/ and bin/
#:
#: BUILD=debug           without optimization, in build/debug/ (its tools: build/debug/bin/)
#: SANITIZE=address,undefined   with these sanitizers, in build/release-address-undefined/
#: CC=clang              with another compiler, in build/release-clang/; a cross compiler will do
#: CFLAGS, CPPFLAGS, LDFLAGS    are added to ours
#: WERROR=1              a warning is an error, as in CI
#: V=1                   print whole commands

.PHONY: clean
clean:
	rm -rf build bin
