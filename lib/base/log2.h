/* SPDX-License-Identifier: BSD-2-Clause */
/* Logarithms that are the same on every machine, which libm's need not be. */
#ifndef XC_BASE_LOG2_H
#define XC_BASE_LOG2_H

#include <stdint.h>

enum { XC_LOG2_ONE = 256 }; /* stands for 1 */

/* The binary logarithm of a number of 1 or more, in units of 1 / XC_LOG2_ONE, rounded down. */
int xc_log2(uint32_t value);

#endif
