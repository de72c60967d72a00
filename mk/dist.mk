# SPDX-License-Identifier: BSD-2-Clause
# make dist: the sources of the last commit as an archive. make tarball: the static tools with the driver, pages and
# completions, for any Linux of this machine's kind. Both with their SHA-256, and both the same however often they are
# made. make deb: packages for Debian, from the sources as they are.

DIST := build/dist
SOURCE_NAME := excamera-$(VERSION)
TARBALL_NAME := $(SOURCE_NAME)-linux-$(MACHINE)
# When the last commit was made; without git, the version's file.
SOURCE_TIME = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || \
    stat -c %Y lib/include/excamera/version.h))
TAR = tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw --mtime=@$(SOURCE_TIME)
sum = cd $(DIST) && sha256sum $(1) >$(1).sha256

.PHONY: dist tarball deb
dist:
	@git rev-parse HEAD >/dev/null 2>&1 || { echo "make dist: this is no git repository" >&2; exit 1; }
	@mkdir -p $(DIST)
	$(Q)git archive --prefix=$(SOURCE_NAME)/ HEAD | gzip -n -9 >$(DIST)/$(SOURCE_NAME).tar.gz
	$(Q)$(call sum,$(SOURCE_NAME).tar.gz)
	@echo '  $(DIST)/$(SOURCE_NAME).tar.gz'

# What make install and install-man do, with the static tools in place of the others and without the library.
STAGE = $(DIST)/$(TARBALL_NAME)
tarball: static man
	@rm -rf $(STAGE)
	$(Q)$(MAKE) install install-man DESTDIR= PREFIX=$(call quote,$(CURDIR)/$(STAGE)) >/dev/null
	@rm -rf $(STAGE)/lib $(STAGE)/include
	@for tool in $(STATIC_TOOLS); do $(INSTALL) -m 755 -s --strip-program=$(STRIP) $$tool $(STAGE)/bin || exit; done
	@cp LICENSE README.md NEWS $(STAGE)
	$(Q)$(TAR) -C $(DIST) -c $(TARBALL_NAME) | gzip -n -9 >$(DIST)/$(TARBALL_NAME).tar.gz
	$(Q)$(call sum,$(TARBALL_NAME).tar.gz)
	@echo '  $(DIST)/$(TARBALL_NAME).tar.gz'
STRIP ?= strip

# Who makes the packages, as Debian's tools take it from the environment, or as git knows them.
DEBFULLNAME ?= $(shell git config user.name 2>/dev/null)
DEBEMAIL ?= $(shell git config user.email 2>/dev/null)
MAINTAINER = $(DEBFULLNAME) <$(DEBEMAIL)>
# For the right side of sed's s/// in quotes.
for_sed = $(subst /,\/,$(subst &,\&,$(subst \,\\,$(1))))

# In a copy, since the packages' build wants a directory of its own.
DEB := build/deb
deb:
	@command -v dpkg-buildpackage dh dh_python3 >/dev/null || \
	    { echo "make deb: mk/setup packages installs what is missing" >&2; exit 1; }
	@[ -n $(call quote,$(DEBFULLNAME)) ] && [ -n $(call quote,$(DEBEMAIL)) ] || \
	    { echo "make deb: who makes the packages? make deb DEBFULLNAME='Your Name' DEBEMAIL=you@your.domain" >&2; exit 1; }
	@rm -rf $(DEB) && mkdir -p $(DEB)/$(SOURCE_NAME)
	@tar -c --exclude=./build --exclude=./bin --exclude=./.git --exclude=__pycache__ . | tar -x -C $(DEB)/$(SOURCE_NAME)
	@cp -R mk/debian $(DEB)/$(SOURCE_NAME)/debian
	@sed -e 1d -e 's/^$$/./' -e 's/^/ /' LICENSE >>$(DEB)/$(SOURCE_NAME)/debian/copyright
	@sed -i -e 's/@VERSION@/$(VERSION)/; s/@INTERFACE@/$(INTERFACE)/; s/@DATE@/$(shell date -u -R -d @$(SOURCE_TIME))/' \
	    -e $(call quote,s/@MAINTAINER@/$(call for_sed,$(MAINTAINER))/) \
	    $(DEB)/$(SOURCE_NAME)/debian/*
	@mv $(DEB)/$(SOURCE_NAME)/debian/libexcamera.install \
	    $(DEB)/$(SOURCE_NAME)/debian/libexcamera$(INTERFACE).install
	$(Q)cd $(DEB)/$(SOURCE_NAME) && SOURCE_DATE_EPOCH=$(SOURCE_TIME) dpkg-buildpackage -b -us -uc >../build.log 2>&1 || \
	    { tail -n 20 ../build.log >&2; exit 1; }
	@ls $(DEB)/*.deb
