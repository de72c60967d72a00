/* What a workspace consists of; the public face is in excamera/decode.h. */
#ifndef XC_DECODE_WORKSPACE_H
#define XC_DECODE_WORKSPACE_H

#include "decode/progress.h"
#include "dsp/dsp.h"
#include "excamera/decode.h"

struct xc_workspace {
    struct xc_dsp dsp;
    struct xc_crew *crew;
    struct xc_picture_pool *pool;
    struct xc_frame frame; /* for decoding from bytes */
    uint8_t *lines;        /* for canvases, see canvas.h */
    size_t lines_capacity;
    struct xc_row_progress *progress;
    size_t progress_capacity;
};

#endif
