/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust.h"

#include <dirent.h>
#include <string.h>

static enum { UNKNOWN, BY_DIRECTORY, BY_FILE } system_trust; /* where the system's are looked for */

/* Whether the directory has certificates as OpenSSL looks them up: 9d04f354.0, for example. */
static bool has_certificates(const char *path)
{
    DIR *directory = path ? opendir(path) : NULL;
    bool found = false;
    for (const struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        found = strspn(entry->d_name, "0123456789abcdef") == 8 && !strcmp(entry->d_name + 8, ".0");
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}

bool trust_set(CURL *curl, const char *authorities)
{
    const char *directory = NULL;
    if (system_trust == UNKNOWN) {
        curl_easy_getinfo(curl, CURLINFO_CAPATH, &directory);
        system_trust = has_certificates(directory) ? BY_DIRECTORY : BY_FILE;
    }
    const bool by_directory = !*authorities && system_trust == BY_DIRECTORY;
    if (*authorities) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
    }
    /* libcurl keeps what it has loaded from a file as long as there is no directory, too. */
    curl_easy_setopt(curl, by_directory ? CURLOPT_CAINFO : CURLOPT_CAPATH, NULL);
    return by_directory;
}

void trust_file(void)
{
    system_trust = BY_FILE;
}
