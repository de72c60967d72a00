/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop filter, row by row; RFC 6386 section 15. */
#include "bitstream/tokens.h"
#include "recon/recon.h"

static enum xc_filter_class mode_class(const struct xc_macroblock *mb)
{
    switch (mb->y_mode) {
    case XC_B_PRED:
        return XC_FILTER_B_PRED;
    case XC_SPLITMV:
        return XC_FILTER_SPLIT;
    case XC_NEARESTMV:
    case XC_NEARMV:
    case XC_NEWMV:
        return XC_FILTER_MV;
    default:
        return XC_FILTER_ZERO;
    }
}

static void filter_normal(const struct xc_recon *recon, unsigned row, unsigned column, int level, bool inner)
{
    const struct xc_plane *plane = recon->picture->plane;
    const struct xc_dsp *dsp = recon->dsp;
    const struct xc_filter_limits *mb = &recon->filter.mb[level], *in = &recon->filter.inner[level];
    const ptrdiff_t stride = plane[XC_PLANE_Y].stride, chroma_stride = plane[XC_PLANE_U].stride;
    uint8_t *y = xc_recon_at(recon, XC_PLANE_Y, row, column);
    uint8_t *u = xc_recon_at(recon, XC_PLANE_U, row, column), *v = xc_recon_at(recon, XC_PLANE_V, row, column);

    if (column) {
        dsp->filter.mb_v(y, u, v, stride, chroma_stride, mb);
    }
    if (inner) {
        dsp->filter.inner_v(y, u, v, stride, chroma_stride, in);
    }
    if (row) {
        dsp->filter.mb_h(y, u, v, stride, chroma_stride, mb);
    }
    if (inner) {
        dsp->filter.inner_h(y, u, v, stride, chroma_stride, in);
    }
}

/* Luma only. */
static void filter_simple(const struct xc_recon *recon, unsigned row, unsigned column, int level, bool inner)
{
    const struct xc_dsp *dsp = recon->dsp;
    const ptrdiff_t stride = recon->picture->plane[XC_PLANE_Y].stride;
    const int mb_edge = recon->filter.mb[level].edge, inner_edge = recon->filter.inner[level].edge;
    uint8_t *y = xc_recon_at(recon, XC_PLANE_Y, row, column);

    if (column) {
        dsp->filter.simple_mb_v(y, stride, mb_edge);
    }
    if (inner) {
        dsp->filter.simple_inner_v(y, stride, inner_edge);
    }
    if (row) {
        dsp->filter.simple_mb_h(y, stride, mb_edge);
    }
    if (inner) {
        dsp->filter.simple_inner_h(y, stride, inner_edge);
    }
}

void xc_filter_row(const struct xc_recon *recon, unsigned row)
{
    if (!recon->filter.enabled) {
        return;
    }
    const unsigned columns = recon->frame->mb_cols;
    const struct xc_macroblock *mb = &recon->frame->macroblocks[(size_t)row * columns];
    struct xc_row_progress *progress = &recon->progress[row];
    for (unsigned column = 0; column < columns; column++, mb++) {
        if (row > 0) {
            xc_row_follow(recon->threads, &progress[-1].filtered, column, columns);
        }
        int level = recon->filter.level[mb->segment][mb->reference][mode_class(mb)];
        if (level) {
            bool inner = !xc_has_y2(mb) || xc_has_tokens(mb);
            (recon->filter.simple ? filter_simple : filter_normal)(recon, row, column, level, inner);
        }
        xc_row_report(recon->threads, &progress->filtered, column, columns);
    }
}
