/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory that an event's files are written to: excamera/files in TMPDIR, or in /tmp. It outlives a worker that a
 * timeout has ended, so it is removed at the start, too. */
#ifndef XC_WORKER_SCRATCH_H
#define XC_WORKER_SCRATCH_H

#include <stdbool.h>

/* Removes the directory with all that is in it, makes it anew, and changes to it. false with errno: it cannot. */
bool scratch_begin(void);

#endif
