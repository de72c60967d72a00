/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/choice.h"

#include "bitstream/mode_fit.h"
#include "bitstream/modes.h"

/* How often a vector is moved by a quarter sample, as long as that gains something. */
enum { REFINEMENTS = 2 };

/* No prediction takes fewer bits. */
enum { LEAST_BITS = 2 * XC_BITS_ONE };

/* A choice under way. The macroblock in the frame is the one that is looked at. */
struct search {
    const struct xc_choice *choice;
    unsigned row, column;
    struct xc_macroblock *mb;
    int64_t lambda;
    struct xc_macroblock best;
    int64_t best_cost;
};

/* The bits of modes and vectors, as lambda weighs them. */
static int64_t cost_of_modes(const struct search *s)
{
    struct xc_bits bits = { { 0 } };
    uint64_t sum = 0;
    xc_modes_measure(&bits, s->choice->frame, s->row, s->column);
    for (int kind = 0; kind < XC_BIT_KINDS; kind++) {
        sum += bits.of[kind];
    }
    return s->lambda * (int64_t)sum;
}

static int64_t squared_error(const struct search *s)
{
    const struct xc_recon *recon = s->choice->coder->recon;
    const struct xc_plane *source = &s->choice->coder->source->plane[XC_PLANE_Y];
    xc_predict_luma(recon, s->mb, s->row, s->column);
    return (int64_t)recon->dsp->ssd16(source->data + (ptrdiff_t)(s->row * 16) * source->stride + s->column * 16,
                                      source->stride, xc_recon_at(recon, XC_PLANE_Y, s->row, s->column),
                                      recon->picture->plane[XC_PLANE_Y].stride);
}

/* Takes a candidate if it is the best so far, by its luma before there is any residue: that takes little time. */
static void glance(struct search *s, const struct xc_macroblock *candidate)
{
    *s->mb = *candidate;
    s->mb->skip = false;
    if (!xc_fit_modes(s->choice->frame, s->row, s->column)) {
        return;
    }
    int64_t cost = cost_of_modes(s);
    if (cost < s->best_cost && (cost += squared_error(s) * XC_BITS_ONE) < s->best_cost) {
        s->best_cost = cost;
        s->best = *s->mb;
    }
}

static void glance_at_vector(struct search *s, unsigned reference, struct xc_mv mv)
{
    const struct xc_macroblock candidate = {
        .y_mode = XC_NEWMV, .reference = (uint8_t)reference, .segment = s->best.segment, .mv = mv
    };
    glance(s, &candidate);
}

static void glance_at_reference(struct search *s, unsigned reference)
{
    struct xc_mv vectors[3] = { { 0, 0 } };
    xc_near_vectors(&vectors[1], s->choice->frame, s->row, s->column, reference);
    for (int i = 0; i < 3; i++) {
        bool known = false;
        for (int j = 0; j < i; j++) {
            known |= vectors[i].row == vectors[j].row && vectors[i].column == vectors[j].column;
        }
        if (!known) {
            glance_at_vector(s, reference, vectors[i]);
        }
    }
}

/* A reference that holds the same picture as one before it has nothing to offer. */
static void glance_at_references(struct search *s)
{
    const struct xc_picture *const *reference = s->choice->coder->recon->reference;
    for (unsigned i = 0; i < XC_REFERENCES; i++) {
        bool new = true;
        for (unsigned j = 0; j < i; j++) {
            new &= reference[j] != reference[i];
        }
        if (new) {
            glance_at_reference(s, i + 1);
        }
    }
}

static void glance_at_intra(struct search *s)
{
    struct xc_macroblock candidate = { .segment = s->best.segment, .uv_mode = XC_DC_PRED };
    for (unsigned mode = XC_DC_PRED; mode <= XC_TM_PRED; mode++) {
        candidate.y_mode = (uint8_t)mode;
        glance(s, &candidate);
    }
}

static bool has_one_vector(const struct xc_macroblock *mb)
{
    return mb->reference != XC_REF_INTRA && mb->y_mode != XC_SPLITMV;
}

static void refine(struct search *s)
{
    for (int i = 0; i < REFINEMENTS && has_one_vector(&s->best); i++) {
        const struct xc_macroblock centre = s->best;
        const int64_t before = s->best_cost;
        for (int16_t step = -1; step <= 1; step = (int16_t)(step + 2)) {
            glance_at_vector(s, centre.reference, (struct xc_mv){ (int16_t)(centre.mv.row + step), centre.mv.column });
            glance_at_vector(s, centre.reference, (struct xc_mv){ centre.mv.row, (int16_t)(centre.mv.column + step) });
        }
        if (s->best_cost == before) {
            break;
        }
    }
}

static bool predict_the_same(const struct xc_macroblock *a, const struct xc_macroblock *b)
{
    if (a->reference != b->reference) {
        return false;
    }
    if (!has_one_vector(a) || !has_one_vector(b)) {
        return a->y_mode == b->y_mode;
    }
    return a->mv.row == b->mv.row && a->mv.column == b->mv.column;
}

/* What a candidate costs with its residue. The macroblock becomes it. */
static int64_t full_cost(const struct search *s, const struct xc_macroblock *candidate, struct xc_token_context above,
                         struct xc_token_context left, const int16_t *const old[XC_BLOCKS])
{
    *s->mb = *candidate;
    if (!xc_fit_modes(s->choice->frame, s->row, s->column)) {
        return INT64_MAX;
    }
    const int64_t cost = xc_cost_macroblock(s->choice->coder, s->mb, s->row, s->column, above, left, old);
    return cost + cost_of_modes(s);
}

bool xc_choose_prediction(const struct xc_choice *choice, unsigned row, unsigned column, struct xc_token_context above,
                          struct xc_token_context left, const int16_t *const old[XC_BLOCKS])
{
    static const int16_t *const none[XC_BLOCKS];
    struct xc_macroblock *mb = &choice->frame->macroblocks[(size_t)row * choice->frame->mb_cols + column];
    const struct xc_macroblock guess = *mb;
    struct search s = { .choice = choice, .row = row, .column = column, .mb = mb, .best = guess };
    s.lambda = xc_residue_lambda(choice->coder, mb, row, column);
    s.best_cost = INT64_MAX;
    if (guess.y_mode != XC_B_PRED) { /* whose error is known with its residue only */
        glance(&s, &guess);
    }
    if (s.best_cost > s.lambda * LEAST_BITS) {
        glance_at_references(&s);
        glance_at_intra(&s);
        refine(&s);
    }
    bool keep = predict_the_same(&s.best, &guess);
    if (!keep) {
        const struct xc_macroblock other = s.best;
        keep = full_cost(&s, &guess, above, left, old) <= full_cost(&s, &other, above, left, none);
        s.best = keep ? guess : other;
    }
    *mb = s.best;
    xc_fit_modes(choice->frame, row, column);
    return keep;
}
