# SPDX-License-Identifier: BSD-2-Clause
# Other names of tools: NAME=TOOL. Each is a link beside its tool, by which the tool is what the original called so.

OTHER_NAMES := comp-states=xc-diff png2y4m=xc-png2y4m vp8decode=xc-decode

other_names = $(foreach pair,$(OTHER_NAMES),$(firstword $(subst =, ,$(pair))))
TOOL_OF = $(lastword $(subst =, ,$(filter $(1)=%,$(OTHER_NAMES))))

LINKS := $(addprefix $(BIN)/,$(other_names))
STATIC_LINKS := $(addprefix $(BIN)/static/,$(other_names))

tools: $(LINKS)
static: $(STATIC_LINKS)

$(LINKS) $(STATIC_LINKS): %: $$(@D)/$$(call TOOL_OF,$$(@F))
	$(Q)ln -sf $(notdir $<) $@

# A line of the recipe of make install.
install_names = @for name in $(OTHER_NAMES); do \
    ln -sf "$${name\#*=}" $(call in_place,bin)/"$${name%%=*}" || exit; done
