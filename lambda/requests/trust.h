/* SPDX-License-Identifier: BSD-2-Clause */
/* Which certificates the requests trust: the user's, or the system's. Of these, the one that is needed is looked up
 * where they are in a directory: reading all of them from one file takes longer than anything else here. */
#ifndef XC_LAMBDA_REQUESTS_TRUST_H
#define XC_LAMBDA_REQUESTS_TRUST_H

#include <curl/curl.h>
#include <stdbool.h>

/* Sets the handle's options. authorities: a file; or "" for the system's. Returns whether they are in a directory. */
bool trust_set(CURL *curl, const char *authorities);
/* From now on, the system's are those of its file. */
void trust_file(void);

#endif
