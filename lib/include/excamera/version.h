/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of the library. The Makefile reads these three numbers: this is the only place where they are written. */
#ifndef EXCAMERA_VERSION_H
#define EXCAMERA_VERSION_H

#define XC_VERSION_MAJOR 0
#define XC_VERSION_MINOR 2
#define XC_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* "MAJOR.MINOR.PATCH" of the library that the program runs with. A program that is linked with the shared library may
 * have been compiled with the headers of another version. The string is static. */
const char *xc_version(void);

#ifdef __cplusplus
}
#endif

#endif
