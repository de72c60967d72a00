/* Rebasing: the slow decisions, modes and vectors, are kept; what depends on the state's pictures, the residue, is made anew. */
#include <stdlib.h>
#include <string.h>

#include "bitstream/frame_reader.h"
#include "bitstream/tokens.h"
#include "decode/advance.h"
#include "decode/canvas.h"
#include "encode/token_cost.h"
#include "encode/transplant.h"
#include "encode/trellis.h"
#include "excamera/encode.h"

/* Rebasing one frame. */
struct rebase {
    struct xc_canvas canvas;
    const struct xc_frame *old;    /* the frame as it was predicted */
    const struct xc_picture *source;
    struct xc_frame *frame;        /* as it becomes; the canvas's frame */
    struct xc_token_costs costs;
    int64_t lambda[XC_SEGMENTS];   /* what 1/256 bit is worth in squared samples, times 256 */
    struct xc_token_context *above; /* by column */
};

/* One macroblock in the making. */
struct residue {
    int16_t coefficients[XC_BLOCKS][16];
    xc_block levels[XC_BLOCKS];
    uint8_t tokens[XC_BLOCKS];
    int64_t cost;      /* squared error and bits, as lambda weighs them */
    int64_t zero_cost; /* the same, were there no levels at all */
};

/* Coefficients are larger than samples: their squared error is 4 times that of the samples they stand for, that of Y2's
 * coefficients 16 times. */
enum { DCT_GAIN = 4, WHT_GAIN = 16 };

/* What a bit is worth, in squared error of samples: libvpx's measure, 2.8 / 100 of the squared DC quantizer
 * (vp8_initialize_rd_consts). */
static int64_t lambda_of(const struct xc_quantizer *q)
{
    return (int64_t)q->y1[0] * q->y1[0] * 28 / 1000 + 1;
}

static const uint8_t *source_at(const struct rebase *r, int plane, unsigned row, unsigned column)
{
    const struct xc_plane *p = &r->source->plane[plane];
    unsigned size = plane == XC_PLANE_Y ? 16 : 8;
    return p->data + (ptrdiff_t)(row * size) * p->stride + (ptrdiff_t)(column * size);
}

/* Transforms what is left of a plane of the macroblock behind its prediction. */
static void transform_plane(const struct rebase *r, struct residue *residue, int plane, int first, unsigned row, unsigned column)
{
    const ptrdiff_t source_stride = r->source->plane[plane].stride, stride = r->canvas.picture->plane[plane].stride;
    const uint8_t *source = source_at(r, plane, row, column), *prediction = xc_canvas_at(&r->canvas, plane, row, column);
    const int blocks = plane == XC_PLANE_Y ? 4 : 2;
    for (int y = 0; y < blocks; y++) {
        for (int x = 0; x < blocks; x++) {
            r->canvas.dsp->fdct(residue->coefficients[first + y * blocks + x], source + y * 4 * source_stride + x * 4,
                                source_stride, prediction + y * 4 * stride + x * 4, stride);
        }
    }
}

static void decide_block(struct residue *residue, const struct xc_trellis *trellis, int block, uint8_t *above, uint8_t *left,
                         const int16_t *hint)
{
    const int16_t *coefficients = residue->coefficients[block];
    residue->tokens[block] = (uint8_t)xc_trellis_block(trellis, residue->levels[block], coefficients, *above + *left, hint,
                                                       &residue->cost);
    for (int i = trellis->first ? 1 : 0; i < 16; i++) {
        residue->zero_cost += (int64_t)coefficients[i] * coefficients[i] * 256;
    }
    *above = *left = residue->tokens[block] != 0;
}

static void decide_plane(struct residue *residue, const struct xc_trellis *trellis, int first, int size, uint8_t *above,
                         uint8_t *left, const int16_t *const *hints)
{
    for (int i = 0; i < size * size; i++) {
        decide_block(residue, trellis, first + i, &above[i % size], &left[i / size], hints[first + i]);
    }
}

static struct xc_trellis make_trellis(const struct rebase *r, int type, int first, const int16_t factor[2], int64_t lambda)
{
    return (struct xc_trellis){
        .costs = &r->costs, .type = type, .first = first, .factor = { factor[0], factor[1] }, .lambda = lambda,
    };
}

/* Where each block's old levels are, or NULL for a block that had none. */
static void find_hints(const int16_t *hints[XC_BLOCKS], const struct xc_frame *old, const struct xc_macroblock *mb)
{
    const xc_block *levels = old->coefficients + mb->coefficients;
    hints[XC_BLOCK_Y2] = mb->tokens[XC_BLOCK_Y2] ? *levels++ : NULL;
    for (int i = 0; i < XC_BLOCK_Y2; i++) {
        hints[i] = mb->tokens[i] ? *levels++ : NULL;
    }
}

/* Appends the macroblock's blocks to the frame and adds them to the picture. */
static void commit(struct rebase *r, struct xc_macroblock *mb, const struct residue *residue)
{
    struct xc_frame *frame = r->frame;
    mb->coefficients = (uint32_t)frame->coefficient_count;
    memcpy(mb->tokens, residue->tokens, sizeof mb->tokens);
    mb->skip = !xc_has_tokens(mb);
    if (mb->tokens[XC_BLOCK_Y2]) {
        memcpy(frame->coefficients[frame->coefficient_count++], residue->levels[XC_BLOCK_Y2], sizeof(xc_block));
    }
    for (int i = 0; i < XC_BLOCK_Y2; i++) {
        if (mb->tokens[i]) {
            memcpy(frame->coefficients[frame->coefficient_count++], residue->levels[i], sizeof(xc_block));
        }
    }
}

/* Luma with Y2: the DCs of all blocks are transformed once more. */
static void decide_luma_with_y2(const struct rebase *r, struct residue *residue, const struct xc_quantizer *q, int64_t lambda,
                                struct xc_token_context *above, struct xc_token_context *left, const int16_t *const *hints)
{
    int16_t dc[16];
    for (int i = 0; i < 16; i++) {
        dc[i] = residue->coefficients[i][0];
    }
    r->canvas.dsp->fwht(residue->coefficients[XC_BLOCK_Y2], dc);
    struct residue y2 = { .cost = 0 };
    memcpy(y2.coefficients[XC_BLOCK_Y2], residue->coefficients[XC_BLOCK_Y2], sizeof *y2.coefficients);
    struct xc_trellis trellis = make_trellis(r, XC_Y2, 0, q->y2, lambda * WHT_GAIN);
    decide_block(&y2, &trellis, XC_BLOCK_Y2, &above->y2, &left->y2, hints[XC_BLOCK_Y2]);
    memcpy(residue->levels[XC_BLOCK_Y2], y2.levels[XC_BLOCK_Y2], sizeof(xc_block));
    residue->tokens[XC_BLOCK_Y2] = y2.tokens[XC_BLOCK_Y2];
    residue->cost += y2.cost / (WHT_GAIN / DCT_GAIN);
    residue->zero_cost += y2.zero_cost / (WHT_GAIN / DCT_GAIN);

    trellis = make_trellis(r, XC_Y_AFTER_Y2, 1, q->y1, lambda * DCT_GAIN);
    decide_plane(residue, &trellis, 0, 4, above->y, left->y, hints);
}

static void decide_chroma(const struct rebase *r, struct residue *residue, const struct xc_quantizer *q, int64_t lambda,
                          struct xc_token_context *above, struct xc_token_context *left, const int16_t *const *hints)
{
    struct xc_trellis trellis = make_trellis(r, XC_CHROMA, 0, q->uv, lambda * DCT_GAIN);
    decide_plane(residue, &trellis, XC_BLOCK_U, 2, above->u, left->u, hints);
    decide_plane(residue, &trellis, XC_BLOCK_V, 2, above->v, left->v, hints);
}

/* The luma of B_PRED, where each block is predicted from the ones before: they are decided and reconstructed one by one. */
static void decide_b_pred(struct rebase *r, struct residue *residue, const struct xc_macroblock *mb, int64_t lambda,
                          struct xc_token_context *above, struct xc_token_context *left, const int16_t *const *hints,
                          unsigned row, unsigned column)
{
    const struct xc_quantizer *q = &r->canvas.quantizer[mb->segment];
    const struct xc_trellis trellis = make_trellis(r, XC_Y_WITH_DC, 0, q->y1, lambda * DCT_GAIN);
    const ptrdiff_t stride = r->canvas.picture->plane[XC_PLANE_Y].stride, source_stride = r->source->plane[XC_PLANE_Y].stride;
    for (int i = 0; i < 16; i++) {
        int x = (i & 3) * 4, y = (i >> 2) * 4;
        uint8_t *dst = xc_canvas_at(&r->canvas, XC_PLANE_Y, row, column) + y * stride + x;
        const uint8_t *source = source_at(r, XC_PLANE_Y, row, column) + y * source_stride + x;
        xc_predict_block(&r->canvas, mb, row, column, i);
        r->canvas.dsp->fdct(residue->coefficients[i], source, source_stride, dst, stride);
        decide_block(residue, &trellis, i, &above->y[i & 3], &left->y[i >> 2], hints[i]);
        if (residue->tokens[i]) {
            r->canvas.dsp->idct_add(dst, stride, residue->levels[i], (int16_t)(residue->levels[i][0] * q->y1[0]), q->y1[1]);
        }
    }
}

static void clear_residue(struct residue *residue, struct xc_token_context *above, struct xc_token_context *left, bool has_y2)
{
    memset(residue->tokens, 0, sizeof residue->tokens);
    uint8_t y2[2] = { has_y2 ? 0 : above->y2, has_y2 ? 0 : left->y2 };
    *above = (struct xc_token_context){ .y2 = y2[0] };
    *left = (struct xc_token_context){ .y2 = y2[1] };
}

static void rebase_macroblock(struct rebase *r, unsigned row, unsigned column, struct xc_token_context *left)
{
    size_t index = (size_t)row * r->frame->mb_cols + column;
    struct xc_macroblock *mb = &r->frame->macroblocks[index];
    struct xc_token_context *above = &r->above[column];
    const struct xc_token_context before[2] = { *above, *left };
    const struct xc_quantizer *q = &r->canvas.quantizer[mb->segment];
    /* Residue of intra prediction is worth more: whatever is predicted next builds on it (libvpx, optimize_b). */
    const int64_t lambda = mb->reference == XC_INTRA ? r->lambda[mb->segment] * 9 / 16 : r->lambda[mb->segment];
    const int16_t *hints[XC_BLOCKS];
    struct residue residue = { .cost = 0 };
    find_hints(hints, r->old, &r->old->macroblocks[index]);

    xc_predict_macroblock(&r->canvas, mb, row, column);
    transform_plane(r, &residue, XC_PLANE_U, XC_BLOCK_U, row, column);
    transform_plane(r, &residue, XC_PLANE_V, XC_BLOCK_V, row, column);
    if (mb->y_mode == XC_B_PRED) {
        decide_b_pred(r, &residue, mb, lambda, above, left, hints, row, column);
    } else {
        transform_plane(r, &residue, XC_PLANE_Y, 0, row, column);
        if (xc_has_y2(mb)) {
            decide_luma_with_y2(r, &residue, q, lambda, above, left, hints);
        } else {
            const struct xc_trellis trellis = make_trellis(r, XC_Y_WITH_DC, 0, q->y1, lambda * DCT_GAIN);
            decide_plane(&residue, &trellis, 0, 4, above->y, left->y, hints);
        }
    }
    decide_chroma(r, &residue, q, lambda, above, left, hints);
    if (mb->y_mode != XC_B_PRED && residue.zero_cost <= residue.cost) {
        *above = before[0];
        *left = before[1];
        clear_residue(&residue, above, left, xc_has_y2(mb));
    }
    commit(r, mb, &residue);
    const xc_block *levels = r->frame->coefficients + mb->coefficients;
    if (mb->y_mode != XC_B_PRED) {
        xc_add_residue(&r->canvas, mb, levels, row, column);
    } else {
        for (int i = 0; i < XC_BLOCK_U; i++) {
            levels += mb->tokens[i] != 0;
        }
        xc_add_chroma_residue(&r->canvas, mb, levels, row, column);
    }
    xc_canvas_keep_line(&r->canvas, row, column);
}

static void rebase_row(struct rebase *r, unsigned row)
{
    struct xc_token_context left = { 0 };
    for (unsigned column = 0; column < r->frame->mb_cols; column++) {
        rebase_macroblock(r, row, column, &left);
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
    to->coefficient_count = 0;
    memcpy(to->macroblocks, from->macroblocks, count * sizeof *to->macroblocks);
    return XC_OK;
}

static enum xc_status rebase_pictures(struct rebase *r, const struct xc_state *state, struct xc_error *err)
{
    r->above = calloc(r->frame->mb_cols, sizeof *r->above);
    if (!r->above) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for a row of contexts");
    }
    xc_token_costs_fill(&r->costs, &state->probabilities);
    for (int i = 0; i < XC_SEGMENTS; i++) {
        r->lambda[i] = lambda_of(&r->canvas.quantizer[i]);
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
    struct rebase r = { .old = frame, .source = source, .frame = rebased };
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
    if (!(status = rebase_pictures(&r, state, err)) && !(status = xc_frame_optimize(rebased, state, err)) &&
        !(status = xc_frame_serialize(out, rebased, state, err)) &&
        !(status = xc_state_follow_header(state, rebased, err))) {
        xc_state_follow_picture(state, &rebased->header, r.canvas.picture);
    }
    xc_picture_unref(r.canvas.picture);
    return status;
}
