/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for libvpx that always holds zeros.
 *
 * With tune=ssim, libvpx reads nine bytes after an array: build_activity_map leaves xd->above_context after the last
 * column, and vp8_optimize_mby takes its contexts from there. What it finds decides about levels, so the same pictures
 * would give other bytes now and then, with what the heap held before. In the copy of libvpx that the tools are linked
 * with (mk/build.mk), malloc is this function: what it returns is zeroed, and so are a few bytes more. */
#include <stdint.h>
#include <stdlib.h>

enum { SLACK = 32 };

void *xc_zeroed_malloc(size_t size);

void *xc_zeroed_malloc(size_t size)
{
    return size > SIZE_MAX - SLACK ? NULL : calloc(1, size + SLACK);
}
