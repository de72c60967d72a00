# The configuration: BUILD, SANITIZE and CC choose it, and each has a directory of its own.

BUILD ?= release
SANITIZE ?=

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := $(or $(shell $(CC) -print-prog-name=ar 2>/dev/null),ar)
endif
OBJCOPY ?= $(or $(shell $(CC) -print-prog-name=objcopy 2>/dev/null),objcopy)

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
    -Wstrict-prototypes -Wmissing-prototypes -Werror

# A multiplication and an addition contracted into one rounding would make results depend on the machine; the directory,
# which the debugger is told, would make the tools themselves depend on where they were built.
DETERMINISM := -ffp-contract=off -ffile-prefix-map=$(CURDIR)=.

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

ALL_CPPFLAGS := -D_POSIX_C_SOURCE=200809L -DXC_VERSION='"$(VERSION)"' -Ilib/include -Ilib $(CPPFLAGS)
ALL_CFLAGS := -std=c11 $(OPTIMIZE) -g $(DETERMINISM) -pthread $(WARNINGS) $(SANITIZERS) $(CFLAGS)
ALL_LDFLAGS := -pthread $(SANITIZERS) $(LDFLAGS)
