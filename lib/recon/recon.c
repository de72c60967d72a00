/* SPDX-License-Identifier: BSD-2-Clause */
#include "recon/recon.h"

#include <stdlib.h>
#include <string.h>

#include "bitstream/advance.h"

/* Room before a line for its sample [-1], and after it for the four beyond the edge. */
enum { LINE_MARGIN = 16 };

static enum xc_status begin_lines(struct xc_recon *recon, struct xc_workspace *workspace, struct xc_error *err)
{
    const struct xc_picture *picture = recon->picture;
    size_t luma = (size_t)picture->mb_cols * 16 + 2 * LINE_MARGIN,
           chroma = (size_t)picture->mb_cols * 8 + 2 * LINE_MARGIN;
    recon->line_size = luma + 2 * chroma;
    recon->chroma_offset[0] = luma;
    recon->chroma_offset[1] = luma + chroma;
    size_t need = recon->line_size * (picture->mb_rows + 1u);
    if (workspace->lines_capacity < need) {
        uint8_t *lines = malloc(need);
        if (!lines) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for the lines between macroblocks");
        }
        free(workspace->lines);
        workspace->lines = lines;
        workspace->lines_capacity = need;
    }
    recon->lines = workspace->lines;
    /* Section 12.2: 127 above the picture, and 129 to the left of it. */
    memset(recon->lines, 127, recon->line_size);
    for (unsigned row = 1; row <= picture->mb_rows; row++) {
        struct xc_line line = xc_recon_line_above(recon, row);
        line.plane[0][-1] = line.plane[1][-1] = line.plane[2][-1] = 129;
    }
    return XC_OK;
}

static enum xc_status begin_progress(struct xc_recon *recon, struct xc_workspace *workspace, struct xc_error *err)
{
    unsigned rows = recon->picture->mb_rows;
    if (workspace->progress_capacity < rows) {
        struct xc_row_progress *progress = malloc(rows * sizeof *progress);
        if (!progress) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for the progress of %u rows", rows);
        }
        free(workspace->progress);
        workspace->progress = progress;
        workspace->progress_capacity = rows;
    }
    recon->progress = workspace->progress;
    for (unsigned row = 0; row < rows; row++) {
        atomic_init(&recon->progress[row].made.reached, 0);
        atomic_init(&recon->progress[row].filtered.reached, 0);
    }
    return XC_OK;
}

enum xc_status xc_recon_begin(struct xc_recon *recon, struct xc_workspace *workspace, unsigned width, unsigned height,
                              struct xc_error *err)
{
    *recon = (struct xc_recon){ .dsp = &workspace->dsp, .threads = workspace->threads };
    enum xc_status status = xc_picture_new(&recon->picture, workspace->pool, width, height, err);
    if (status) {
        return status;
    }
    if ((status = begin_lines(recon, workspace, err)) || (status = begin_progress(recon, workspace, err))) {
        xc_recon_end(recon);
        return status;
    }
    recon->picture->complete = true; /* every macroblock will be made before anyone sees it */
    return XC_OK;
}

void xc_recon_end(struct xc_recon *recon)
{
    xc_picture_unref(recon->picture);
    recon->picture = NULL;
}

void xc_recon_set_frame(struct xc_recon *recon, const struct xc_frame *frame, const struct xc_state *state)
{
    const struct xc_frame_header *h = &frame->header;
    /* Section 9.1; libvpx reads the versions above 3 like 0. */
    const bool bilinear = h->version >= 1 && h->version <= 3;
    recon->frame = frame;
    for (int i = 0; i < XC_REFERENCES; i++) {
        recon->reference[i] = state->reference[i];
    }
    recon->motion = (struct xc_motion){
        .mc = bilinear ? recon->dsp->bilinear : recon->dsp->sixtap,
        .whole_chroma = h->version == 3,
    };
    struct xc_segment_data data = xc_segment_data_for(h, state);
    struct xc_filter_deltas deltas = xc_filter_deltas_for(h, state);
    xc_quantizers_fill(recon->quantizer, h, &data);
    xc_filter_plan_fill(&recon->filter, h, &data, &deltas);
}

struct xc_line xc_recon_line_above(const struct xc_recon *recon, unsigned row)
{
    uint8_t *line = recon->lines + row * recon->line_size + LINE_MARGIN;
    return (struct xc_line){ { line, line + recon->chroma_offset[0], line + recon->chroma_offset[1] } };
}

void xc_recon_await(const struct xc_recon *recon, unsigned row, unsigned column)
{
    if (row > 0) {
        xc_row_follow(recon->threads, &recon->progress[row - 1].made, column, recon->frame->mb_cols);
    }
}

/* size: a constant, wherever this is called. */
static inline void keep_bottom(const struct xc_recon *recon, struct xc_line below, int plane, unsigned row,
                               unsigned column, size_t size)
{
    const ptrdiff_t stride = recon->picture->plane[plane].stride;
    memcpy(below.plane[plane] + column * size, xc_recon_at(recon, plane, row, column) + (ptrdiff_t)(size - 1) * stride,
           size);
}

void xc_recon_keep_line(const struct xc_recon *recon, unsigned row, unsigned column)
{
    struct xc_line below = xc_recon_line_above(recon, row + 1);
    keep_bottom(recon, below, XC_PLANE_Y, row, column, 16);
    keep_bottom(recon, below, XC_PLANE_U, row, column, 8);
    keep_bottom(recon, below, XC_PLANE_V, row, column, 8);
    /* Above and to the right of the last column lies its last sample, repeated (libvpx, vp8_extend_mb_row). */
    if (column + 1u == recon->frame->mb_cols) {
        uint8_t *end = below.plane[XC_PLANE_Y] + (column + 1u) * 16;
        memset(end, end[-1], 4);
    }
    xc_row_report(recon->threads, &recon->progress[row].made, column, recon->frame->mb_cols);
}
