/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700 /* for nftw */

#include "scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1024, DESCRIPTORS = 16 };

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

bool scratch_begin(void)
{
    char top[PATH_SIZE], files[PATH_SIZE + 8];
    const char *given = getenv("TMPDIR");
    if (snprintf(top, sizeof top, "%s/excamera", given && *given ? given : "/tmp") >= PATH_SIZE) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(files, sizeof files, "%s/files", top);
    if (chdir("/") || (nftw(top, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)) {
        return false;
    }
    return !mkdir(top, 0777) && !mkdir(files, 0777) && !chdir(files);
}
