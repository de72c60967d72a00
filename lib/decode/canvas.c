#include "decode/canvas.h"

#include <stdlib.h>
#include <string.h>

#include "decode/advance.h"

/* Room before a line for its sample [-1], and behind it for the four beyond the edge. */
enum { LINE_MARGIN = 16 };

static enum xc_status begin_lines(struct xc_canvas *canvas, struct xc_workspace *workspace, struct xc_error *err)
{
    const struct xc_frame *frame = canvas->frame;
    size_t luma = (size_t)frame->mb_cols * 16 + 2 * LINE_MARGIN, chroma = (size_t)frame->mb_cols * 8 + 2 * LINE_MARGIN;
    canvas->line_size = luma + 2 * chroma;
    canvas->chroma_offset[0] = luma;
    canvas->chroma_offset[1] = luma + chroma;
    size_t need = canvas->line_size * (frame->mb_rows + 1u);
    if (workspace->lines_capacity < need) {
        uint8_t *lines = malloc(need);
        if (!lines) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for the lines between macroblocks");
        }
        free(workspace->lines);
        workspace->lines = lines;
        workspace->lines_capacity = need;
    }
    canvas->lines = workspace->lines;
    /* Section 12.2: 127 above the picture, and 129 to the left of it. */
    memset(canvas->lines, 127, canvas->line_size);
    for (unsigned row = 1; row <= frame->mb_rows; row++) {
        struct xc_line line = xc_canvas_line_above(canvas, row);
        line.plane[0][-1] = line.plane[1][-1] = line.plane[2][-1] = 129;
    }
    return XC_OK;
}

static enum xc_status begin_progress(struct xc_canvas *canvas, struct xc_workspace *workspace, struct xc_error *err)
{
    unsigned rows = canvas->frame->mb_rows;
    if (workspace->progress_capacity < rows) {
        struct xc_row_progress *progress = malloc(rows * sizeof *progress);
        if (!progress) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for the progress of %u rows", rows);
        }
        free(workspace->progress);
        workspace->progress = progress;
        workspace->progress_capacity = rows;
    }
    canvas->progress = workspace->progress;
    for (unsigned row = 0; row < rows; row++) {
        atomic_init(&canvas->progress[row].made.reached, 0);
        atomic_init(&canvas->progress[row].filtered.reached, 0);
    }
    return XC_OK;
}

enum xc_status xc_canvas_begin(struct xc_canvas *canvas, struct xc_workspace *workspace, const struct xc_frame *frame,
                               const struct xc_state *state, struct xc_error *err)
{
    const struct xc_frame_header *h = &frame->header;
    /* Section 9.1; libvpx reads the versions above 3 like 0. */
    const bool bilinear = h->version >= 1 && h->version <= 3;
    *canvas = (struct xc_canvas){
        .dsp = &workspace->dsp,
        .crew = workspace->crew,
        .frame = frame,
        .reference = { state->reference[0], state->reference[1], state->reference[2] },
        .mc = bilinear ? workspace->dsp.bilinear : workspace->dsp.sixtap,
        .chroma_mv_mask = h->version == 3 ? ~7 : ~0,
    };
    struct xc_segment_data data = xc_segment_data_for(h, state);
    struct xc_filter_deltas deltas = xc_filter_deltas_for(h, state);
    xc_quantizers_fill(canvas->quantizer, h, &data);
    xc_filter_plan_fill(&canvas->filter, h, &data, &deltas);
    enum xc_status status;
    if ((status = begin_lines(canvas, workspace, err)) || (status = begin_progress(canvas, workspace, err))) {
        return status;
    }
    unsigned width = h->key_frame ? h->width : state->width, height = h->key_frame ? h->height : state->height;
    return xc_picture_new(&canvas->picture, workspace->pool, width, height, err);
}

struct xc_line xc_canvas_line_above(const struct xc_canvas *canvas, unsigned row)
{
    uint8_t *line = canvas->lines + row * canvas->line_size + LINE_MARGIN;
    return (struct xc_line){ { line, line + canvas->chroma_offset[0], line + canvas->chroma_offset[1] } };
}

void xc_canvas_await(const struct xc_canvas *canvas, unsigned row, unsigned column)
{
    if (row > 0) {
        xc_row_follow(canvas->crew, &canvas->progress[row - 1].made, column, canvas->frame->mb_cols);
    }
}

/* size: a constant, wherever this is called. */
static inline void keep_bottom(const struct xc_canvas *canvas, struct xc_line below, int plane, unsigned row,
                               unsigned column, size_t size)
{
    const ptrdiff_t stride = canvas->picture->plane[plane].stride;
    memcpy(below.plane[plane] + column * size,
           xc_canvas_at(canvas, plane, row, column) + (ptrdiff_t)(size - 1) * stride, size);
}

void xc_canvas_keep_line(const struct xc_canvas *canvas, unsigned row, unsigned column)
{
    struct xc_line below = xc_canvas_line_above(canvas, row + 1);
    keep_bottom(canvas, below, XC_PLANE_Y, row, column, 16);
    keep_bottom(canvas, below, XC_PLANE_U, row, column, 8);
    keep_bottom(canvas, below, XC_PLANE_V, row, column, 8);
    /* Above and to the right of the last column lies its last sample, repeated (libvpx, vp8_extend_mb_row). */
    if (column + 1u == canvas->frame->mb_cols) {
        uint8_t *end = below.plane[XC_PLANE_Y] + (column + 1u) * 16;
        memset(end, end[-1], 4);
    }
    xc_row_report(canvas->crew, &canvas->progress[row].made, column, canvas->frame->mb_cols);
}
