/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 as 64 hexadecimal digits, the form that object names and signatures use. */
#ifndef XC_LAMBDA_SHA256_H
#define XC_LAMBDA_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_TEXT = 65 }; /* characters, with the final null */

bool sha256_is_text(const char *text);
void sha256_of_bytes(const void *data, size_t size, char text[static SHA256_TEXT]);
/* Also stores the number of bytes in *size. Returns false with errno set if the file cannot be read. */
bool sha256_of_file(const char *path, char text[static SHA256_TEXT], uint64_t *size);

#endif
