# SPDX-License-Identifier: BSD-2-Clause
# make man: man pages and completions, made from what the programs say with --help, and from docs/ (mk/manual). They are
# installed if they have been made: a cross compiler's programs cannot be asked.

MAN := $(OUT)/man
COMPLETED := $(TOOLS) $(LINKS) $(SCRIPTS) hosts/xc-hosts lambda/xc-lambda
PAGE_OF_LAMBDA := $(MAN)/xc-lambda.1 # make install-lambda installs it
PAGES_1 := $(filter-out $(PAGE_OF_LAMBDA),$(patsubst %,$(MAN)/%.1,$(notdir $(COMPLETED))))
PAGES_OF_COMMANDS := $(MAN)/excamera-report.1
PAGES_5 := $(MAN)/excamera-ivf.5 $(MAN)/excamera-state.5 $(MAN)/excamera-timings.5
COMPLETIONS := $(MAN)/excamera.bash $(MAN)/_excamera
MANUAL := mk/manual mk/manual-pages

.PHONY: man
man: $(PAGES_1) $(PAGE_OF_LAMBDA) $(PAGES_OF_COMMANDS) $(PAGES_5) $(COMPLETIONS)

# A program is a tool, a link to one, or a script of the driver.
program = $(or $(filter %/$(1),$(COMPLETED)),./$(filter $(1),$(SCRIPTS)))

$(PAGES_1) $(PAGE_OF_LAMBDA): $(MAN)/%.1: $$(call program,$$*) $(MANUAL)
	$(call say,MAN )
	@mkdir -p $(@D)
	$(Q)mk/manual page $(if $(findstring /,$<),$<,./$<) $(VERSION) >$@

$(PAGES_OF_COMMANDS): $(MAN)/excamera-%.1: excamera $(MANUAL)
	$(call say,MAN )
	@mkdir -p $(@D)
	$(Q)mk/manual page ./excamera $(VERSION) $* >$@

$(MAN)/excamera-ivf.5: docs/ivf.md
$(MAN)/excamera-state.5: docs/state-file.md
$(MAN)/excamera-timings.5: docs/latency.md
$(MAN)/excamera-timings.5: HEADING := timings.tsv
$(PAGES_5): $(MANUAL)
	$(call say,MAN )
	@mkdir -p $(@D)
	$(Q)mk/manual format $(basename $(@F)) $(filter docs/%,$^) $(VERSION) $(HEADING) >$@

$(COMPLETIONS): $(COMPLETED) $(MANUAL)
	$(call say,COMP)
	@mkdir -p $(@D)
	$(Q)mk/manual $(if $(filter %.bash,$@),bash,zsh) $(foreach p,$(COMPLETED),$(if $(findstring /,$(p)),$(p),./$(p))) >$@

# For bash, which looks for a file of the command's name, each name is a link.
BASH_PLACE := share/bash-completion/completions
define man_files
$(call $(1),644,share/man/man1,$(PAGES_1) $(PAGES_OF_COMMANDS))
$(call $(1),644,share/man/man5,$(PAGES_5))
$(call $(1),644,share/zsh/site-functions,$(MAN)/_excamera)
endef

.PHONY: install-man uninstall-man
install-man: man
	$(call for_each_directory,$(call man_files,directory) $(BASH_PLACE),$(make_directory))
	$(call man_files,put)
	@$(INSTALL) -m 644 $(MAN)/excamera.bash $(call in_place,$(BASH_PLACE)/excamera)
	@for name in $(filter-out excamera,$(notdir $(COMPLETED))); do \
	    ln -sf excamera $(call in_place,$(BASH_PLACE))/"$$name" || exit; done

uninstall: uninstall-man
uninstall-man:
	$(call man_files,take)
	$(call take,,$(BASH_PLACE),$(COMPLETED))
