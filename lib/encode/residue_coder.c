/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/residue_coder.h"

#include <string.h>

#include "encode/masking.h"
#include "encode/trellis.h"

/* Coefficients are larger than samples: their squared error is 4 times that of the samples they stand for, that of Y2's
 * coefficients 16 times. */
enum { DCT_GAIN = 4, WHT_GAIN = 16 };

/* A macroblock in the making. The arrays hold something only where there is something: coefficients once a block is
 * transformed, levels where it has tokens. */
struct work {
    const struct xc_residue_coder *coder;
    struct xc_macroblock *mb;
    unsigned row, column;
    struct xc_token_context *above, *left;
    const int16_t *const *old;
    int64_t lambda;    /* in squared samples */
    int64_t cost;      /* squared error of coefficients and their bits, as lambda weighs them, in units of the DCT */
    int64_t zero_cost; /* the same, were there no levels at all */
    int16_t (*coefficients)[16];
    xc_block *levels;
};

/* Luma is what is seen: a bit of chroma has to be worth half as much again. */
static int64_t chroma_lambda(int64_t lambda)
{
    return lambda * 3 / 2;
}

/* libvpx's measure, 2.8 / 100 of the squared DC quantizer for a bit (vp8_initialize_rd_consts). */
static int64_t lambda_of(const struct xc_quantizer *q)
{
    return (int64_t)q->y1[0] * q->y1[0] * 28 / 1000 + 1;
}

void xc_residue_coder_fill(struct xc_residue_coder *coder, const struct xc_recon *recon,
                           const struct xc_picture *source, const struct xc_probabilities *probabilities,
                           const uint16_t *lambda_weight)
{
    coder->recon = recon;
    coder->source = source;
    coder->lambda_weight = lambda_weight;
    xc_token_costs_fill(&coder->costs, probabilities);
    for (int i = 0; i < XC_SEGMENTS; i++) {
        coder->lambda[i] = lambda_of(&recon->quantizer[i]);
    }
}

int64_t xc_residue_lambda(const struct xc_residue_coder *coder, const struct xc_macroblock *mb, unsigned row,
                          unsigned column)
{
    const unsigned weight = coder->lambda_weight[row * coder->recon->picture->mb_cols + column];
    return coder->lambda[mb->segment] * weight / XC_WEIGHT_ONE + 1;
}

static const uint8_t *source_at(const struct work *w, int plane)
{
    const struct xc_plane *p = &w->coder->source->plane[plane];
    unsigned size = plane == XC_PLANE_Y ? 16 : 8;
    return p->data + (ptrdiff_t)(w->row * size) * p->stride + (ptrdiff_t)(w->column * size);
}

static struct xc_trellis trellis_for(const struct work *w, int type, const int16_t factor[2], int gain)
{
    return (struct xc_trellis){
        .dsp = w->coder->recon->dsp,
        .costs = &w->coder->costs,
        .type = type,
        .first = type == XC_Y_AFTER_Y2,
        .factor = { factor[0], factor[1] },
        .lambda = (type == XC_CHROMA ? chroma_lambda(w->lambda) : w->lambda) * gain,
    };
}

/* Transforms what a plane's prediction leaves over. */
static void transform_plane(struct work *w, int plane, int first)
{
    const struct xc_recon *recon = w->coder->recon;
    const ptrdiff_t source_stride = w->coder->source->plane[plane].stride, stride = recon->picture->plane[plane].stride;
    const uint8_t *source = source_at(w, plane), *prediction = xc_recon_at(recon, plane, w->row, w->column);
    const int blocks = plane == XC_PLANE_Y ? 4 : 2;
    for (int y = 0; y < blocks; y++) {
        for (int x = 0; x < blocks; x += 2) {
            recon->dsp->fdct_pair(&w->coefficients[first + y * blocks + x], source + y * 4 * source_stride + x * 4,
                                  source_stride, prediction + y * 4 * stride + x * 4, stride);
        }
    }
}

static void decide_block(struct work *w, const struct xc_trellis *trellis, int block, uint8_t *above, uint8_t *left)
{
    const struct xc_block_choice choice =
        xc_trellis_block(trellis, w->levels[block], w->coefficients[block], *above + *left, w->old[block]);
    w->mb->tokens[block] = (uint8_t)choice.tokens;
    w->cost += block == XC_BLOCK_Y2 ? choice.cost / (WHT_GAIN / DCT_GAIN) : choice.cost;
    w->zero_cost += block == XC_BLOCK_Y2 ? choice.zero_cost / (WHT_GAIN / DCT_GAIN) : choice.zero_cost;
    *above = *left = choice.tokens != 0;
}

static void decide_plane(struct work *w, int type, const int16_t factor[2], int first, int size, uint8_t *above,
                         uint8_t *left)
{
    const struct xc_trellis trellis = trellis_for(w, type, factor, DCT_GAIN);
    for (int i = 0; i < size * size; i++) {
        decide_block(w, &trellis, first + i, &above[i % size], &left[i / size]);
    }
}

/* The DCs of all luma blocks are transformed once more. */
static void decide_y2(struct work *w, const struct xc_quantizer *q)
{
    int16_t dc[16];
    for (int i = 0; i < 16; i++) {
        dc[i] = w->coefficients[i][0];
    }
    w->coder->recon->dsp->fwht(w->coefficients[XC_BLOCK_Y2], dc);
    const struct xc_trellis trellis = trellis_for(w, XC_Y2, q->y2, WHT_GAIN);
    decide_block(w, &trellis, XC_BLOCK_Y2, &w->above->y2, &w->left->y2);
}

/* The luma of B_PRED, where each block is predicted from the ones before: they are decided and reconstructed one by
 * one. */
static void decide_b_pred(struct work *w, const struct xc_quantizer *q)
{
    const struct xc_recon *recon = w->coder->recon;
    const struct xc_trellis trellis = trellis_for(w, XC_Y_WITH_DC, q->y1, DCT_GAIN);
    const ptrdiff_t stride = recon->picture->plane[XC_PLANE_Y].stride;
    const ptrdiff_t source_stride = w->coder->source->plane[XC_PLANE_Y].stride;
    for (int i = 0; i < 16; i++) {
        int x = (i & 3) * 4, y = (i >> 2) * 4;
        uint8_t *dst = xc_recon_at(recon, XC_PLANE_Y, w->row, w->column) + y * stride + x;
        xc_predict_block(recon, w->mb, w->row, w->column, i);
        recon->dsp->fdct(w->coefficients[i], source_at(w, XC_PLANE_Y) + y * source_stride + x, source_stride, dst,
                         stride);
        decide_block(w, &trellis, i, &w->above->y[i & 3], &w->left->y[i >> 2]);
        if (w->mb->tokens[i]) {
            const int16_t *levels = w->levels[i];
            recon->dsp->idct_add(dst, stride, levels, (int16_t)(levels[0] * q->y1[0]), q->y1[1]);
        }
    }
}

static void decide_luma(struct work *w, const struct xc_quantizer *q)
{
    if (w->mb->y_mode == XC_B_PRED) {
        decide_b_pred(w, q);
        return;
    }
    transform_plane(w, XC_PLANE_Y, 0);
    int type = XC_Y_WITH_DC;
    if (xc_has_y2(w->mb)) {
        decide_y2(w, q);
        type = XC_Y_AFTER_Y2;
    }
    decide_plane(w, type, q->y1, 0, 4, w->above->y, w->left->y);
}

/* As if all levels were zero. */
static void drop_levels(struct work *w, struct xc_token_context above, struct xc_token_context left)
{
    memset(w->mb->tokens, 0, sizeof w->mb->tokens);
    bool keep_y2 = !xc_has_y2(w->mb);
    *w->above = (struct xc_token_context){ .y2 = keep_y2 ? above.y2 : 0 };
    *w->left = (struct xc_token_context){ .y2 = keep_y2 ? left.y2 : 0 };
}

/* Lines up those of some blocks that have tokens; returns the place after them. */
static xc_block *gather_levels(const struct work *w, xc_block *out, int first, int end)
{
    for (int i = first; i < end; i++) {
        if (w->mb->tokens[i]) {
            memcpy(*out++, w->levels[i], sizeof *out);
        }
    }
    return out;
}

/* Predicts the macroblock and finds its levels. */
static void decide(struct work *w)
{
    const struct xc_quantizer *q = &w->coder->recon->quantizer[w->mb->segment];
    w->mb->tokens[XC_BLOCK_Y2] = 0;
    xc_predict_macroblock(w->coder->recon, w->mb, w->row, w->column);
    decide_luma(w, q);
    transform_plane(w, XC_PLANE_U, XC_BLOCK_U);
    transform_plane(w, XC_PLANE_V, XC_BLOCK_V);
    decide_plane(w, XC_CHROMA, q->uv, XC_BLOCK_U, 2, w->above->u, w->left->u);
    decide_plane(w, XC_CHROMA, q->uv, XC_BLOCK_V, 2, w->above->v, w->left->v);
}

/* Whether it is cheaper without any levels. B_PRED is not asked: its blocks are predicted from those before them, with
 * their levels. */
static bool is_better_empty(const struct work *w)
{
    return w->mb->y_mode != XC_B_PRED && w->zero_cost <= w->cost;
}

int64_t xc_cost_macroblock(const struct xc_residue_coder *coder, struct xc_macroblock *mb, unsigned row,
                           unsigned column, struct xc_token_context above, struct xc_token_context left,
                           const int16_t *const old[XC_BLOCKS])
{
    int16_t coefficients[XC_BLOCKS][16];
    xc_block levels[XC_BLOCKS];
    struct work w = { .coder = coder,
                      .mb = mb,
                      .row = row,
                      .column = column,
                      .above = &above,
                      .left = &left,
                      .old = old,
                      .lambda = xc_residue_lambda(coder, mb, row, column),
                      .coefficients = coefficients,
                      .levels = levels };
    decide(&w);
    const bool empty = is_better_empty(&w);
    if (empty) {
        memset(mb->tokens, 0, sizeof mb->tokens);
    }
    mb->skip = !xc_has_tokens(mb);
    return (empty ? w.zero_cost : w.cost) / DCT_GAIN;
}

size_t xc_code_macroblock(const struct xc_residue_coder *coder, struct xc_macroblock *mb, xc_block *levels,
                          unsigned row, unsigned column, struct xc_token_context *above, struct xc_token_context *left,
                          const int16_t *const old[XC_BLOCKS])
{
    const struct xc_recon *recon = coder->recon;
    const struct xc_token_context above_before = *above, left_before = *left;
    int16_t coefficients[XC_BLOCKS][16];
    xc_block block_levels[XC_BLOCKS];
    struct work w = { .coder = coder,
                      .mb = mb,
                      .row = row,
                      .column = column,
                      .above = above,
                      .left = left,
                      .old = old,
                      .lambda = xc_residue_lambda(coder, mb, row, column),
                      .coefficients = coefficients,
                      .levels = block_levels };
    /* Residue of intra prediction is worth more: what is predicted next builds on it (libvpx, vp8_optimize_b). */
    if (mb->reference == XC_REF_INTRA) {
        w.lambda = w.lambda * 9 / 16;
    }
    decide(&w);
    if (is_better_empty(&w)) {
        drop_levels(&w, above_before, left_before);
    }

    mb->skip = !xc_has_tokens(mb);
    xc_block *luma = gather_levels(&w, levels, XC_BLOCK_Y2, XC_BLOCKS);
    xc_block *chroma = gather_levels(&w, luma, 0, XC_BLOCK_U);
    xc_block *end = gather_levels(&w, chroma, XC_BLOCK_U, XC_BLOCK_Y2);
    if (mb->y_mode == XC_B_PRED) {
        xc_add_chroma_residue(recon, mb, (const xc_block *)chroma, row, column);
    } else {
        xc_add_residue(recon, mb, (const xc_block *)levels, row, column);
    }
    xc_recon_keep_line(recon, row, column);
    return (size_t)(end - levels);
}
