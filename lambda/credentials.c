/* Credentials as AWS's tools find them, as far as they are written down: the environment and the two INI files. All
 * else (single sign-on, roles) goes by: eval "$(aws configure export-credentials --format env)". */
#include "credentials.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 8192 };

static bool take(char *field, size_t size, const char *value)
{
    if (!value || !*value || strlen(value) >= size || strpbrk(value, "\r\n")) {
        return false;
    }
    strcpy(field, value);
    return true;
}

static bool take_environment(char *field, size_t size, const char *variable)
{
    return take(field, size, getenv(variable));
}

/* Cuts the blanks off both ends. */
static char *trim(char *text)
{
    text += strspn(text, " \t");
    for (size_t length = strlen(text); length && strchr(" \t\r\n", text[length - 1]); length--) {
        text[length - 1] = '\0';
    }
    return text;
}

static void take_setting(struct credentials *credentials, const char *name, const char *value)
{
    if (!strcmp(name, "aws_access_key_id")) {
        take(credentials->id, sizeof credentials->id, value);
    } else if (!strcmp(name, "aws_secret_access_key")) {
        take(credentials->secret, sizeof credentials->secret, value);
    } else if (!strcmp(name, "aws_session_token")) {
        take(credentials->token, sizeof credentials->token, value);
    } else if (!strcmp(name, "region") && !credentials->region[0]) {
        take(credentials->region, sizeof credentials->region, value);
    }
}

/* variable: of the environment, if the file is not ~/.aws/NAME. The sections of that one file are [profile NAME]. */
static void read_file(struct credentials *credentials, const char *variable, const char *name, const char *section)
{
    char path[1024], line[LINE_SIZE];
    bool ours = false;
    const char *given = getenv(variable), *home = getenv("HOME");
    snprintf(path, sizeof path, "%s%s%s", given ? given : home ? home : "", given ? "" : "/.aws/", given ? "" : name);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        char *text = trim(line), *equals = strchr(text, '=');
        if (*text == '[') {
            ours = !strncmp(text + 1, section, strlen(section)) && text[1 + strlen(section)] == ']';
        } else if (ours && equals) {
            *equals = '\0';
            take_setting(credentials, trim(text), trim(equals + 1));
        }
    }
    if (file) {
        fclose(file);
    }
}

static void read_files(struct credentials *credentials)
{
    const char *profile = getenv("AWS_PROFILE");
    char section[256];
    if (!profile || !*profile) {
        profile = "default";
    }
    read_file(credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials", profile);
    snprintf(section, sizeof section, "%s%s", strcmp(profile, "default") ? "profile " : "", profile);
    read_file(credentials, "AWS_CONFIG_FILE", "config", section);
}

const char *credentials_find(struct credentials *credentials)
{
    *credentials = (struct credentials){ .id = "" };
    if (!take_environment(credentials->region, sizeof credentials->region, "AWS_REGION")) {
        take_environment(credentials->region, sizeof credentials->region, "AWS_DEFAULT_REGION");
    }
    struct credentials files = *credentials;
    read_files(&files);
    const bool id = take_environment(credentials->id, sizeof credentials->id, "AWS_ACCESS_KEY_ID");
    if (!id || !take_environment(credentials->secret, sizeof credentials->secret, "AWS_SECRET_ACCESS_KEY")) {
        *credentials = files;
    } else {
        take_environment(credentials->token, sizeof credentials->token, "AWS_SESSION_TOKEN");
    }
    memcpy(credentials->region, files.region, sizeof files.region);
    if (!credentials->id[0] || !credentials->secret[0]) {
        return "none; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run: "
               "eval \"$(aws configure export-credentials --format env)\"";
    }
    if (!credentials->region[0]) {
        return "no region; set AWS_REGION";
    }
    return NULL;
}
