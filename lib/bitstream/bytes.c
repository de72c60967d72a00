/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/bytes.h"

#include <stdlib.h>

bool xc_bytes_grow(struct xc_bytes *bytes, size_t more)
{
    size_t capacity = bytes->capacity + bytes->capacity / 2 + more + 4096;
    uint8_t *data = realloc(bytes->data, capacity);
    if (!data) {
        return false;
    }
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

void xc_bytes_clear(struct xc_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct xc_bytes)XC_BYTES_INIT;
}
