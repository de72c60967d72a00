/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture in the making: what decoder and encoder share. Macroblock by macroblock it is predicted and its residue
 * added; row by row it is filtered. Both sides call the same functions, so they cannot drift apart.
 *
 * Rows may be made by different workers of the workspace's threads at the same time, each a little behind the row above
 * it. */
#ifndef XC_RECON_RECON_H
#define XC_RECON_RECON_H

#include "recon/filter_plan.h"
#include "recon/motion.h"
#include "recon/quantizer.h"
#include "recon/workspace.h"
#include "excamera/state.h"

/* One line of samples per plane: the bottom of a row of macroblocks before it was filtered, from which the row below is
 * intra predicted. [-1] is the sample to the left of the picture; four samples beyond the right end are valid. */
struct xc_line {
    uint8_t *plane[3];
};

/* How far a row has come, in macroblocks. */
struct xc_row_progress {
    struct xc_progress made, filtered;
};

struct xc_recon {
    const struct xc_dsp *dsp;
    struct xc_thread_pool *threads;
    const struct xc_frame *frame;
    struct xc_picture *picture;
    const struct xc_picture *reference[XC_REFERENCES];
    struct xc_quantizer quantizer[XC_SEGMENTS];
    struct xc_filter_plan filter;
    struct xc_motion motion;
    uint8_t *lines; /* the workspace's; mb_rows + 1 lines, the first stands for what is above the picture */
    size_t line_size, chroma_offset[2];
    struct xc_row_progress *progress; /* the workspace's; by row */
};

/* Takes a picture of this size (display, in luma samples) from the workspace's pool, and the lines it needs. On failure
 * there is nothing to end. The workspace serves one recon at a time. */
enum xc_status xc_recon_begin(struct xc_recon *recon, struct xc_workspace *workspace, unsigned width, unsigned height,
                              struct xc_error *err);
/* Gives back the picture, of which the caller may have taken a reference. */
void xc_recon_end(struct xc_recon *recon);

/* Gets ready to make the picture of this frame, whose header, size and modes must be settled, and which must stay in
 * its place; state is the one before the frame. */
void xc_recon_set_frame(struct xc_recon *recon, const struct xc_frame *frame, const struct xc_state *state);

/* The line above a row of macroblocks. */
struct xc_line xc_recon_line_above(const struct xc_recon *recon, unsigned row);

/* Gets memory ready for a macroblock some columns further on: its place in the picture, what its vector points at, and
 * its place in source, which may be NULL. */
void xc_recon_prefetch(const struct xc_recon *recon, const struct xc_picture *source, unsigned row, unsigned column);

/* Where a macroblock's samples of a plane begin in the picture. */
static inline uint8_t *xc_recon_at(const struct xc_recon *recon, int plane, unsigned row, unsigned column)
{
    const struct xc_plane *p = &recon->picture->plane[plane];
    unsigned size = plane == XC_PLANE_Y ? 16 : 8;
    return p->data + (ptrdiff_t)(row * size) * p->stride + (ptrdiff_t)(column * size);
}

/* Predicts a macroblock into the picture: all of it, but for the luma of B_PRED, whose blocks need their neighbours'
 * residue. */
void xc_predict_macroblock(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column);
/* The same for as many macroblocks of the row as can be had at once, whose modes must all be known: a still background
 * is copied in long lines. Returns how many they are, at least 1. */
unsigned xc_predict_run(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column);
/* The same for the luma of one alone. */
void xc_predict_luma(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column);
/* Predicts one 4x4 luma block of a B_PRED macroblock. */
void xc_predict_block(const struct xc_recon *recon, const struct xc_macroblock *mb, unsigned row, unsigned column,
                      int block);

/* Adds the residue to a predicted macroblock; for B_PRED, predicts the luma blocks on the way. levels: the macroblock's
 * blocks with tokens, in coding order. */
void xc_add_residue(const struct xc_recon *recon, const struct xc_macroblock *mb, const xc_block *levels, unsigned row,
                    unsigned column);

/* The same for chroma alone; levels: the macroblock's first chroma block with tokens, and what follows. */
void xc_add_chroma_residue(const struct xc_recon *recon, const struct xc_macroblock *mb, const xc_block *levels,
                           unsigned row, unsigned column);

/* To be called before each macroblock of a row: waits until the one above and to the right is complete, and kept. */
void xc_recon_await(const struct xc_recon *recon, unsigned row, unsigned column);
/* To be called for every macroblock of a row, when it is complete and before anything is filtered. */
void xc_recon_keep_line(const struct xc_recon *recon, unsigned row, unsigned column);

/* Filters a row of macroblocks, all of which are complete and kept, as far behind the filter of the row above as it
 * must. */
void xc_filter_row(const struct xc_recon *recon, unsigned row);

#endif
