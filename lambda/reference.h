/* A file, or what stands for it while its bytes are in the store: four lines, "XCREF 1", "sha256 DIGEST", "size BYTES",
 * "bucket NAME". */
#ifndef XC_LAMBDA_REFERENCE_H
#define XC_LAMBDA_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sha256.h"

struct reference {
    char digest[SHA256_TEXT], bucket[64];
    uint64_t size;
    bool remote; /* the file is only a reference */
};

/* What a file is or refers to. Large files' digests are kept in .xc-lambda/, and believed as long as size, inode and
 * time of the file stay the same. */
void reference_of_file(const char *path, struct reference *reference);

/* Whether there is a file of this name that is a reference, and to what. */
bool reference_read(const char *path, struct reference *reference);

/* The reference appears whole or not at all. */
void reference_write(const struct reference *reference, const char *path);

#endif
