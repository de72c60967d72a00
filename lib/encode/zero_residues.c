/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "excamera/encode.h"

void xc_frame_zero_residues(struct xc_frame *frame)
{
    const size_t count = (size_t)frame->mb_rows * frame->mb_cols;
    for (size_t i = 0; i < count; i++) {
        struct xc_macroblock *mb = &frame->macroblocks[i];
        memset(mb->tokens, 0, sizeof mb->tokens);
        mb->coefficients = 0;
        mb->skip = frame->header.skip_enabled;
    }
    frame->coefficient_count = 0;
}
