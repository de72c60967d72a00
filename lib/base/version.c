/* SPDX-License-Identifier: BSD-2-Clause */
/* The version as a string, made of the numbers in the header. */
#include "excamera/version.h"

#define TEXT(number) #number
#define JOIN(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *xc_version(void)
{
    return JOIN(XC_VERSION_MAJOR, XC_VERSION_MINOR, XC_VERSION_PATCH);
}
