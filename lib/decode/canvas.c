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

enum xc_status xc_canvas_begin(struct xc_canvas *canvas, struct xc_workspace *workspace, const struct xc_frame *frame,
                               const struct xc_state *state, struct xc_error *err)
{
    const struct xc_frame_header *h = &frame->header;
    /* Section 9.1; libvpx reads the versions above 3 like 0. */
    const bool bilinear = h->version >= 1 && h->version <= 3;
    *canvas = (struct xc_canvas){
        .dsp = &workspace->dsp,
        .frame = frame,
        .reference = { state->reference[0], state->reference[1], state->reference[2] },
        .mc = bilinear ? workspace->dsp.bilinear : workspace->dsp.sixtap,
        .chroma_mv_mask = h->version == 3 ? ~7 : ~0,
    };
    struct xc_segment_data data = xc_segment_data_for(h, state);
    struct xc_filter_deltas deltas = xc_filter_deltas_for(h, state);
    xc_quantizers_fill(canvas->quantizer, h, &data);
    xc_filter_plan_fill(&canvas->filter, h, &data, &deltas);
    enum xc_status status = begin_lines(canvas, workspace, err);
    if (status) {
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

void xc_canvas_keep_line(const struct xc_canvas *canvas, unsigned row, unsigned column)
{
    struct xc_line below = xc_canvas_line_above(canvas, row + 1);
    for (int plane = 0; plane < 3; plane++) {
        size_t size = plane == XC_PLANE_Y ? 16 : 8;
        const uint8_t *bottom = xc_canvas_at(canvas, plane, row, column) +
                                (ptrdiff_t)(size - 1) * canvas->picture->plane[plane].stride;
        memcpy(below.plane[plane] + column * size, bottom, size);
    }
    /* Above and to the right of the last column lies its last sample, repeated (libvpx, vp8_extend_mb_row). */
    if (column + 1u == canvas->frame->mb_cols) {
        uint8_t *end = below.plane[XC_PLANE_Y] + (column + 1u) * 16;
        memset(end, end[-1], 4);
    }
}
