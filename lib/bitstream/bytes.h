/* SPDX-License-Identifier: BSD-2-Clause */
/* Growing a struct xc_bytes. */
#ifndef XC_BITSTREAM_BYTES_H
#define XC_BITSTREAM_BYTES_H

#include <stdbool.h>
#include <stddef.h>

#include "excamera/frame.h"

bool xc_bytes_grow(struct xc_bytes *bytes, size_t more);

/* Makes room for more bytes after size; false: out of memory, and nothing has changed. */
static inline bool xc_bytes_reserve(struct xc_bytes *bytes, size_t more)
{
    return bytes->capacity - bytes->size >= more || xc_bytes_grow(bytes, more);
}

#endif
