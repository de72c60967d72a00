/* SPDX-License-Identifier: BSD-2-Clause */
/* The AWS credentials of the user. */
#ifndef XC_LAMBDA_CREDENTIALS_H
#define XC_LAMBDA_CREDENTIALS_H

#include <stdbool.h>

struct credentials {
    const char *id, *secret; /* valid until the next call */
    const char *token;       /* or NULL */
};

/* Takes them from the environment, from the profile, or from a command: the profile's credential_process, or the AWS
 * CLI for all other kinds (single sign-on, `aws login`, roles, a machine at AWS). Returns NULL, or the text of an
 * error. */
const char *credentials_find(struct credentials *credentials);

/* To be called before each request: replaces credentials that are about to expire, if others can be had. */
void credentials_keep_fresh(struct credentials *credentials);

/* To be called when AWS takes them for expired. Returns whether there are others now. */
bool credentials_renew(struct credentials *credentials);

#endif
