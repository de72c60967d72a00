/* Credentials as AWS's tools find them, as far as they are written down: the environment and the two INI files. All
 * else (single sign-on, roles) goes by: eval "$(aws configure export-credentials --format env)". */
#include "credentials.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value, or NULL if there is none, or one that cannot stand in a header. */
static const char *proper(const char *value)
{
    return value && *value && !strpbrk(value, "\r\n") ? value : NULL;
}

static const char *from_environment(const char *variable)
{
    return proper(getenv(variable));
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

static const char **field_of(struct credentials *credentials, const char *name)
{
    if (!strcmp(name, "aws_access_key_id")) {
        return &credentials->id;
    }
    if (!strcmp(name, "aws_secret_access_key")) {
        return &credentials->secret;
    }
    if (!strcmp(name, "aws_session_token")) {
        return &credentials->token;
    }
    return !strcmp(name, "region") ? &credentials->region : NULL;
}

/* What is known already is not changed. */
static void take_setting(struct credentials *credentials, const char *name, const char *value)
{
    const char **field = field_of(credentials, name);
    if (field && !*field && proper(value)) {
        *field = strdup(value);
    }
}

/* variable: of the environment, if the file is not ~/.aws/NAME. The sections of that one file are [profile NAME]. */
static void read_file(struct credentials *credentials, const char *variable, const char *name, const char *section)
{
    char path[1024], *line = NULL;
    size_t size = 0;
    bool ours = false;
    const char *given = getenv(variable), *home = getenv("HOME");
    snprintf(path, sizeof path, "%s%s%s", given ? given : home ? home : "", given ? "" : "/.aws/", given ? "" : name);
    FILE *file = fopen(path, "r");
    while (file && getline(&line, &size, file) >= 0) {
        char *text = trim(line), *equals = strchr(text, '=');
        if (*text == '[') {
            ours = !strncmp(text + 1, section, strlen(section)) && text[1 + strlen(section)] == ']';
        } else if (ours && equals) {
            *equals = '\0';
            take_setting(credentials, trim(text), trim(equals + 1));
        }
    }
    free(line);
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
    static struct credentials files; /* what has been read lives as long as the program */
    files.region = from_environment("AWS_REGION");
    *credentials = (struct credentials){ .id = from_environment("AWS_ACCESS_KEY_ID"),
                                         .secret = from_environment("AWS_SECRET_ACCESS_KEY"),
                                         .token = from_environment("AWS_SESSION_TOKEN") };
    if (!files.region) {
        files.region = from_environment("AWS_DEFAULT_REGION");
    }
    read_files(&files);
    if (!credentials->id || !credentials->secret) {
        *credentials = files;
    }
    credentials->region = files.region;
    if (!credentials->id || !credentials->secret) {
        return "none; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run: "
               "eval \"$(aws configure export-credentials --format env)\"";
    }
    if (!credentials->region) {
        return "no region; set AWS_REGION";
    }
    return NULL;
}
