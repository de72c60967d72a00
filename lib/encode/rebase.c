/* Rebasing: the slow decisions, modes and vectors, are kept; what depends on the state's pictures, the residue, is made anew. */
#include <stdlib.h>
#include <string.h>

#include "bitstream/frame_reader.h"
#include "decode/advance.h"
#include "encode/residue_coder.h"
#include "encode/transplant.h"
#include "excamera/encode.h"

struct rebase {
    const struct xc_frame *old; /* the frame as it was predicted */
    struct xc_frame *frame;     /* as it becomes; the canvas's frame */
    struct xc_canvas canvas;
    struct xc_residue_coder coder;
    struct xc_token_context *above; /* by column */
};

/* Where each block's old levels are, or NULL for a block that had none. */
static void find_old_levels(const int16_t *old[XC_BLOCKS], const struct xc_frame *frame, const struct xc_macroblock *mb)
{
    const xc_block *levels = frame->coefficients + mb->coefficients;
    old[XC_BLOCK_Y2] = mb->tokens[XC_BLOCK_Y2] ? *levels++ : NULL;
    for (int i = 0; i < XC_BLOCK_Y2; i++) {
        old[i] = mb->tokens[i] ? *levels++ : NULL;
    }
}

/* The levels of each macroblock begin at a place of their own, so that rows do not depend on each other for it. */
static void rebase_row(struct rebase *r, unsigned row)
{
    struct xc_token_context left = { 0 };
    for (unsigned column = 0; column < r->frame->mb_cols; column++) {
        size_t index = (size_t)row * r->frame->mb_cols + column;
        struct xc_macroblock *mb = &r->frame->macroblocks[index];
        const int16_t *old[XC_BLOCKS];
        find_old_levels(old, r->old, &r->old->macroblocks[index]);
        mb->coefficients = (uint32_t)(index * XC_BLOCKS);
        xc_code_macroblock(&r->coder, mb, r->frame->coefficients + mb->coefficients, row, column, &r->above[column], &left, old);
    }
    xc_filter_row(&r->canvas, row);
}

/* Everything of the old frame but its coefficients. */
static enum xc_status copy_frame(struct xc_frame *to, const struct xc_frame *from, struct xc_error *err)
{
    size_t count = (size_t)from->mb_cols * from->mb_rows;
    enum xc_status status = xc_frame_reserve(to, count, count * XC_BLOCKS, err);
    if (status) {
        return status;
    }
    to->header = from->header;
    to->mb_cols = from->mb_cols;
    to->mb_rows = from->mb_rows;
    to->coefficient_count = count * XC_BLOCKS;
    memcpy(to->macroblocks, from->macroblocks, count * sizeof *to->macroblocks);
    return XC_OK;
}

static enum xc_status rebase_rows(struct rebase *r, struct xc_error *err)
{
    r->above = calloc(r->frame->mb_cols, sizeof *r->above);
    if (!r->above) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a row of contexts");
    }
    for (unsigned row = 0; row < r->frame->mb_rows; row++) {
        rebase_row(r, row);
    }
    free(r->above);
    return XC_OK;
}

enum xc_status xc_rebase(struct xc_workspace *workspace, struct xc_state *state, const struct xc_frame *frame,
                         const struct xc_state *origin, const struct xc_picture *source, struct xc_bytes *out,
                         struct xc_error *err)
{
    struct xc_frame *rebased = &workspace->frame;
    struct rebase r = { .old = frame, .frame = rebased };
    enum xc_status status = copy_frame(rebased, frame, err);
    if (status) {
        return status;
    }
    xc_frame_make_explicit(rebased, origin);
    xc_frame_make_implicit(rebased, state);
    status = xc_canvas_begin(&r.canvas, workspace, rebased, state, err);
    if (status) {
        return status;
    }
    xc_residue_coder_fill(&r.coder, &r.canvas, source, &state->probabilities);
    if (!(status = rebase_rows(&r, err)) && !(status = xc_frame_optimize(rebased, state, err)) &&
        !(status = xc_frame_serialize(out, rebased, state, err)) &&
        !(status = xc_state_follow_header(state, rebased, err))) {
        xc_state_follow_picture(state, &rebased->header, r.canvas.picture);
    }
    xc_picture_unref(r.canvas.picture);
    return status;
}
