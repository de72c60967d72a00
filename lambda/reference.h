/* SPDX-License-Identifier: BSD-2-Clause */
/* A file, or the reference that stands for it while its bytes are in the store. A reference is a text of four lines:
 * "XCREF xc-lambda fetch", "sha256 DIGEST", "size BYTES", "bucket NAME". The tools understand the first line
 * (tools/tool-input.c). */
#ifndef XC_LAMBDA_REFERENCE_H
#define XC_LAMBDA_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sha256.h"

struct reference {
    char digest[SHA256_TEXT], bucket[64];
    uint64_t size;
    bool remote; /* what is here is a reference */
};

/* Finds out what a file is or refers to. The digest of a large file is kept in .xc-lambda/, and is valid as long as the
 * file's size, inode and modification time stay the same. */
void reference_of_file(const char *path, struct reference *reference);

/* Whether there is a file of this name that is a reference; if so, fills in *reference. */
bool reference_read(const char *path, struct reference *reference);

/* Writes a reference, whole or not at all. */
void reference_write(const struct reference *reference, const char *path);

#endif
