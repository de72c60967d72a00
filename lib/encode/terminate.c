/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/encode.h"

void xc_frame_terminate(struct xc_frame *frame)
{
    struct xc_frame_header *h = &frame->header;
    if (!h->key_frame) {
        h->refresh_last = h->refresh_golden = h->refresh_altref = true;
        h->copy_to_golden = h->copy_to_altref = 0;
    }
}
