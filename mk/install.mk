# make install: the tools, the driver and what it needs, the library with its headers.
#
# excamera and gen_makefile.py are links in bin: Python finds the package beside the file that a link points to.

PREFIX ?= /usr/local
DESTDIR ?=
INSTALL ?= install
SHARE := $(DESTDIR)$(PREFIX)/share/excamera

# libvpx's copy and the library need each other.
INSTALLED_LIBS := $(if $(VPX),-Wl$(comma)--start-group -lexcamera -lexcamera-vpx -Wl$(comma)--end-group,-lexcamera -lvpx)

.PHONY: install
install: tools lib $(VPX)
	$(INSTALL) -d '$(DESTDIR)$(PREFIX)/bin' '$(SHARE)/mk' '$(SHARE)/xcdriver' \
	    '$(DESTDIR)$(PREFIX)/lib/pkgconfig' '$(DESTDIR)$(PREFIX)/include/excamera'
	$(INSTALL) $(TOOLS) '$(DESTDIR)$(PREFIX)/bin'
	$(INSTALL) excamera gen_makefile.py '$(SHARE)'
	$(INSTALL) -m 644 $(wildcard xcdriver/*.py) '$(SHARE)/xcdriver'
	ln -sf ../share/excamera/excamera ../share/excamera/gen_makefile.py '$(DESTDIR)$(PREFIX)/bin'
	$(INSTALL) -m 644 $(wildcard mk/engine-*.mk) '$(SHARE)/mk'
	$(INSTALL) -m 644 $(LIBRARY) $(VPX) '$(DESTDIR)$(PREFIX)/lib'
	$(INSTALL) -m 644 $(wildcard lib/include/excamera/*.h) '$(DESTDIR)$(PREFIX)/include/excamera'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS@|$(INSTALLED_LIBS) $(LIBS) -pthread|' mk/excamera.pc.in \
	    >'$(DESTDIR)$(PREFIX)/lib/pkgconfig/excamera.pc'
