/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 as 64 hexadecimal digits, the form that object names and signatures use. */
#ifndef XC_LAMBDA_SHA256_H
#define XC_LAMBDA_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SHA256_TEXT = 65 }; /* characters, with the final null */

struct sha256_ctx; /* Nettle's */

bool sha256_is_text(const char *text);
/* The digest of what the context has been given, which then begins anew. */
void sha256_finish(struct sha256_ctx *context, char text[static SHA256_TEXT]);
void sha256_of_bytes(const void *data, size_t size, char text[static SHA256_TEXT]);
/* Both also store the number of bytes in *size. They return false with errno set if the file cannot be read. */
bool sha256_of_stream(FILE *file, char text[static SHA256_TEXT], uint64_t *size);
bool sha256_of_file(const char *path, char text[static SHA256_TEXT], uint64_t *size);

#endif
