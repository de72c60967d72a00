/* The loop filter, row by row; RFC 6386 section 15. */
#include "bitstream/tokens.h"
#include "decode/canvas.h"

/* Mode classes of struct xc_filter_deltas.mode. Intra modes but B_PRED have no delta; they count as CLASS_ZERO, which
 * an intra macroblock cannot be. */
enum { CLASS_B_PRED, CLASS_ZERO, CLASS_MV, CLASS_SPLIT };

static uint8_t clamp_level(int level)
{
    return (uint8_t)(level < 0 ? 0 : level > 63 ? 63 : level);
}

/* Section 9.4. */
static void fill_levels(uint8_t out[4][4], int level, bool use_deltas, const struct xc_filter_deltas *deltas)
{
    for (int reference = 0; reference < 4; reference++) {
        for (int mode = 0; mode < 4; mode++) {
            int adjusted = level;
            if (use_deltas) {
                adjusted += deltas->reference[reference];
                bool has_delta = reference == XC_INTRA ? mode == CLASS_B_PRED : mode != CLASS_B_PRED;
                adjusted += has_delta ? deltas->mode[mode] : 0;
            }
            out[reference][mode] = clamp_level(adjusted);
        }
    }
}

void xc_filter_plan_fill(struct xc_filter_plan *plan, const struct xc_frame_header *h,
                         const struct xc_segment_data *data, const struct xc_filter_deltas *deltas)
{
    plan->enabled = h->filter_level != 0;
    plan->simple = h->simple_filter;
    for (int i = 0; i < XC_SEGMENTS; i++) {
        int level = h->filter_level;
        if (h->segmentation) {
            level = clamp_level(data->filter_level[i] + (data->absolute ? 0 : level));
        }
        fill_levels(plan->level[i], level, h->filter_deltas_enabled, deltas);
    }
    /* Section 15.4. */
    for (int level = 0; level < 64; level++) {
        int interior = level >> (h->sharpness > 4 ? 2 : h->sharpness > 0 ? 1 : 0);
        if (h->sharpness && interior > 9 - h->sharpness) {
            interior = 9 - h->sharpness;
        }
        plan->interior[level] = (uint8_t)(interior < 1 ? 1 : interior);
        plan->hev[level] =
            (uint8_t)(h->key_frame ? (level >= 40) + (level >= 15) : (level >= 40) + (level >= 20) + (level >= 15));
    }
}

static int mode_class(const struct xc_macroblock *mb)
{
    switch (mb->y_mode) {
    case XC_B_PRED:
        return CLASS_B_PRED;
    case XC_SPLITMV:
        return CLASS_SPLIT;
    case XC_NEARESTMV:
    case XC_NEARMV:
    case XC_NEWMV:
        return CLASS_MV;
    default:
        return CLASS_ZERO;
    }
}

static void filter_normal(const struct xc_canvas *canvas, unsigned row, unsigned column, int level, bool inner)
{
    const struct xc_plane *plane = canvas->picture->plane;
    const struct xc_filter_plan *plan = &canvas->filter;
    const int interior = plan->interior[level], hev = plan->hev[level];
    const int mb_edge = (level + 2) * 2 + interior, inner_edge = level * 2 + interior;
    const ptrdiff_t stride = plane[XC_PLANE_Y].stride, chroma_stride = plane[XC_PLANE_U].stride;
    uint8_t *y = xc_canvas_at(canvas, XC_PLANE_Y, row, column);
    uint8_t *u = xc_canvas_at(canvas, XC_PLANE_U, row, column), *v = xc_canvas_at(canvas, XC_PLANE_V, row, column);

    if (column) {
        canvas->dsp->filter.mb_v(y, stride, mb_edge, interior, hev);
        canvas->dsp->filter.mb_v_uv(u, v, chroma_stride, mb_edge, interior, hev);
    }
    if (inner) {
        canvas->dsp->filter.inner_v(y, stride, inner_edge, interior, hev);
        canvas->dsp->filter.inner_v_uv(u, v, chroma_stride, inner_edge, interior, hev);
    }
    if (row) {
        canvas->dsp->filter.mb_h(y, stride, mb_edge, interior, hev);
        canvas->dsp->filter.mb_h_uv(u, v, chroma_stride, mb_edge, interior, hev);
    }
    if (inner) {
        canvas->dsp->filter.inner_h(y, stride, inner_edge, interior, hev);
        canvas->dsp->filter.inner_h_uv(u, v, chroma_stride, inner_edge, interior, hev);
    }
}

/* Luma only. */
static void filter_simple(const struct xc_canvas *canvas, unsigned row, unsigned column, int level, bool inner)
{
    const ptrdiff_t stride = canvas->picture->plane[XC_PLANE_Y].stride;
    const int interior = canvas->filter.interior[level];
    const int mb_edge = (level + 2) * 2 + interior, inner_edge = level * 2 + interior;
    uint8_t *y = xc_canvas_at(canvas, XC_PLANE_Y, row, column);

    if (column) {
        canvas->dsp->filter.simple_mb_v(y, stride, mb_edge);
    }
    if (inner) {
        canvas->dsp->filter.simple_inner_v(y, stride, inner_edge);
    }
    if (row) {
        canvas->dsp->filter.simple_mb_h(y, stride, mb_edge);
    }
    if (inner) {
        canvas->dsp->filter.simple_inner_h(y, stride, inner_edge);
    }
}

void xc_filter_row(const struct xc_canvas *canvas, unsigned row)
{
    if (!canvas->filter.enabled) {
        return;
    }
    const unsigned columns = canvas->frame->mb_cols;
    const struct xc_macroblock *mb = &canvas->frame->macroblocks[(size_t)row * columns];
    struct xc_row_progress *progress = &canvas->progress[row];
    for (unsigned column = 0; column < columns; column++, mb++) {
        if (row > 0) {
            xc_row_follow(canvas->crew, &progress[-1].filtered, column, columns);
        }
        int level = canvas->filter.level[mb->segment][mb->reference][mode_class(mb)];
        if (level) {
            bool inner = !xc_has_y2(mb) || xc_has_tokens(mb);
            (canvas->filter.simple ? filter_simple : filter_normal)(canvas, row, column, level, inner);
        }
        xc_row_report(canvas->crew, &progress->filtered, column, columns);
    }
}
