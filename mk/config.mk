# SPDX-License-Identifier: BSD-2-Clause
# The configuration: BUILD, SANITIZE and CC choose it, and each has a directory of its own.

BUILD ?= release
SANITIZE ?=

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := $(or $(shell $(CC) -print-prog-name=ar 2>/dev/null),ar)
endif
NM ?= $(or $(shell $(CC) -print-prog-name=nm 2>/dev/null),nm)
OBJCOPY ?= $(or $(shell $(CC) -print-prog-name=objcopy 2>/dev/null),objcopy)
OBJDUMP ?= $(or $(shell $(CC) -print-prog-name=objdump 2>/dev/null),objdump)

# A word for the shell, whatever characters are in it.
quote = '$(subst ','\'',$(1))'
comma := ,
empty :=
space := $(empty) $(empty)
CONFIG := $(subst $(space),-,$(strip $(BUILD) $(filter-out gcc,$(notdir $(CC))) $(subst $(comma),$(space),$(SANITIZE))))

OUT := build/$(CONFIG)
ifeq ($(CONFIG),release)
BIN := bin
else
BIN := $(OUT)/bin
endif

# The machine that CC compiles for. Before `make setup` there may be no compiler: then this one.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null || uname -m)))

WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 \
    -Wstrict-prototypes -Wmissing-prototypes -Wpedantic

# A compiler that is newer than the sources may know warnings that they have not been tried with. Only those who change
# the sources are stopped by one.
ifneq ($(WERROR),)
WARNINGS_ARE_ERRORS := -Werror
endif

# A multiplication and an addition contracted into one rounding would make results depend on the machine; the directory,
# which the debugger is told, would make the tools depend on where they were built. Every directory calls itself
# /proc/self/cwd, and compilers believe PWD when it names the directory that they are in. So the directory's real name,
# in which there may be any character, is on no command line.
DETERMINISM := -ffp-contract=off -ffile-prefix-map=/proc/self/cwd=.
SAME_DIRECTORY := PWD=/proc/self/cwd

# The library's objects are for programs and for shared objects. No other definition of a function can come in between.
POSITION_INDEPENDENT := -fPIC -fno-semantic-interposition

ifeq ($(BUILD),release)
OPTIMIZE := -O3
else ifeq ($(BUILD),debug)
OPTIMIZE := -O0
else
$(error BUILD is release or debug, not $(BUILD))
endif

ifneq ($(SANITIZE),)
SANITIZERS := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

ALL_CPPFLAGS := -D_POSIX_C_SOURCE=200809L -Ilib/include -Ilib $(CPPFLAGS)
ALL_CFLAGS := -std=c11 $(OPTIMIZE) -g $(DETERMINISM) $(POSITION_INDEPENDENT) -pthread $(WARNINGS) $(SANITIZERS) \
    $(CFLAGS)
ALL_LDFLAGS := -pthread $(SANITIZERS) $(LDFLAGS)
