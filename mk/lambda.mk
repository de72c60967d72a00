# SPDX-License-Identifier: BSD-2-Clause
# The remote engines: a program for the workstation, a package for the function.
#
# xc-requests and the function's bootstrap are dynamic, since libcurl can only be had so; the bootstrap needs nothing but
# libcurl and the C library, as Lambda's runtime has them. The others are static: the tools do not depend on where they
# run, and it saves the workstation most of the time that it takes to start programs as short as xc-task and xc-remote.
LAMBDA_REMOTE := $(BIN)/lambda/xc-remote
LAMBDA_REQUESTS := $(BIN)/lambda/xc-requests
LAMBDA_TASK := $(BIN)/lambda/xc-task
LAMBDA_WORKER := $(BIN)/lambda/bootstrap
LAMBDA_ZIP := $(BIN)/lambda/excamera.zip
LAMBDA_CLIENT := $(call object,$(addprefix lambda/,xc-remote.c uploads.c calls.c spare.c store.c place.c aws.c \
    transfer.c requester.c message.c credentials.c session.c settings.c endpoint.c cause.c attempts.c))
LAMBDA_REQUESTER := $(call object,$(wildcard lambda/requests/*.c))
LAMBDA_SHARED := $(call object,$(addprefix lambda/,clock.c fail.c sha256.c task.c value.c))
LAMBDA_REFERENCE := $(call object,lambda/reference.c lambda/output.c tools/atomic-file.c)
LAMBDA_TIMING := $(call object,tools/timing.c)
LAMBDA_BOOTSTRAP := $(call object,$(wildcard lambda/worker/*.c) lambda/attempts.c lambda/cause.c) $(LAMBDA_TIMING) \
    $(LAMBDA_SHARED)

.PHONY: lambda lambda-package check-lambda
lambda: $(LAMBDA_REMOTE) $(LAMBDA_REQUESTS) $(LAMBDA_TASK) $(LAMBDA_ZIP)
lambda-package: $(LAMBDA_ZIP)

$(LAMBDA_REQUESTER): | $(OUT)/found-lambda
$(call object,$(wildcard lambda/*.c lambda/worker/*.c)): | $(OUT)/found-function

$(LAMBDA_REMOTE): $(LAMBDA_CLIENT) $(LAMBDA_REFERENCE) $(LAMBDA_TIMING) $(LAMBDA_SHARED)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -static -o $@ $^ -ljansson -lnettle

$(LAMBDA_REQUESTS): $(LAMBDA_REQUESTER) $(call object,$(addprefix lambda/,clock.c fail.c message.c value.c))
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcurl -ljansson

$(LAMBDA_TASK): $(call object,lambda/xc-task.c) $(LAMBDA_REFERENCE) $(LAMBDA_SHARED)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -static -o $@ $^ -ljansson -lnettle

# Stands for the runtime's libcurl when the bootstrap is linked. This machine's own has versions of symbols that are
# Debian's, and the runtime's has none.
LAMBDA_LIBCURL := $(OUT)/lambda/libcurl.so.4
$(LAMBDA_LIBCURL): $(LAMBDA_BOOTSTRAP)
	$(Q)$(NM) -u $^ | sed -n 's/^ *U \(curl_[a-z_]*\)$$/void \1(void) {}/p' | sort -u | \
	    $(CC) -shared -nostdlib -fPIC -w -Wl,-soname,$(@F) -o $@ -x c -

$(LAMBDA_WORKER): $(LAMBDA_BOOTSTRAP) $(LAMBDA_LIBCURL) lambda/portable
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LAMBDA_LIBCURL) -l:libjansson.a -l:libnettle.a
	$(Q)$(if $(SANITIZE),,lambda/portable $(OBJDUMP) $@)

# mk/chunk-tools lists the tools that the steps of a chunk run, and so those that a function needs. It runs no others.
# Stripped, since each deploy uploads them: that halves the package.
LAMBDA_TOOLS := $(addprefix $(BIN)/lambda/tools/,$(file <mk/chunk-tools))

$(LAMBDA_TOOLS): $(BIN)/lambda/tools/%: $(BIN)/static/%
	$(call say,STRIP)
	@mkdir -p $(@D)
	$(Q)$$($(CC) -print-prog-name=strip) -o $@ $<

# Functions in Python, one for each part of a chunk's work (lambda/functions/).
LAMBDA_FUNCTIONS := $(sort $(wildcard lambda/functions/*.py))

# xc-lambda package --ffmpeg puts it here, for xc-unpack.
LAMBDA_FFMPEG := $(wildcard $(BIN)/lambda/ffmpeg/ffmpeg)

# lambda/pack also writes tools.sha256 beside the package. In tasks, the workstation names the tools by these digests.
PACKED := $(LAMBDA_WORKER) $(LAMBDA_TOOLS) $(LAMBDA_FFMPEG) $(LAMBDA_FUNCTIONS)
$(LAMBDA_ZIP): lambda/pack mk/chunk-tools $(PACKED)
	$(call say,ZIP )
	$(Q)lambda/pack $@ $(PACKED)

check-lambda:
	mk/setup build test lambda lambda-test
	test/lambda/install || true # the tests say what they miss
	$(MAKE) -j"$$(nproc)" tools static test-programs lambda
	XC_BIN=$(BIN) XC_BUILD=$(OUT) test/lambda/run

define lambda_files
$(call $(1),755,share/excamera/lambda,lambda/run lambda/plan lambda/xc-lambda lambda/cost lambda/try \
    lambda/film lambda/unum)
$(call $(1),644,share/excamera/lambda,lambda/deploy.sh lambda/functions.sh lambda/film.sh \
    lambda/ffmpeg.sh)
$(call $(1),755,share/excamera/bin/lambda,$(LAMBDA_REMOTE) $(LAMBDA_REQUESTS) $(LAMBDA_TASK))
$(call $(1),644,share/excamera/bin/lambda,$(LAMBDA_ZIP) $(dir $(LAMBDA_ZIP))tools.sha256)
$(call $(1),644,share/man/man1,$(PAGE_OF_LAMBDA))
endef

# xc-lambda is a link, by which it finds what is beside it.
.PHONY: install-lambda
install-lambda: install lambda $(PAGE_OF_LAMBDA)
	$(call for_each_directory,$(call lambda_files,directory),$(make_directory))
	$(call lambda_files,put)
	@ln -sf ../share/excamera/lambda/xc-lambda $(call in_place,bin/xc-lambda)

-include $(patsubst %.o,%.d,$(call object,$(wildcard lambda/*.c lambda/*/*.c)))
