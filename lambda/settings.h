/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's settings for AWS: from the environment, or else from the profile in the two files that `aws configure`
 * writes. The profile is AWS_PROFILE, or AWS_DEFAULT_PROFILE, or "default". */
#ifndef XC_LAMBDA_SETTINGS_H
#define XC_LAMBDA_SETTINGS_H

#include <stdbool.h>

enum setting {
    SETTING_REGION,
    SETTING_CA_BUNDLE,
    SETTING_ENDPOINT,
    SETTING_ENDPOINT_S3,
    SETTING_ENDPOINT_LAMBDA,
    SETTING_FIPS,
    SETTING_DUAL_STACK,
    SETTING_ID,
    SETTING_SECRET,
    SETTING_TOKEN,
    SETTING_PROCESS, /* credential_process */
    SETTING_ROLE,    /* this and the next ones: where credentials come from that only the AWS CLI can get */
    SETTING_SSO,
    SETTING_SSO_SESSION,
    SETTING_LOGIN,
    SETTING_WEB_IDENTITY,
    SETTINGS,
};

/* Reads the files, again if called again. */
void settings_read(void);

/* NULL: is not set. The text stays until the next settings_read. */
const char *settings_get(enum setting setting);
/* Only from the environment, or only from the files. */
const char *settings_of_environment(enum setting setting);
const char *settings_of_profile(enum setting setting);
/* Whether it is "true". */
bool settings_is_on(enum setting setting);

const char *settings_profile(void);

#endif
