/* SPDX-License-Identifier: BSD-2-Clause */
/* The causes of failures, and their remedies. The codes are those of the API references: "Error responses" of Amazon
 * S3, "Invoke" and "Common errors" of AWS Lambda; and "Troubleshoot invocation issues" of Lambda's developer guide. */
#include "cause.h"

#include <stdio.h>
#include <string.h>

#define DEPLOY "run: xc-lambda deploy"
#define LARGER "give the function more memory (xc-lambda deploy --memory MB), or make shorter chunks"
#define OTHER_REGION "AWS_REGION is not the region of the bucket"
#define CLOCK "set the clock of this machine"
#define RIGHTS "xc-lambda policy run prints the rights that are needed"

struct rule {
    enum failure_source source;
    long status;       /* 0: any */
    const char *code;  /* NULL: any */
    const char *words; /* what the message contains; NULL: anything */
    struct cause cause;
};

/* The first rule that fits counts. */
static const struct rule rules[] = {
    /* What our function answers. */
    { FAILURE_FUNCTION, 0, "refused", NULL, { REMEDY_NONE, NULL } },
    { FAILURE_FUNCTION, 0, "retry", NULL, { REMEDY_REPEAT, NULL } },
    { FAILURE_FUNCTION, 0, "killed", NULL, { REMEDY_TWICE, LARGER } },
    { FAILURE_FUNCTION, 0, "later", NULL, { REMEDY_WAIT, NULL } },

    /* What Lambda answers in its place. A runtime that is killed has used up the memory. */
    { FAILURE_FUNCTION, 0, NULL, "timed out", { REMEDY_TWICE, LARGER } },
    { FAILURE_FUNCTION, 0, "Runtime.OutOfMemory", NULL, { REMEDY_TWICE, LARGER } },
    { FAILURE_FUNCTION, 0, "Runtime.ExitError", "signal: killed", { REMEDY_TWICE, LARGER } },
    { FAILURE_FUNCTION, 0, "Runtime.InvalidEntrypoint", NULL, { REMEDY_NONE, DEPLOY } },
    { FAILURE_FUNCTION, 0, NULL, NULL, { REMEDY_REPEAT, NULL } },

    /* Credentials and rights. */
    { FAILURE_SERVICE, 0, "ExpiredToken", NULL, { REMEDY_RENEW, NULL } },
    { FAILURE_SERVICE, 0, "ExpiredTokenException", NULL, { REMEDY_RENEW, NULL } },
    { FAILURE_SERVICE, 0, "TokenRefreshRequired", NULL, { REMEDY_RENEW, NULL } },
    { FAILURE_SERVICE, 0, "RequestTimeTooSkewed", NULL, { REMEDY_NONE, CLOCK } },
    { FAILURE_SERVICE, 0, "InvalidSignatureException", "Signature expired", { REMEDY_NONE, CLOCK } },
    { FAILURE_SERVICE, 0, "InvalidSignatureException", "Signature not yet", { REMEDY_NONE, CLOCK } },
    { FAILURE_SERVICE, 403, "InvalidSignatureException", NULL, { REMEDY_NONE, NULL } },
    { FAILURE_SERVICE, 403, "SignatureDoesNotMatch", NULL, { REMEDY_NONE, NULL } },
    { FAILURE_SERVICE, 403, "UnrecognizedClientException", NULL, { REMEDY_NONE, NULL } },
    { FAILURE_SERVICE, 403, NULL, NULL, { REMEDY_SETTLE, RIGHTS } },

    /* The function's state. */
    { FAILURE_SERVICE, 429, NULL, NULL, { REMEDY_WAIT, NULL } }, /* more at the same time than may be */
    { FAILURE_SERVICE, 409, "ResourceConflictException", NULL, { REMEDY_WAIT, NULL } },
    { FAILURE_SERVICE, 502, "ResourceNotReadyException", NULL, { REMEDY_WAIT, NULL } },
    { FAILURE_SERVICE, 404, "ResourceNotFoundException", NULL, { REMEDY_NONE, DEPLOY } },
    { FAILURE_SERVICE, 502, "InvalidRuntimeException", NULL, { REMEDY_NONE, DEPLOY } },
    { FAILURE_SERVICE, 502, "InvalidZipFileException", NULL, { REMEDY_NONE, DEPLOY } },
    { FAILURE_SERVICE, 502, "KMSAccessDeniedException", NULL, { REMEDY_NONE, NULL } },
    { FAILURE_SERVICE, 502, "KMSDisabledException", NULL, { REMEDY_NONE, NULL } },

    /* The bucket's. */
    { FAILURE_SERVICE, 404, "NoSuchBucket", NULL, { REMEDY_NONE, DEPLOY } },
    { FAILURE_SERVICE, 301, NULL, NULL, { REMEDY_NONE, OTHER_REGION } },
    { FAILURE_SERVICE, 400, "AuthorizationHeaderMalformed", NULL, { REMEDY_NONE, OTHER_REGION } },
    { FAILURE_SERVICE, 400, "RequestTimeout", NULL, { REMEDY_REPEAT, NULL } },
    { FAILURE_SERVICE, 409, "OperationAborted", NULL, { REMEDY_REPEAT, NULL } },

    /* Throttling and faults of any service. */
    { FAILURE_SERVICE, 400, "ThrottlingException", NULL, { REMEDY_REPEAT, NULL } },
    { FAILURE_SERVICE, 408, NULL, NULL, { REMEDY_REPEAT, NULL } },
};

static bool fits(const struct rule *rule, const struct failure *failure)
{
    return rule->source == failure->source && (!rule->status || rule->status == failure->status) &&
           (!rule->code || !strcmp(rule->code, failure->code)) &&
           (!rule->words || strstr(failure->message, rule->words));
}

struct cause cause_of(const struct failure *failure)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (fits(&rules[i], failure)) {
            return rules[i].cause;
        }
    }
    const bool may_pass = failure->source == FAILURE_NETWORK ? !failure->fatal : failure->status >= 500;
    return (struct cause){ .remedy = may_pass ? REMEDY_REPEAT : REMEDY_NONE };
}

void cause_find_text(const char *text, const char *name, char *found, size_t size)
{
    const char *at = text ? strstr(text, name) : NULL;
    found[0] = '\0';
    if (!at) {
        return;
    }
    at += strlen(name);
    at += strspn(at, ">\":< ");
    snprintf(found, size, "%.*s", (int)strcspn(at, "<\"\n"), at);
}

const char *cause_words(const struct failure *failure, char words[static CAUSE_WORDS])
{
    /* These codes are members of our function's answer, not names for people to read. */
    static const char *const silent[] = { "refused", "retry", "killed", "later" };
    const char *mend = cause_of(failure).mend, *code = failure->code;
    char status[32] = "";
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        code = failure->source == FAILURE_FUNCTION && !strcmp(code, silent[i]) ? "" : code;
    }
    if (failure->source == FAILURE_SERVICE) {
        snprintf(status, sizeof status, "HTTP %ld ", failure->status);
    }
    snprintf(words, CAUSE_WORDS, "%s%s%s%s%s%s%s%s%s", status, code, code[0] && failure->message[0] ? ": " : "",
             failure->message, failure->request[0] ? " (request " : "", failure->request,
             failure->request[0] ? ")" : "", mend ? "; " : "", mend ? mend : "");
    return words;
}
