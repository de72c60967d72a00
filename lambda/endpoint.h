/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses of AWS's services. */
#ifndef XC_LAMBDA_ENDPOINT_H
#define XC_LAMBDA_ENDPOINT_H

enum { ENDPOINT_SIZE = 256 };

/* Writes the URL of "s3" or "lambda", without a slash at its end, as settings.h and the region say. Returns NULL, or
 * the text of an error. */
const char *endpoint_find(char url[static ENDPOINT_SIZE], const char *service, const char *region);

#endif
