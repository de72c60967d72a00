# SPDX-License-Identifier: BSD-2-Clause
# What is built from what: every file is found by its place and name.
#
#   lib/*/*.c, lib/dsp/$(KERNELS)/*.c   the library
#   tools/xc-NAME.c                     a tool
#   tools/NAME_*.c                      what only xc-NAME is made of
#   other tools/*.c                     what all tools share
#   test/NAME.c, test/NAME/*.c          a test program

# Kernels for instruction sets that CC's machine can have.
KERNELS-x86_64 := simd x86
KERNELS-aarch64 := simd arm
KERNELS := $(KERNELS-$(MACHINE))

# zeroed_malloc.c belongs to the copy of libvpx (below).
ALLOCATOR_SOURCE := lib/vpx/zeroed_malloc.c
LIB_SOURCES := $(filter-out $(ALLOCATOR_SOURCE),$(wildcard lib/*/*.c $(KERNELS:%=lib/dsp/%/*.c)))
HEADERS := $(wildcard lib/include/excamera/*.h)
TOOL_SOURCES := $(wildcard tools/xc-*.c)
TEST_SOURCES := $(wildcard test/*.c)
NAMES := $(TOOL_SOURCES:tools/xc-%.c=%)
PRIVATE_SOURCES := $(wildcard $(NAMES:%=tools/%_*.c))
SHARED_SOURCES := $(filter-out $(TOOL_SOURCES) $(PRIVATE_SOURCES),$(wildcard tools/*.c))

TOOLS := $(NAMES:%=$(BIN)/xc-%)
STATIC_TOOLS := $(NAMES:%=$(BIN)/static/xc-%)
TEST_PROGRAMS := $(TEST_SOURCES:test/%.c=$(OUT)/%)
LIBRARY := $(OUT)/libexcamera.a

# Before 1.0, another minor version is another binary interface.
INTERFACE := $(basename $(VERSION))
SONAME := libexcamera.so.$(INTERFACE)
SHARED_LIBRARY := $(OUT)/libexcamera.so.$(VERSION)

# What the library itself needs, and what single programs need besides.
# libvpx comes from its archive where there is one: a tool starts faster, and a copy of it can be given zeroed memory
# (lib/vpx/zeroed_malloc.c).
VPX_ARCHIVE := $(filter /%,$(shell $(CC) -print-file-name=libvpx.a 2>/dev/null))
VPX := $(if $(VPX_ARCHIVE),$(OUT)/libexcamera-vpx.a)
LIBS := -lxxhash -lz -lm
LIBS-xc-decode := -lmd
LIBS-xc-dissect := -lyuv -ljpeg -lpng
LIBS-xc-png2y4m := -lpng
LIBS-xc-ssim := -lyuv -ljpeg
LIBS-unit_alloc := $(foreach f,malloc calloc realloc aligned_alloc free pthread_create,-Wl$(comma)--wrap=$(f))

.PHONY: tools static lib test-programs
tools: $(TOOLS)
static: $(OUT)/found-static $(STATIC_TOOLS)
lib: $(LIBRARY) $(SHARED_LIBRARY)
test-programs: $(TEST_PROGRAMS)

object = $(patsubst %.c,$(OUT)/%.o,$(1))
COMPILE := $(SAME_DIRECTORY) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)

# Whole commands are printed with V=1, otherwise only what each makes.
Q := $(if $(V),,@)
say = @$(if $(V),:,echo '  $(1)  $@')

$(OUT)/%.o: %.c $(OUT)/flags | $(OUT)/found-build
	$(call say,CC  )
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(WARNINGS_ARE_ERRORS) -MMD -MP -c -o $@ $<

$(LIBRARY): $(call object,$(LIB_SOURCES)) $(OUT)/sources
	$(call say,AR  )
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

ifdef VPX
$(VPX): $(VPX_ARCHIVE) $(call object,$(ALLOCATOR_SOURCE))
	$(call say,COPY)
	$(Q)$(OBJCOPY) --redefine-sym malloc=xc_zeroed_malloc $< $@
	$(Q)$(AR) rs $@ $(filter %.o,$^)
endif

# Symbols that the public headers do not mention stay inside. What is linked into it has to be there (-z defs); the
# sanitizers, however, come with the program.
$(OUT)/exports: mk/exports $(LIBRARY) $(HEADERS)
	$(Q)cat $(HEADERS) | mk/exports EXCAMERA_$(INTERFACE) $(LIBRARY) $(NM) $(CC) $(ALL_CPPFLAGS) >$@

$(SHARED_LIBRARY): $(OUT)/exports $(LIBRARY) $(VPX)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script,$< \
	    $(if $(SANITIZE),,-Wl$(comma)-z$(comma)defs) -o $@ -Wl,--whole-archive $(LIBRARY) -Wl,--no-whole-archive \
	    $(or $(VPX),-lvpx) $(LIBS)

define link
$(call say,LINK)
@mkdir -p $(@D)
$(Q)$(CC) $(ALL_LDFLAGS) $(1) -o $@ $(filter %.o,$^) $(LIBRARY) $(or $(VPX),-lvpx) $(LIBS-$(@F)) $(LIBS)
endef

parts = $(call object,tools/xc-$(1).c $(filter tools/$(1)_%,$(PRIVATE_SOURCES)) $(SHARED_SOURCES)) $(LIBRARY) $(VPX)

.SECONDEXPANSION:
$(TOOLS): $(BIN)/xc-%: $$(call parts,$$*)
	$(call link)

$(STATIC_TOOLS): $(BIN)/static/xc-%: $$(call parts,$$*) | $(OUT)/found-static
	$(call link,-static)

$(TEST_PROGRAMS): $(OUT)/%: $$(call object,test/$$*.c $$(wildcard test/$$*/*.c)) $(LIBRARY) $(VPX)
	$(call link)

# The tables keep the layout of the standard's. Versions of clang-format differ in what they do.
.PHONY: format check-format
CLANG_FORMAT ?= clang-format-16
format: FORMAT_HOW := -i
check-format: FORMAT_HOW := --dry-run -Werror
format check-format:
	@$(CLANG_FORMAT) $(FORMAT_HOW) $(filter-out %/tables.c %/cost.c,$(wildcard lib/*/*.[ch] lib/*/*/*.[ch] tools/*.[ch] lambda/*.[ch] lambda/*/*.[ch] test/*.[ch] test/*/*.[ch] examples/*.[ch]))

# Files that change only when what they hold does: the command that compiles, upon which everything is compiled anew,
# and the library's sources, so that it does not keep the object of one that is gone. They are compared when makefiles
# are read, not by a recipe: make -q then knows that there is nothing to do.
$(OUT)/flags: TEXT := $(COMPILE) $(ALL_LDFLAGS)
$(OUT)/sources: TEXT := $(LIB_SOURCES)
ifneq ($(file <$(OUT)/flags),$(COMPILE) $(ALL_LDFLAGS))
$(OUT)/flags: FORCE
endif
ifneq ($(file <$(OUT)/sources),$(LIB_SOURCES))
$(OUT)/sources: FORCE
endif
$(OUT)/flags $(OUT)/sources:
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(TEXT)) >$@

.PHONY: FORCE
FORCE:

# What has to be on the system is looked for once in each configuration. What is missing is then said in words, in place
# of a compiler's errors.
missing = $(shell mk/setup --missing $(1) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(2) 2>&1)
find = $(if $(call missing,$(1),$(2)),$(error $(call missing,$(1),$(2))))
$(addprefix $(OUT)/found-,build lambda function): $(OUT)/found-%: $(OUT)/flags
	$(call find,$*)
	@touch $@

$(OUT)/found-static: $(OUT)/found-build
	$(call find,build,-static)
	@touch $@

# Touching a file that was never made would leave an empty one.
ifneq ($(findstring t,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
BUILT := $(call object,$(LIB_SOURCES) $(wildcard tools/*.c)) $(LIBRARY) $(TOOLS)
NOT_BUILT := $(filter-out $(wildcard $(BUILT)),$(BUILT))
$(if $(NOT_BUILT),$(error make -t is for what has been built before, and $(firstword $(NOT_BUILT)) has not))
endif

# Which headers each object came from, as the compiler has written it down.
-include $(patsubst %.o,%.d,$(call object,$(LIB_SOURCES) $(wildcard tools/*.c test/*/*.c) $(TEST_SOURCES)))
