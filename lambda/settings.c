/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for getline and strdup */

#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PATH_SIZE = 1024, SECTION_SIZE = 256 };

/* The names of AWS's documentation: "AWS SDKs and Tools Reference Guide", settings reference. */
static const struct {
    const char *variables[2], *name; /* in the environment; in the files. NULL: is not there */
} known[SETTINGS] = {
    [SETTING_REGION] = { { "AWS_REGION", "AWS_DEFAULT_REGION" }, "region" },
    [SETTING_CA_BUNDLE] = { { "AWS_CA_BUNDLE" }, "ca_bundle" },
    [SETTING_ENDPOINT] = { { "AWS_ENDPOINT_URL" }, "endpoint_url" },
    [SETTING_ENDPOINT_S3] = { { "AWS_ENDPOINT_URL_S3" }, NULL },
    [SETTING_ENDPOINT_LAMBDA] = { { "AWS_ENDPOINT_URL_LAMBDA" }, NULL },
    [SETTING_FIPS] = { { "AWS_USE_FIPS_ENDPOINT" }, "use_fips_endpoint" },
    [SETTING_DUAL_STACK] = { { "AWS_USE_DUALSTACK_ENDPOINT" }, "use_dualstack_endpoint" },
    [SETTING_ID] = { { "AWS_ACCESS_KEY_ID" }, "aws_access_key_id" },
    [SETTING_SECRET] = { { "AWS_SECRET_ACCESS_KEY" }, "aws_secret_access_key" },
    [SETTING_TOKEN] = { { "AWS_SESSION_TOKEN" }, "aws_session_token" },
    [SETTING_PROCESS] = { { NULL }, "credential_process" },
    [SETTING_ROLE] = { { "AWS_ROLE_ARN" }, "role_arn" },
    [SETTING_SSO] = { { NULL }, "sso_start_url" },
    [SETTING_SSO_SESSION] = { { NULL }, "sso_session" },
    [SETTING_LOGIN] = { { NULL }, "login_session" },
    [SETTING_WEB_IDENTITY] = { { "AWS_WEB_IDENTITY_TOKEN_FILE" }, "web_identity_token_file" },
};

static char *of_profile[SETTINGS];

/* Returns the value, or NULL if it is empty or cannot be sent in an HTTP header. */
static const char *proper(const char *value)
{
    return value && *value && !strpbrk(value, "\r\n") ? value : NULL;
}

/* Removes blanks at both ends. */
static char *trim(char *text)
{
    text += strspn(text, " \t");
    for (size_t length = strlen(text); length && strchr(" \t\r\n", text[length - 1]); length--) {
        text[length - 1] = '\0';
    }
    return text;
}

/* Stores a setting, unless it has a value already. */
static void take(const char *name, const char *value)
{
    for (int i = 0; i < SETTINGS; i++) {
        if (known[i].name && !strcmp(known[i].name, name) && !of_profile[i] && proper(value)) {
            of_profile[i] = strdup(value);
        }
    }
}

/* Reads the settings in one section of a file: the one that the environment variable names, or else ~/.aws/NAME. An
 * indented line belongs to the setting above it, and is none of ours. */
static void read_file(const char *variable, const char *name, const char *section)
{
    char path[PATH_SIZE], *line = NULL;
    size_t size = 0;
    bool ours = false;
    const char *given = getenv(variable), *home = getenv("HOME");
    snprintf(path, sizeof path, "%s%s%s", given ? given : home ? home : "", given ? "" : "/.aws/", given ? "" : name);
    FILE *file = fopen(path, "r");
    while (file && getline(&line, &size, file) >= 0) {
        const bool indented = *line == ' ' || *line == '\t';
        char *text = trim(line), *equals = strchr(text, '=');
        if (*text == '[') {
            ours = !strncmp(text + 1, section, strlen(section)) && text[1 + strlen(section)] == ']';
        } else if (ours && equals && !indented) {
            *equals = '\0';
            take(trim(text), trim(equals + 1));
        }
    }
    free(line);
    if (file) {
        fclose(file);
    }
}

const char *settings_profile(void)
{
    const char *profile = proper(getenv("AWS_PROFILE"));
    if (!profile) {
        profile = proper(getenv("AWS_DEFAULT_PROFILE"));
    }
    return profile ? profile : "default";
}

void settings_read(void)
{
    char section[SECTION_SIZE];
    const char *profile = settings_profile();
    for (int i = 0; i < SETTINGS; i++) {
        free(of_profile[i]);
        of_profile[i] = NULL;
    }
    read_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile);
    snprintf(section, sizeof section, "%s%s", strcmp(profile, "default") ? "profile " : "", profile);
    read_file("AWS_CONFIG_FILE", "config", section);
}

const char *settings_of_environment(enum setting setting)
{
    const char *value = NULL;
    for (int i = 0; i < 2 && known[setting].variables[i] && !value; i++) {
        value = proper(getenv(known[setting].variables[i]));
    }
    return value;
}

const char *settings_of_profile(enum setting setting)
{
    return of_profile[setting];
}

const char *settings_get(enum setting setting)
{
    const char *value = settings_of_environment(setting);
    return value ? value : settings_of_profile(setting);
}

bool settings_is_on(enum setting setting)
{
    const char *value = settings_get(setting);
    return value && !strcasecmp(value, "true");
}
