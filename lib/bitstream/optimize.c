/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing the probabilities that a frame sends: what the symbols save against what the update costs. */
#include "bitstream/optimize.h"

#include <stdlib.h>
#include <string.h>

#include "bitstream/cost.h"
#include "bitstream/frame.h"
#include "bitstream/header.h"
#include "bitstream/modes.h"
#include "bitstream/tokens.h"

static uint8_t best_probability(const uint32_t count[2])
{
    uint64_t total = (uint64_t)count[0] + count[1];
    if (total == 0) {
        return 128;
    }
    uint64_t p = ((uint64_t)count[0] * 256 + total / 2) / total;
    return (uint8_t)(p < 1 ? 1 : p > 255 ? 255 : p);
}

static uint64_t cost_of(const uint32_t count[2], uint8_t p)
{
    return (uint64_t)count[0] * xc_cost(p, 0) + (uint64_t)count[1] * xc_cost(p, 1);
}

/* Whether sending new in place of old pays, when saying so costs a bool of this probability and these bits. */
static bool pays(const uint32_t count[2], uint8_t old, uint8_t new, uint8_t update_probability, unsigned bits)
{
    uint64_t keep = cost_of(count, old) + xc_cost(update_probability, 0);
    uint64_t send = cost_of(count, new) + xc_cost(update_probability, 1) + bits * 256;
    return send < keep;
}

/* Finds the count of a probability, which is a byte of the header. */
static const uint32_t *count_of(const struct xc_branch_counts *counts, const struct xc_frame_header *h,
                                const uint8_t *p)
{
    return counts->at[(size_t)(p - (const uint8_t *)h)];
}

static void optimize_coefficients(struct xc_frame_header *h, const struct xc_branch_counts *counts)
{
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 8; j++) {
            for (int k = 0; k < 3; k++) {
                for (int l = 0; l < 11; l++) {
                    uint8_t *p = &h->probabilities.coefficient[i][j][k][l];
                    const uint32_t *count = count_of(counts, h, p);
                    uint8_t better = best_probability(count);
                    if (pays(count, *p, better, xc_coefficient_update_probability[i][j][k][l], 8)) {
                        *p = better;
                        h->coefficient_sent[i][j][k] |= (uint16_t)(1 << l);
                    }
                }
            }
        }
    }
}

static void optimize_mvs(struct xc_frame_header *h, const struct xc_branch_counts *counts)
{
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 19; j++) {
            uint8_t *p = &h->probabilities.mv[i][j];
            const uint32_t *count = count_of(counts, h, p);
            uint8_t half = best_probability(count) >> 1, better = half ? (uint8_t)(half << 1) : 1; /* section 17.2 */
            if (pays(count, *p, better, xc_mv_update_probability[i][j], 7)) {
                *p = better;
                h->mv_sent[i] |= 1u << j;
            }
        }
    }
}

/* All of a mode's probabilities are sent, or none. */
static bool optimize_modes(uint8_t *p, int size, const struct xc_frame_header *h, const struct xc_branch_counts *counts)
{
    uint8_t better[4];
    uint64_t keep = 0, send = (uint64_t)size * 8 * 256;
    for (int i = 0; i < size; i++) {
        const uint32_t *count = count_of(counts, h, &p[i]);
        better[i] = best_probability(count);
        keep += cost_of(count, p[i]);
        send += cost_of(count, better[i]);
    }
    if (send < keep) {
        memcpy(p, better, (size_t)size);
    }
    return send < keep;
}

/* The skip flag costs little and lets the loop filter and the tokens alone: it is always in use, and set wherever it
 * can be. */
static void settle_skips(struct xc_frame *frame)
{
    size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    for (size_t i = 0; i < count; i++) {
        frame->macroblocks[i].skip = !xc_has_tokens(&frame->macroblocks[i]);
    }
    frame->header.skip_enabled = true;
}

bool xc_frame_count_row(struct xc_branch_counts *counts, const struct xc_frame *frame, unsigned row,
                        struct xc_token_context *above)
{
    if (!xc_modes_count(counts, frame, row)) {
        return false;
    }
    struct xc_token_context left = { 0 };
    const struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols];
    for (unsigned column = 0; column < frame->mb_cols; column++, mb++) {
        xc_tokens_count(counts, &frame->header, mb, (const xc_block *)frame->coefficients + mb->coefficients,
                        &above[column], &left);
    }
    return true;
}

void xc_frame_fit_probabilities(struct xc_frame *frame, const struct xc_state *state,
                                const struct xc_branch_counts *counts)
{
    struct xc_frame_header *h = &frame->header;
    h->probabilities = *xc_probabilities_before(h, state);
    memset(h->coefficient_sent, 0, sizeof h->coefficient_sent);
    memset(h->mv_sent, 0, sizeof h->mv_sent);
    optimize_coefficients(h, counts);
    h->skip_probability = best_probability(count_of(counts, h, &h->skip_probability));
    if (!h->key_frame) {
        optimize_mvs(h, counts);
        h->y_modes_sent = optimize_modes(h->probabilities.y_mode, 4, h, counts);
        h->uv_modes_sent = optimize_modes(h->probabilities.uv_mode, 3, h, counts);
        h->intra_probability = best_probability(count_of(counts, h, &h->intra_probability));
        h->last_probability = best_probability(count_of(counts, h, &h->last_probability));
        h->golden_probability = best_probability(count_of(counts, h, &h->golden_probability));
    }
    if (h->update_segment_map) {
        for (int i = 0; i < 3; i++) {
            const uint32_t *count = count_of(counts, h, &h->segment_tree[i]);
            uint8_t better = best_probability(count);
            h->segment_tree[i] = pays(count, 255, better, 128, 8) ? better : 255; /* 255 goes without saying */
        }
    }
}

enum xc_status xc_frame_optimize(struct xc_frame *frame, const struct xc_state *state, struct xc_error *err)
{
    enum xc_status status = xc_frame_check_complete(frame, err);
    if (status) {
        return status;
    }
    struct xc_branch_counts *counts = calloc(1, sizeof *counts);
    struct xc_token_context *above = calloc(frame->mb_cols, sizeof *above);
    status = counts && above ? XC_OK : xc_fail(err, XC_ERR_MEMORY, "out of memory for symbol counts");
    if (!status) {
        settle_skips(frame);
    }
    for (unsigned row = 0; !status && row < frame->mb_rows; row++) {
        if (!xc_frame_count_row(counts, frame, row, above)) {
            status = xc_fail(err, XC_ERR_ARGUMENT, XC_MODES_UNCODABLE);
        }
    }
    if (!status) {
        xc_frame_fit_probabilities(frame, state, counts);
    }
    free(counts);
    free(above);
    return status;
}
