/* SPDX-License-Identifier: BSD-2-Clause */
/* How long kernels take. */
#ifndef CHECKASM_MEASURE_H
#define CHECKASM_MEASURE_H

#include "kernels.h"

/* Prints a line: the nanoseconds per call of the C version, and of each set for which wanted is true, with how many
 * times faster it is. Motion compensation has a line for each of a few positions. */
void measure(const struct kernel *kernel, const bool wanted[MAX_SETS]);

#endif
