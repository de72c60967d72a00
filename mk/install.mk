# SPDX-License-Identifier: BSD-2-Clause
# make install: the tools, the driver and what it needs, the library with its headers. make uninstall removes them.
#
# excamera and gen_makefile.py are links in bin: Python finds the package beside the file that a link points to.

PREFIX ?= /usr/local
DESTDIR ?=
INSTALL ?= install

SCRIPTS := excamera gen_makefile.py
HOSTS_PROGRAMS := xc-hosts ssh-step worker slurm-nodes slurm-step node-step slurm-plan slurm-chunk slurm-job

# What goes where: calls ACTION with a mode, a directory below PREFIX, and files, again and again.
# $(call files,ACTION)
define files
$(call $(1),755,bin,$(TOOLS))
$(call $(1),755,share/excamera,$(SCRIPTS))
$(call $(1),644,share/excamera/xcdriver,$(wildcard xcdriver/*.py))
$(call $(1),644,share/excamera/xcdriver/report,$(wildcard xcdriver/report/*.*))
$(call $(1),644,share/excamera/mk,$(wildcard mk/engine-*.mk) mk/lambda-engines.mk mk/chunk-tools mk/tool-programs)
$(call $(1),755,share/excamera/hosts,$(addprefix hosts/,$(HOSTS_PROGRAMS)))
$(call $(1),644,share/excamera/hosts,$(wildcard hosts/*.py))
$(call $(1),644,lib,$(LIBRARY) $(VPX) $(SHARED_LIBRARY))
$(call $(1),644,include/excamera,$(HEADERS))
endef
DIRECTORIES = $(call files,directory) lib/pkgconfig

# Links by which programs find the shared library when they are started, and when they are linked.
LIBRARY_LINKS := $(SONAME) libexcamera.so

# The actions. Each put and take is a line of a recipe of its own.
in_place = $(call quote,$(DESTDIR)$(PREFIX)/$(1))
directory = $(2)
PKG_CONFIG_FILE = $(call in_place,lib/pkgconfig/excamera.pc)
define put
@$(INSTALL) -m $(1) $(3) $(call in_place,$(2))

endef
define take
@rm -f $(foreach file,$(3),$(call in_place,$(2)/$(notdir $(file))))

endef

# Directories that are there stay as they are. Those that are made can be read by everyone, whatever the umask.
# $(call for_each_directory,DIRECTORIES,COMMAND): where COMMAND about $$directory fails, there is no right to write.
for_each_directory = @for directory in $(foreach place,$(sort $(1)),$(call in_place,$(place))); do $(2) || \
    { echo "make $@: no right to write to $$directory; PREFIX=/another/place, or as root" >&2; exit 1; }; done
make_directory = { [ -d "$$directory" ] || $(INSTALL) -d "$$directory" 2>/dev/null; } && [ -w "$$directory" ]
may_clear_directory = { ! [ -d "$$directory" ] || [ -w "$$directory" ]; }

.PHONY: install uninstall
install: tools lib $(VPX)
	$(if $(filter /%,$(firstword $(PREFIX))),,$(error PREFIX has to begin with /, and "$(PREFIX)" does not))
	$(call for_each_directory,$(DIRECTORIES),$(make_directory))
	$(call files,put)
	@umask 022 && rm -f $(PKG_CONFIG_FILE) && mk/pkg-config-file $(call quote,$(PREFIX)) '$(VERSION)' \
	    '$(if $(VPX),-lexcamera-vpx,-lvpx) $(LIBS) -pthread' >$(PKG_CONFIG_FILE)
	@ln -sf $(SCRIPTS:%=../share/excamera/%) ../share/excamera/hosts/xc-hosts $(call in_place,bin)
	$(install_names)
	@ln -sf $(notdir $(SHARED_LIBRARY)) $(call in_place,lib/$(SONAME))
	@ln -sf $(SONAME) $(call in_place,lib/libexcamera.so)
	@[ -n $(call quote,$(DESTDIR)) ] || ldconfig 2>/dev/null || :

uninstall:
	$(call for_each_directory,$(DIRECTORIES) $(call lambda_files,directory),$(may_clear_directory))
	$(call files,take)
	$(call lambda_files,take)
	$(call take,,lib,$(LIBRARY_LINKS))
	$(call take,,bin,$(SCRIPTS) $(other_names) xc-hosts xc-lambda)
	@rm -f $(PKG_CONFIG_FILE)
	@find $(call in_place,share/excamera) $(call in_place,include/excamera) -depth -type d -empty -delete 2>/dev/null || :
	@[ -n $(call quote,$(DESTDIR)) ] || ldconfig 2>/dev/null || :
