/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/residue_coder.h"

#include <string.h>

#include "encode/masking.h"
#include "encode/trellis.h"

/* Coefficients are larger than samples: their squared error is 4 times that of the samples they stand for, that of Y2's
 * coefficients 16 times. */
enum { DCT_GAIN = 4, WHT_GAIN = 16 };

/* A macroblock in the making. */
struct work {
    const struct xc_residue_coder *coder;
    const struct xc_macroblock *mb;
    unsigned row, column;
    const int16_t *const *old;
    int64_t lambda;    /* in squared samples */
    int64_t limit;     /* costs from here on are not looked at any more; in units of the DCT */
    int64_t cost;      /* squared error of coefficients and their bits, as lambda weighs them, in units of the DCT */
    int64_t zero_cost; /* the same, were there no levels at all */
    int16_t (*coefficients)[16]; /* of the blocks that are transformed */
    struct xc_residue *residue;
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
                           const struct xc_picture *source, const struct xc_probabilities *probabilities, double lambda,
                           const uint16_t *lambda_weight)
{
    coder->recon = recon;
    coder->source = source;
    coder->lambda_weight = lambda_weight;
    xc_token_costs_fill(&coder->costs, probabilities);
    for (int i = 0; i < XC_SEGMENTS; i++) {
        coder->lambda[i] = (int64_t)((double)lambda_of(&recon->quantizer[i]) * lambda);
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
        xc_trellis_block(trellis, w->residue->levels[block], w->coefficients[block], *above + *left, w->old[block]);
    w->residue->tokens[block] = (uint8_t)choice.tokens;
    w->cost += block == XC_BLOCK_Y2 ? choice.cost / (WHT_GAIN / DCT_GAIN) : choice.cost;
    w->zero_cost += block == XC_BLOCK_Y2 ? choice.zero_cost / (WHT_GAIN / DCT_GAIN) : choice.zero_cost;
    *above = *left = choice.tokens != 0;
}

/* Whether it is cheaper without any levels. B_PRED is not asked: its blocks are predicted from those before them, with
 * their levels. */
static bool is_better_empty(const struct work *w)
{
    return w->mb->y_mode != XC_B_PRED && w->zero_cost <= w->cost;
}

/* Both costs only grow. */
static bool is_beyond_limit(const struct work *w)
{
    return (is_better_empty(w) ? w->zero_cost : w->cost) >= w->limit;
}

static void decide_plane(struct work *w, int type, const int16_t factor[2], int first, int size, uint8_t *above,
                         uint8_t *left)
{
    const struct xc_trellis trellis = trellis_for(w, type, factor, DCT_GAIN);
    for (int i = 0; i < size * size && !is_beyond_limit(w); i++) {
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
    decide_block(w, &trellis, XC_BLOCK_Y2, &w->residue->above.y2, &w->residue->left.y2);
}

/* The luma of B_PRED, where each block is predicted from the ones before: they are decided and reconstructed one by
 * one. */
static void decide_b_pred(struct work *w, const struct xc_quantizer *q)
{
    const struct xc_recon *recon = w->coder->recon;
    const struct xc_trellis trellis = trellis_for(w, XC_Y_WITH_DC, q->y1, DCT_GAIN);
    const ptrdiff_t stride = recon->picture->plane[XC_PLANE_Y].stride;
    const ptrdiff_t source_stride = w->coder->source->plane[XC_PLANE_Y].stride;
    struct xc_residue *residue = w->residue;
    for (int i = 0; i < 16 && !is_beyond_limit(w); i++) {
        int x = (i & 3) * 4, y = (i >> 2) * 4;
        uint8_t *dst = xc_recon_at(recon, XC_PLANE_Y, w->row, w->column) + y * stride + x;
        xc_predict_block(recon, w->mb, w->row, w->column, i);
        recon->dsp->fdct(w->coefficients[i], source_at(w, XC_PLANE_Y) + y * source_stride + x, source_stride, dst,
                         stride);
        decide_block(w, &trellis, i, &residue->above.y[i & 3], &residue->left.y[i >> 2]);
        if (residue->tokens[i]) {
            const int16_t *levels = residue->levels[i];
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
    decide_plane(w, type, q->y1, 0, 4, w->residue->above.y, w->residue->left.y);
}

/* Predicts the macroblock and finds its levels. */
static void decide(struct work *w)
{
    const struct xc_quantizer *q = &w->coder->recon->quantizer[w->mb->segment];
    struct xc_residue *residue = w->residue;
    residue->tokens[XC_BLOCK_Y2] = 0;
    xc_predict_macroblock(w->coder->recon, w->mb, w->row, w->column);
    decide_luma(w, q);
    if (is_beyond_limit(w)) {
        return;
    }
    transform_plane(w, XC_PLANE_U, XC_BLOCK_U);
    transform_plane(w, XC_PLANE_V, XC_BLOCK_V);
    decide_plane(w, XC_CHROMA, q->uv, XC_BLOCK_U, 2, residue->above.u, residue->left.u);
    decide_plane(w, XC_CHROMA, q->uv, XC_BLOCK_V, 2, residue->above.v, residue->left.v);
}

/* As if all levels were zero. */
static void drop_levels(const struct work *w, const struct xc_coding_place *place)
{
    const bool keep_y2 = !xc_has_y2(w->mb);
    memset(w->residue->tokens, 0, sizeof w->residue->tokens);
    w->residue->above = (struct xc_token_context){ .y2 = keep_y2 ? place->above.y2 : 0 };
    w->residue->left = (struct xc_token_context){ .y2 = keep_y2 ? place->left.y2 : 0 };
}

/* lambda: what a bit of the residue is worth. */
static int64_t decide_with(int64_t lambda, struct xc_residue *residue, const struct xc_residue_coder *coder,
                           const struct xc_macroblock *mb, const struct xc_coding_place *place,
                           const int16_t *const old[XC_BLOCKS], int64_t limit)
{
    int16_t coefficients[XC_BLOCKS][16];
    struct work w = { .coder = coder,
                      .mb = mb,
                      .row = place->row,
                      .column = place->column,
                      .old = old,
                      .lambda = lambda,
                      .limit = limit < INT64_MAX / DCT_GAIN ? limit * DCT_GAIN : INT64_MAX,
                      .coefficients = coefficients,
                      .residue = residue };
    residue->above = place->above;
    residue->left = place->left;
    decide(&w);
    if (!is_better_empty(&w)) {
        return w.cost / DCT_GAIN;
    }
    drop_levels(&w, place);
    return w.zero_cost / DCT_GAIN;
}

int64_t xc_decide_residue(struct xc_residue *residue, const struct xc_residue_coder *coder,
                          const struct xc_macroblock *mb, const struct xc_coding_place *place,
                          const int16_t *const old[XC_BLOCKS], int64_t limit)
{
    return decide_with(xc_residue_lambda(coder, mb, place->row, place->column), residue, coder, mb, place, old, limit);
}

void xc_decide_final_residue(struct xc_residue *residue, const struct xc_residue_coder *coder,
                             const struct xc_macroblock *mb, const struct xc_coding_place *place,
                             const int16_t *const old[XC_BLOCKS])
{
    const int64_t lambda = xc_residue_lambda(coder, mb, place->row, place->column);
    decide_with(mb->reference == XC_REF_INTRA ? lambda * 9 / 16 : lambda, residue, coder, mb, place, old, INT64_MAX);
}

bool xc_residue_is_empty(const struct xc_residue *residue)
{
    static const uint8_t none[XC_BLOCKS];
    return memcmp(residue->tokens, none, sizeof none) == 0;
}

/* Lines up those of some blocks that have tokens; returns the place after them. */
static xc_block *gather_levels(const struct xc_residue *residue, xc_block *out, int first, int end)
{
    for (int i = first; i < end; i++) {
        if (residue->tokens[i]) {
            memcpy(*out++, residue->levels[i], sizeof *out);
        }
    }
    return out;
}

size_t xc_put_residue(const struct xc_residue *residue, const struct xc_residue_coder *coder, struct xc_macroblock *mb,
                      unsigned row, unsigned column, xc_block *levels)
{
    const struct xc_recon *recon = coder->recon;
    memcpy(mb->tokens, residue->tokens, sizeof mb->tokens);
    mb->skip = !xc_has_tokens(mb);
    xc_block *luma = gather_levels(residue, levels, XC_BLOCK_Y2, XC_BLOCKS);
    xc_block *chroma = gather_levels(residue, luma, 0, XC_BLOCK_U);
    xc_block *end = gather_levels(residue, chroma, XC_BLOCK_U, XC_BLOCK_Y2);
    if (mb->y_mode == XC_B_PRED) {
        xc_add_chroma_residue(recon, mb, (const xc_block *)chroma, row, column);
    } else {
        xc_add_residue(recon, mb, (const xc_block *)levels, row, column);
    }
    xc_recon_keep_line(recon, row, column);
    return (size_t)(end - levels);
}
