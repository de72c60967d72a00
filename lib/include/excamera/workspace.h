/* SPDX-License-Identifier: BSD-2-Clause */
/* What coding needs besides its arguments: spare pictures, line buffers, threads. */
#ifndef EXCAMERA_WORKSPACE_H
#define EXCAMERA_WORKSPACE_H

#include "excamera/cpu.h"
#include "excamera/error.h"
#include "excamera/picture.h"

#ifdef __cplusplus
extern "C" {
#endif

/* It remembers nothing that a result could depend on. One workspace serves one call at a time; several threads need one
 * each. Encoders must be freed before their workspace; pictures and states may outlive it. */
struct xc_workspace;

/* threads: 1 to XC_MAX_THREADS, the caller's included. cpu_features: XC_CPU_ALL, or fewer bits of enum xc_cpu to
 * measure and test; what this machine lacks is ignored. XC_ERR_MEMORY where threads cannot be started, too. */
enum { XC_MAX_THREADS = 256 };
enum xc_status xc_workspace_new(struct xc_workspace **out, unsigned threads, unsigned cpu_features,
                                struct xc_error *err);
void xc_workspace_free(struct xc_workspace *workspace); /* NULL is fine */

/* The pool of its pictures, for those that the caller makes. It lives as long as the workspace. */
struct xc_picture_pool *xc_workspace_pool(struct xc_workspace *workspace);

#ifdef __cplusplus
}
#endif

#endif
