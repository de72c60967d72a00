/* SPDX-License-Identifier: BSD-2-Clause */
/* Prediction of macroblocks; RFC 6386 sections 12 (intra) and 18 (inter). */
#include <string.h>

#include "bitstream/near_mvs.h"
#include "recon/recon.h"

/* --- inter --- */

/* How many macroblocks ahead memory is asked for: decoding that many takes about one memory latency. */
enum { PREFETCH_DISTANCE = 6 };
/* Pictures up to this size stay in the second-level cache from one frame to the next, with the references: 256 KiB. */
enum { CACHED_MACROBLOCKS = 256 * 1024 / (16 * 16 * 3 / 2) };
/* Of most processors, in bytes. Several neighbouring macroblocks share one in each row. */
enum { CACHE_LINE = 64 };

/* Predicts a block of a plane, at x, y in the picture. mx, my: the vector in 1/8 samples of the plane. */
static void predict_block(const struct xc_recon *recon, const struct xc_picture *reference, int plane, int x, int y,
                          int size, int mx, int my)
{
    const struct xc_plane *to = &recon->picture->plane[plane];
    xc_motion_predict(&recon->motion, to->data + y * to->stride + x, to->stride, reference, plane, x, y, size, mx, my);
}

/* The average of four components, rounded away from zero at the half; it is in 1/8 chroma samples. */
static int average(int sum)
{
    return (sum + (sum < 0 ? -2 : 2)) / 4;
}

static void predict_split_luma(const struct xc_recon *recon, const struct xc_picture *reference,
                               const struct xc_macroblock *mb, int x, int y)
{
    if (mb->partitioning == XC_SPLIT_16) {
        for (int i = 0; i < 16; i++) {
            struct xc_mv mv = mb->split[i];
            predict_block(recon, reference, XC_PLANE_Y, x + (i & 3) * 4, y + (i >> 2) * 4, 4, mv.column * 2,
                          mv.row * 2);
        }
    } else {
        for (int i = 0; i < 4; i++) {
            struct xc_mv mv = mb->split[(i >> 1) * 8 + (i & 1) * 2];
            predict_block(recon, reference, XC_PLANE_Y, x + (i & 1) * 8, y + (i >> 1) * 8, 8, mv.column * 2,
                          mv.row * 2);
        }
    }
}

/* Section 18.1: a quarter luma sample is an eighth of a chroma sample. */
static void predict_split_chroma(const struct xc_recon *recon, const struct xc_picture *reference,
                                 const struct xc_macroblock *mb, int x, int y)
{
    for (int i = 0; i < 4; i++) {
        const struct xc_mv *mv = &mb->split[(i >> 1) * 8 + (i & 1) * 2];
        int row = average(mv[0].row + mv[1].row + mv[4].row + mv[5].row);
        int column = average(mv[0].column + mv[1].column + mv[4].column + mv[5].column);
        predict_block(recon, reference, XC_PLANE_U, x / 2 + (i & 1) * 4, y / 2 + (i >> 1) * 4, 4, column, row);
        predict_block(recon, reference, XC_PLANE_V, x / 2 + (i & 1) * 4, y / 2 + (i >> 1) * 4, 4, column, row);
    }
}

static const struct xc_picture *reference_of(const struct xc_recon *recon, const struct xc_macroblock *mb)
{
    return recon->reference[mb->reference - 1];
}

static void predict_inter_luma(const struct xc_recon *recon, const struct xc_macroblock *mb, int x, int y)
{
    if (mb->y_mode == XC_SPLITMV) {
        predict_split_luma(recon, reference_of(recon, mb), mb, x, y);
    } else {
        predict_block(recon, reference_of(recon, mb), XC_PLANE_Y, x, y, 16, mb->mv.column * 2, mb->mv.row * 2);
    }
}

static void predict_inter_chroma(const struct xc_recon *recon, const struct xc_macroblock *mb, int x, int y)
{
    if (mb->y_mode == XC_SPLITMV) {
        predict_split_chroma(recon, reference_of(recon, mb), mb, x, y);
        return;
    }
    for (int plane = XC_PLANE_U; plane <= XC_PLANE_V; plane++) {
        predict_block(recon, reference_of(recon, mb), plane, x / 2, y / 2, 8, mb->mv.column, mb->mv.row);
    }
}

static bool stands_still(const struct xc_macroblock *mb)
{
    return xc_is_still(mb) && mb->y_mode != XC_SPLITMV;
}

/* Copies macroblocks from the same place in a reference. */
static void copy_run(const struct xc_recon *recon, const struct xc_picture *reference, unsigned row, unsigned column,
                     unsigned count)
{
    for (int plane = 0; plane < 3; plane++) {
        const unsigned size = plane == XC_PLANE_Y ? 16 : 8;
        const struct xc_plane *source = &reference->plane[plane], *target = &recon->picture->plane[plane];
        const uint8_t *from = source->data + (ptrdiff_t)(row * size) * source->stride + (ptrdiff_t)(column * size);
        uint8_t *to = xc_recon_at(recon, plane, row, column);
        for (unsigned y = 0; y < size; y++, from += source->stride, to += target->stride) {
            memcpy(to, from, (size_t)count * size);
        }
    }
}

static int clamp_coordinate(int value, int limit)
{
    return value < 0 ? 0 : value >= limit ? limit - 1 : value;
}

/* Asks for the memory of a square block, or of the nearest one that lies inside the plane. */
static void prefetch(const struct xc_plane *plane, int x, int y, int size, int plane_width, int plane_height)
{
    const uint8_t *row =
        plane->data + clamp_coordinate(y, plane_height - size + 1) * plane->stride + clamp_coordinate(x, plane_width);
    for (int i = 0; i < size; i++, row += plane->stride) {
        __builtin_prefetch(row);
    }
}

void xc_recon_prefetch(const struct xc_recon *recon, const struct xc_picture *source, unsigned row, unsigned column)
{
    const struct xc_frame *frame = recon->frame;
    column += PREFETCH_DISTANCE;
    if (column >= frame->mb_cols || (unsigned)frame->mb_cols * frame->mb_rows <= CACHED_MACROBLOCKS) {
        return;
    }
    const struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols + column];
    /* Long lines the processor prefetches itself. Whoever has a source makes no runs. */
    const bool in_run = !source && stands_still(mb);
    for (int plane = 0; plane < 3; plane++) {
        const int size = plane == XC_PLANE_Y ? 16 : 8, to_samples = plane == XC_PLANE_Y ? 2 : 3;
        const int x = (int)column * size, y = (int)row * size, width = frame->mb_cols * size,
                  height = frame->mb_rows * size;
        if (x % CACHE_LINE == 0) {
            prefetch(&recon->picture->plane[plane], x, y, size, width, height);
        }
        if (mb->reference != XC_REF_INTRA && !in_run) {
            prefetch(&recon->reference[mb->reference - 1]->plane[plane], x + (mb->mv.column >> to_samples),
                     y + (mb->mv.row >> to_samples), size, width, height);
        }
        if (source && x % CACHE_LINE == 0) {
            prefetch(&source->plane[plane], x, y, size, width, height);
        }
    }
}

/* --- intra --- */

/* The samples to the left, of which there are size; 129 beyond the edge (section 12.2). */
static void gather_left(uint8_t *left, const uint8_t *at, ptrdiff_t stride, int size, bool inside)
{
    for (int i = 0; i < size; i++) {
        left[i] = inside ? at[i * stride - 1] : 129;
    }
}

/* Section 12.2: an average of samples beyond the edge is not taken. */
static int intra_kernel(int mode, unsigned row, unsigned column)
{
    if (mode != XC_DC_PRED) {
        return mode;
    }
    return row && column ? XC_INTRA_DC : row ? XC_INTRA_DC_ABOVE : column ? XC_INTRA_DC_LEFT : XC_INTRA_DC_128;
}

static void predict_intra_plane(const struct xc_recon *recon, int plane, int mode, unsigned row, unsigned column)
{
    const int size = plane == XC_PLANE_Y ? 16 : 8;
    const ptrdiff_t stride = recon->picture->plane[plane].stride;
    uint8_t *dst = xc_recon_at(recon, plane, row, column), left[16];
    struct xc_line above = xc_recon_line_above(recon, row);
    gather_left(left, dst, stride, size, column > 0);
    xc_intra_fn *const *kernels = plane == XC_PLANE_Y ? recon->dsp->intra16 : recon->dsp->intra8;
    kernels[intra_kernel(mode, row, column)](dst, stride, above.plane[plane] + column * (unsigned)size, left);
}

void xc_predict_block(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column,
                      int block)
{
    const ptrdiff_t stride = recon->picture->plane[XC_PLANE_Y].stride;
    const int x = (block & 3) * 4, y = (block >> 2) * 4;
    uint8_t *dst = xc_recon_at(recon, XC_PLANE_Y, row, column) + y * stride + x;
    const uint8_t *line = xc_recon_line_above(recon, row).plane[XC_PLANE_Y] + column * 16;
    uint8_t edge[16], *above = edge + 4, left[4];

    gather_left(left, dst, stride, 4, column > 0 || x > 0);
    /* Beyond the right edge of the macroblock, only the row above it is decoded: all four rows of blocks use that. */
    memcpy(above, y ? dst - stride : line + x, 4);
    memcpy(above + 4, y && x < 12 ? dst - stride + 4 : line + x + 4, 4);
    above[-1] = y == 0 ? line[x - 1] : column > 0 || x > 0 ? dst[-stride - 1] : 129;
    recon->dsp->intra4[mb->b_mode[block]](dst, stride, above, left);
}

void xc_predict_luma(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column)
{
    if (mb->reference != XC_REF_INTRA) {
        predict_inter_luma(recon, mb, (int)column * 16, (int)row * 16);
    } else if (mb->y_mode != XC_B_PRED) {
        predict_intra_plane(recon, XC_PLANE_Y, mb->y_mode, row, column);
    }
}

void xc_predict_macroblock(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column)
{
    xc_predict_luma(recon, mb, row, column);
    if (mb->reference != XC_REF_INTRA) {
        predict_inter_chroma(recon, mb, (int)column * 16, (int)row * 16);
    } else {
        predict_intra_plane(recon, XC_PLANE_U, mb->uv_mode, row, column);
        predict_intra_plane(recon, XC_PLANE_V, mb->uv_mode, row, column);
    }
}

unsigned xc_predict_run(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column)
{
    if (!stands_still(mb)) {
        xc_predict_macroblock(recon, mb, row, column);
        return 1;
    }
    unsigned count = 1;
    while (column + count < recon->frame->mb_cols && mb[count].reference == mb->reference && stands_still(&mb[count])) {
        count++;
    }
    copy_run(recon, reference_of(recon, mb), row, column, count);
    return count;
}
