# ExCamera in C. The README's two commands are `make demo` and `make check`; `make help` lists the others.

VERSION := 0.1.0

.DEFAULT_GOAL := tools
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

include mk/config.mk  # which compiler and flags, and in which directory
include mk/build.mk   # the library, the tools, the test programs
include mk/install.mk # what goes where on a system
include mk/newcomer.mk # setup, demo, check
include mk/bench.mk  # measurements
include mk/lambda.mk  # the function for AWS Lambda and what speaks with it

.PHONY: help
help:
	@sed -n 's/^#: //p' Makefile

#: make                  the tools, in bin/
#: make static           the tools without shared libraries, in bin/static/
#: make lib              the library, build/release/libexcamera.a
#: make test-programs    the programs of test/, in build/release/
#: make lambda           what ENGINE=lambda needs, in bin/lambda/
#: make demo             install what is missing, build, encode a short film, compare with vpxenc
#: make check            install what is missing, build, run all tests
#: make check-lambda     the same for the remote engines, on this machine
#: make bench            how fast and how large the tools are, side by side with others; FILMS='A.y4m B.y4m', or one is made
#: make format           clang-format all C sources; make check-format only looks
#: make setup            only install what is missing
#: make install          PREFIX=/usr/local DESTDIR=; make install-lambda, the remote engines as well
#: make clean            remove build/ and bin/
#:
#: BUILD=debug           without optimization, in build/debug/ (its tools: build/debug/bin/)
#: SANITIZE=address,undefined   with these sanitizers, in build/release-address-undefined/
#: CC=clang              with another compiler, in build/release-clang/; a cross compiler will do
#: CFLAGS, CPPFLAGS, LDFLAGS    are added to ours
#: V=1                   print whole commands

.PHONY: clean
clean:
	rm -rf build bin
