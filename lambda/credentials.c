/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* for setenv and strdup */

#include "credentials.h"

#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "settings.h"

static struct session session; /* what a command has given; empty if none was needed */

/* The command that gives credentials, or NULL if none is needed. *last: it is only the last resort. */
static const char *find_command(bool *last)
{
    static const char by_cli[] = "aws configure export-credentials --format process --profile \"$XC_LAMBDA_PROFILE\"";
    static const char by_cli_default[] = "aws configure export-credentials --format process";
    const char *with_cli = strcmp(settings_profile(), "default") != 0 ? by_cli : by_cli_default;
    setenv("XC_LAMBDA_PROFILE", settings_profile(), 1);
    *last = false;
    for (int i = SETTING_ROLE; i < SETTINGS; i++) {
        if (settings_get((enum setting)i)) {
            return with_cli;
        }
    }
    if (settings_of_profile(SETTING_ID) && settings_of_profile(SETTING_SECRET)) {
        return NULL;
    }
    *last = !settings_of_profile(SETTING_PROCESS);
    return *last ? with_cli : settings_of_profile(SETTING_PROCESS);
}

static void take_session(struct credentials *credentials, struct session *found)
{
    session_free(&session);
    session = *found;
    *credentials = (struct credentials){ .id = session.id, .secret = session.secret, .token = session.token };
}

const char *credentials_find(struct credentials *credentials)
{
    bool last;
    struct session found;
    settings_read();
    *credentials = (struct credentials){ .id = settings_of_environment(SETTING_ID),
                                         .secret = settings_of_environment(SETTING_SECRET),
                                         .token = settings_of_environment(SETTING_TOKEN) };
    if (credentials->id && credentials->secret) {
        return NULL;
    }
    const char *command = find_command(&last);
    if (!command) {
        *credentials = (struct credentials){ .id = settings_of_profile(SETTING_ID),
                                             .secret = settings_of_profile(SETTING_SECRET),
                                             .token = settings_of_profile(SETTING_TOKEN) };
        return NULL;
    }
    if (!session_get(&found, command, NULL, last)) {
        return last ? "none; run: aws configure, or aws login, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
                      "AWS_SECRET_ACCESS_KEY"
                    : "the command that this profile names gives none; log in again, and run the same command again";
    }
    take_session(credentials, &found);
    return NULL;
}

static bool replace_session(struct credentials *credentials, const char *refused)
{
    bool last;
    struct session found;
    const char *command = find_command(&last);
    if (!command || !session_get(&found, command, refused, last)) {
        return false;
    }
    take_session(credentials, &found);
    return true;
}

void credentials_keep_fresh(struct credentials *credentials)
{
    if (session.id && session_is_old(&session)) {
        replace_session(credentials, NULL);
    }
}

/* Whether somebody has written other credentials to the profile. */
static bool profile_has_others(struct credentials *credentials)
{
    char *before = strdup(credentials->token ? credentials->token : credentials->id);
    const bool found = before && !credentials_find(credentials);
    const char *now = credentials->token ? credentials->token : credentials->id;
    const bool others = found && strcmp(now, before) != 0;
    free(before);
    return others;
}

bool credentials_renew(struct credentials *credentials)
{
    return session.id ? replace_session(credentials, session.id) : profile_has_others(credentials);
}
