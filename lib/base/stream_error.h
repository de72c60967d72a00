/* SPDX-License-Identifier: BSD-2-Clause */
/* What to say when a stream does not give or take all that was asked of it; to be called while errno is still its. */
#ifndef XC_BASE_STREAM_ERROR_H
#define XC_BASE_STREAM_ERROR_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "excamera/error.h"

static inline enum xc_status xc_fail_io(struct xc_error *err)
{
    return xc_fail(err, XC_ERR_IO, "%s", strerror(errno));
}

/* After a short read: the system's reason or, where the stream is merely at its end, this message. */
static inline enum xc_status xc_fail_read(FILE *stream, struct xc_error *err, const char *ended)
{
    return ferror(stream) ? xc_fail_io(err) : xc_fail(err, XC_ERR_FORMAT, "%s", ended);
}

#endif
