# What is built from what: every file is found by its place and name.
#
#   lib/*/*.c, lib/dsp/$(KERNELS)/*.c   the library
#   tools/xc-NAME.c                     a tool
#   tools/NAME_*.c                      what only xc-NAME is made of
#   other tools/*.c                     what all tools share
#   test/*.c                            a test program each

# Kernels for instruction sets that CC's machine can have.
KERNELS-x86_64 := simd x86
KERNELS-aarch64 := simd arm
KERNELS := $(KERNELS-$(MACHINE))

LIB_SOURCES := $(wildcard lib/*/*.c $(KERNELS:%=lib/dsp/%/*.c))
TOOL_SOURCES := $(wildcard tools/xc-*.c)
TEST_SOURCES := $(wildcard test/*.c)
NAMES := $(TOOL_SOURCES:tools/xc-%.c=%)
PRIVATE_SOURCES := $(wildcard $(NAMES:%=tools/%_*.c))
SHARED_SOURCES := $(filter-out $(TOOL_SOURCES) $(PRIVATE_SOURCES),$(wildcard tools/*.c))

TOOLS := $(NAMES:%=$(BIN)/xc-%)
STATIC_TOOLS := $(NAMES:%=$(BIN)/static/xc-%)
TEST_PROGRAMS := $(TEST_SOURCES:test/%.c=$(OUT)/%)
LIBRARY := $(OUT)/libexcamera.a

# What the library itself needs, and what single programs need besides.
# libvpx comes from its archive where there is one: a tool starts faster, and a copy of it can be given zeroed memory
# (lib/vpx/zeroed_malloc.c).
VPX_ARCHIVE := $(filter /%,$(shell $(CC) -print-file-name=libvpx.a 2>/dev/null))
VPX := $(if $(VPX_ARCHIVE),$(OUT)/libexcamera-vpx.a)
LIBS := -lxxhash -lyuv -lm
LIBS-xc-decode := -lmd

.PHONY: tools static lib test-programs
tools: $(TOOLS)
static: $(STATIC_TOOLS)
lib: $(LIBRARY)
test-programs: $(TEST_PROGRAMS)

object = $(patsubst %.c,$(OUT)/%.o,$(1))
COMPILE := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)

# Whole commands are printed with V=1, otherwise only what each makes.
Q := $(if $(V),,@)
say = @$(if $(V),:,echo '  $(1)  $@')

$(OUT)/%.o: %.c $(OUT)/flags
	$(call say,CC  )
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(LIBRARY): $(call object,$(LIB_SOURCES)) $(OUT)/sources
	$(call say,AR  )
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

ifdef VPX
$(VPX): $(VPX_ARCHIVE) $(OUT)/flags
	$(call say,COPY)
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --redefine-sym malloc=xc_zeroed_malloc $< $@
endif

define link
$(call say,LINK)
@mkdir -p $(@D)
$(Q)$(CC) $(ALL_LDFLAGS) $(1) -o $@ $(filter %.o,$^) $(LIBRARY) $(or $(VPX),-lvpx) $(LIBRARY) $(LIBS-$(@F)) $(LIBS)
endef

parts = $(call object,tools/xc-$(1).c $(filter tools/$(1)_%,$(PRIVATE_SOURCES)) $(SHARED_SOURCES)) $(LIBRARY) $(VPX)

.SECONDEXPANSION:
$(TOOLS): $(BIN)/xc-%: $$(call parts,$$*)
	$(call link)

$(STATIC_TOOLS): $(BIN)/static/xc-%: $$(call parts,$$*)
	$(call link,-static)

$(TEST_PROGRAMS): $(OUT)/%: $(OUT)/test/%.o $(LIBRARY) $(VPX)
	$(call link)

# The tables keep the layout of the standard's. Versions of clang-format differ in what they do.
.PHONY: format check-format
CLANG_FORMAT ?= clang-format-16
format: FORMAT_HOW := -i
check-format: FORMAT_HOW := --dry-run -Werror
format check-format:
	@$(CLANG_FORMAT) $(FORMAT_HOW) $(filter-out %/tables.c %/cost.c,$(wildcard lib/*/*.[ch] lib/*/*/*.[ch] tools/*.[ch] lambda/*.[ch] test/*.[ch]))

# Files that change only when what they hold does: the command that compiles, upon which everything is compiled anew,
# and the library's sources, so that it does not keep the object of one that is gone.
$(OUT)/flags: export TEXT := $(COMPILE) $(ALL_LDFLAGS)
$(OUT)/sources: export TEXT := $(LIB_SOURCES)
$(OUT)/flags $(OUT)/sources: FORCE
	@mkdir -p $(@D)
	@echo "$$TEXT" | cmp -s - $@ || echo "$$TEXT" >$@

.PHONY: FORCE
FORCE:

# Which headers each object came from, as the compiler has written it down.
-include $(patsubst %.o,%.d,$(call object,$(LIB_SOURCES) $(wildcard tools/*.c) $(TEST_SOURCES)))
