/* SPDX-License-Identifier: BSD-2-Clause */
#include "encode/choice.h"

#include "bitstream/modes.h"

/* How often a vector is moved by a quarter sample, as long as that gains something. */
enum { REFINEMENTS = 2 };

/* No prediction takes fewer bits. */
enum { LEAST_BITS = 2 * XC_BITS_ONE };

/* That are looked at: the guess, three of each reference, and those of refinements. */
enum { MOST_VECTORS = 1 + 3 * XC_REFERENCES + 4 * REFINEMENTS };

/* A choice under way. The macroblock in the frame is the one that is looked at. */
struct search {
    const struct xc_choice *choice;
    unsigned row, column;
    struct xc_macroblock *mb;
    struct xc_vector_costs vectors[XC_REF_FRAMES]; /* of the references that are known */
    bool known[XC_REF_FRAMES];
    uint64_t seen[MOST_VECTORS]; /* that were looked at, so they cannot be better than the best */
    unsigned seen_count;
    int64_t lambda;
    struct xc_macroblock best;
    int64_t best_cost;
};

static bool has_one_vector(const struct xc_macroblock *mb)
{
    return mb->reference != XC_REF_INTRA && mb->y_mode != XC_SPLITMV;
}

/* What vectors of a reference cost here. */
static const struct xc_vector_costs *vector_costs(struct search *s, unsigned reference)
{
    if (!s->known[reference]) {
        xc_vector_costs_find(&s->vectors[reference], s->choice->frame, s->row, s->column, reference);
        s->known[reference] = true;
    }
    return &s->vectors[reference];
}

static bool fit_split(const struct search *s, unsigned *bits)
{
    struct xc_bits measured = { { 0 } };
    if (!xc_fit_modes(s->choice->frame, s->row, s->column)) {
        return false;
    }
    xc_modes_measure(&measured, s->choice->frame, s->row, s->column);
    *bits = (unsigned)(measured.of[XC_BITS_SEGMENTS] + measured.of[XC_BITS_MODES] + measured.of[XC_BITS_VECTORS]);
    return true;
}

/* Gives the macroblock modes that name its vectors; false: it cannot be coded. *bits: what modes and vectors cost, all
 * but the skip flag. */
static bool fit(struct search *s, unsigned *bits)
{
    const struct xc_mode_costs *costs = &s->choice->costs;
    struct xc_macroblock *mb = s->mb;
    if (mb->y_mode == XC_SPLITMV) {
        return fit_split(s, bits);
    }
    if (mb->reference == XC_REF_INTRA) {
        *bits = xc_intra_bits(costs, mb);
    } else if (!xc_vector_bits(costs, vector_costs(s, mb->reference), mb->mv, &mb->y_mode, bits)) {
        return false;
    }
    *bits += costs->segment[mb->segment] + costs->reference[mb->reference];
    return true;
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
    unsigned bits;
    if (!fit(s, &bits)) {
        return;
    }
    int64_t cost = s->lambda * (bits + s->choice->costs.skip[0]);
    if (cost < s->best_cost && (cost += squared_error(s) * XC_BITS_ONE) < s->best_cost) {
        s->best_cost = cost;
        s->best = *s->mb;
    }
}

/* Notes that a vector is looked at; false if it was before. */
static bool note_vector(struct search *s, unsigned reference, struct xc_mv mv)
{
    /* Not 0, which stands for none. All are compared, since guessing when to stop would take longer. */
    const uint64_t vector = (uint64_t)reference << 32 | (uint32_t)(uint16_t)mv.row << 16 | (uint16_t)mv.column;
    bool known = false;
    for (unsigned i = 0; i < MOST_VECTORS; i++) {
        known |= s->seen[i] == vector;
    }
    if (!known) {
        s->seen[s->seen_count++] = vector;
    }
    return !known;
}

static void glance_at_vector(struct search *s, unsigned reference, struct xc_mv mv)
{
    const struct xc_macroblock candidate = {
        .y_mode = XC_NEWMV, .reference = (uint8_t)reference, .segment = s->best.segment, .mv = mv
    };
    if (note_vector(s, reference, mv)) {
        glance(s, &candidate);
    }
}

static void glance_at_reference(struct search *s, unsigned reference)
{
    const struct xc_near_mvs *near = &vector_costs(s, reference)->near;
    glance_at_vector(s, reference, (struct xc_mv){ 0, 0 });
    glance_at_vector(s, reference, near->nearest);
    glance_at_vector(s, reference, near->near);
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
    return xc_mv_equal(a->mv, b->mv);
}

/* What a candidate costs with its residue, or some value from limit on. The macroblock becomes it. */
static int64_t full_cost(struct search *s, struct xc_residue *residue, const struct xc_macroblock *candidate,
                         const struct xc_coding_place *place, const int16_t *const old[XC_BLOCKS], int64_t limit)
{
    unsigned bits;
    *s->mb = *candidate;
    if (!fit(s, &bits)) {
        return INT64_MAX;
    }
    const int64_t modes = s->lambda * bits;
    const int64_t cost = xc_decide_residue(residue, s->choice->coder, s->mb, place, old, limit - modes) + modes;
    return cost < limit ? cost + s->lambda * s->choice->costs.skip[xc_residue_is_empty(residue)] : cost;
}

/* Finds the best of what is cheap, and the guess. */
static void look_around(struct search *s, const struct xc_macroblock *guess)
{
    s->best = *guess;
    s->best_cost = INT64_MAX;
    if (has_one_vector(guess)) {
        note_vector(s, guess->reference, guess->mv);
    }
    if (guess->y_mode != XC_B_PRED) { /* whose error is known with its residue only */
        glance(s, guess);
    }
    if (s->best_cost > s->lambda * LEAST_BITS) {
        glance_at_references(s);
        glance_at_intra(s);
        refine(s);
    }
}

/* Settles for a candidate. */
static void settle(struct search *s, const struct xc_macroblock *candidate)
{
    unsigned bits;
    *s->mb = *candidate;
    fit(s, &bits);
}

void xc_choice_fill(struct xc_choice *choice, const struct xc_residue_coder *coder, struct xc_frame *frame)
{
    choice->coder = coder;
    choice->frame = frame;
    xc_mode_costs_fill(&choice->costs, &frame->header);
}

/* The frame's macroblock is the better one of two that predict differently, in the end. Returns its residue. */
static const struct xc_residue *compete(struct search *s, struct xc_residue residues[2],
                                        const struct xc_macroblock *guess, const struct xc_coding_place *place,
                                        const int16_t *const old[XC_BLOCKS])
{
    static const int16_t *const none[XC_BLOCKS];
    const struct xc_residue_coder *coder = s->choice->coder;
    const int64_t cost = full_cost(s, &residues[0], guess, place, old, INT64_MAX);
    const bool keep = cost <= full_cost(s, &residues[1], &s->best, place, none, cost);
    if (keep) {
        settle(s, guess);
    }
    if (s->mb->reference == XC_REF_INTRA) {
        xc_decide_final_residue(&residues[0], coder, s->mb, place, keep ? old : none);
        return &residues[0];
    }
    if (keep) {
        xc_predict_macroblock(coder->recon, s->mb, s->row, s->column);
    }
    return &residues[keep ? 0 : 1];
}

const struct xc_residue *xc_choose_prediction(struct xc_residue residues[2], const struct xc_choice *choice,
                                              const struct xc_coding_place *place, const int16_t *const old[XC_BLOCKS])
{
    struct xc_macroblock *mb = &choice->frame->macroblocks[(size_t)place->row * choice->frame->mb_cols + place->column];
    const struct xc_macroblock guess = *mb;
    struct search s = { .choice = choice, .row = place->row, .column = place->column, .mb = mb };
    s.lambda = xc_residue_lambda(choice->coder, mb, place->row, place->column);
    look_around(&s, &guess);
    if (!predict_the_same(&s.best, &guess)) {
        return compete(&s, residues, &guess, place, old);
    }
    settle(&s, &s.best);
    xc_decide_final_residue(&residues[0], choice->coder, mb, place, old);
    return &residues[0];
}
