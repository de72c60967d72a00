# The remote engines: a program for the workstation, a package for the function.
#
# xc-remote is dynamic, since libcurl can only be had so; xc-worker is static, as everything in the package.
LAMBDA_REMOTE := $(BIN)/lambda/xc-remote
LAMBDA_WORKER := $(BIN)/lambda/xc-worker
LAMBDA_ZIP := $(BIN)/lambda/excamera.zip
LAMBDA_SHARED := $(call object,lambda/sha256.c lambda/task.c)

.PHONY: lambda lambda-package check-lambda
lambda: $(LAMBDA_REMOTE) $(LAMBDA_ZIP)
lambda-package: $(LAMBDA_ZIP)

$(LAMBDA_REMOTE): $(call object,$(addprefix lambda/,xc-remote.c aws.c credentials.c reference.c)) $(LAMBDA_SHARED)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcurl -ljansson -lnettle

$(LAMBDA_WORKER): $(call object,lambda/xc-worker.c) $(LAMBDA_SHARED)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -static -o $@ $^ -ljansson -lnettle

LAMBDA_TOOLS := $(addprefix $(BIN)/static/xc-,vpxenc terminate-chunk dump enc rebase)

# Also writes tools.sha256 beside it, by which the workstation names the tools.
$(LAMBDA_ZIP): lambda/pack lambda/bootstrap $(LAMBDA_WORKER) $(LAMBDA_TOOLS)
	$(call say,ZIP )
	$(Q)lambda/pack $@ $(filter-out $<,$^)

check-lambda:
	mk/setup build test lambda
	$(MAKE) -j"$$(nproc)" tools static test-programs lambda
	XC_BIN=$(BIN) XC_BUILD=$(OUT) test/lambda/run

-include $(patsubst %.o,%.d,$(call object,$(wildcard lambda/*.c)))
