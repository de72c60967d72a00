/* Finds credentials where AWS's tools look for those that are written down: the environment, and the two INI files. For
 * all other kinds (single sign-on, roles) the user runs: eval "$(aws configure export-credentials --format env)". */
#include "credentials.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the value, or NULL if it is empty or cannot be sent in an HTTP header. */
static const char *proper(const char *value)
{
    return value && *value && !strpbrk(value, "\r\n") ? value : NULL;
}

static const char *from_environment(const char *variable)
{
    return proper(getenv(variable));
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

/* Stores a setting, unless it has a value already. */
static void take_setting(struct credentials *credentials, const char *name, const char *value)
{
    const char **field = field_of(credentials, name);
    if (field && !*field && proper(value)) {
        *field = strdup(value);
    }
}

/* Reads the settings in one section of a file: the one that the environment variable names, or else ~/.aws/NAME. */
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
    static struct credentials files; /* its texts are never freed */
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
