/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/temporal_filter.h"

#include <math.h>
#include <stdlib.h>

#include "analysis/match.h"

/* The weights of libvpx (vp8_temporal_filter_iterate_c, vp8_temporal_filter_apply_c): a macroblock counts twice, once
 * or not at all, by its squared error. The kernel temporal_add weighs each of its samples by how much it differs, with
 * libvpx's highest strength, 6. */
static const int MB_WEIGHT[] = { [XC_NO_MATCH] = 0, [XC_FAIR_MATCH] = 1, [XC_GOOD_MATCH] = 2 };

/* libvpx's limits for macroblocks, 10000 and 20000, blur what moves. The error that noise causes does not depend on the
 * picture; the error of a vector that is slightly wrong grows with the contrast. So the limit for a good match is this
 * share of the luma's variance, within these bounds; the limit for a fair match is twice as high (docs/compression.md).
 */
enum { LEAST_LIMIT = 8 * 256, GREATEST_LIMIT = 15 * 256, VARIANCE_SHARE = 30 };

struct filter {
    const struct xc_dsp *dsp;
    struct xc_matcher matcher;
    struct xc_match_reference others[XC_FILTER_PICTURES - 1];
    unsigned count;      /* of those */
    uint32_t *unmatched; /* per macroblock: squared error in the nearest other picture, 0 if it has a match there */
};

/* Weighted sums of samples, and the sums of their weights. */
struct sums {
    uint16_t weighted[XC_MB_SAMPLES];
    uint16_t weights[XC_MB_SAMPLES];
};
_Static_assert(XC_FILTER_PICTURES * 2 * 16 * 255 <= UINT16_MAX, "the weighted sums fit 16 bits");

static void add(const struct xc_dsp *dsp, struct sums *sums, const uint8_t first[XC_MB_SAMPLES],
                const uint8_t match[XC_MB_SAMPLES], enum xc_match_quality quality)
{
    if (quality != XC_NO_MATCH) {
        dsp->temporal_add(sums->weighted, sums->weights, first, match, XC_MB_SAMPLES, MB_WEIGHT[quality]);
    }
}

/* Of the luma, which comes first. */
static uint32_t limit_for_good_match(const struct xc_dsp *dsp, const uint8_t block[XC_MB_SAMPLES])
{
    static const uint8_t black[16];
    const uint32_t sum = (uint32_t)dsp->difference16(block, 16, black, 0);
    const uint32_t limit = (dsp->ssd16(block, 16, black, 0) - sum / 16 * (sum / 16)) / VARIANCE_SHARE;
    return limit < LEAST_LIMIT ? LEAST_LIMIT : limit > GREATEST_LIMIT ? GREATEST_LIMIT : limit;
}

static void filter_macroblock(struct filter *f, struct xc_picture *out, unsigned row, unsigned column)
{
    const struct xc_dsp *dsp = f->dsp;
    const size_t index = (size_t)row * f->matcher.picture->mb_cols + column;
    uint8_t first[XC_MB_SAMPLES], match[XC_MB_SAMPLES] __attribute__((aligned(16)));
    struct sums sums = { .weights = { 0 } };
    xc_gather(first, f->matcher.picture, row, column);
    add(dsp, &sums, first, first, XC_GOOD_MATCH);
    const uint32_t limit = limit_for_good_match(dsp, first);
    for (unsigned i = 0; i < f->count; i++) {
        uint32_t error;
        const enum xc_match_quality quality =
            xc_find_match(&f->matcher, &f->others[i], first, limit, match, &error, row, column);
        if (i + 1 < f->count) { /* a guess for the next picture */
            f->others[i + 1].vectors[index] = f->others[i].vectors[index];
        }
        add(dsp, &sums, first, match, quality);
        if (quality == XC_NO_MATCH && i == 0) {
            f->unmatched[index] = error;
        }
    }
    if (out) {
        dsp->temporal_mean(first, sums.weighted, sums.weights, XC_MB_SAMPLES);
        xc_scatter(out, first, row, column);
    }
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts them. */
static uint32_t median(uint32_t *errors, size_t count)
{
    qsort(errors, count, sizeof *errors, compare);
    return errors[count / 2];
}

enum xc_status xc_temporal_filter(struct xc_workspace *workspace, struct xc_picture **out, double *noise,
                                  const struct xc_picture *const *pictures, unsigned count, struct xc_error *err)
{
    const struct xc_picture *first = pictures[0];
    const size_t blocks = (size_t)first->mb_cols * first->mb_rows;
    struct xc_mv *vectors = calloc(blocks * count, sizeof *vectors);
    struct filter f = { .dsp = &workspace->dsp, .count = count - 1, .unmatched = calloc(blocks, sizeof *f.unmatched) };
    if (out) {
        *out = NULL;
    }
    if (!vectors || !f.unmatched) {
        free(f.unmatched);
        free(vectors);
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for motion vectors");
    }
    enum xc_status status = xc_matcher_begin(&f.matcher, workspace, first, err);
    if (!status && out) {
        status = xc_picture_new(out, workspace->pool, first->width, first->height, err);
    }
    if (!status && out) {
        (*out)->complete = true; /* the padding is averaged with the rest */
    }
    for (unsigned i = 0; !status && i < f.count; i++) {
        f.others[i] = xc_match_reference(&f.matcher, pictures[i + 1], vectors + i * blocks);
    }
    for (unsigned row = 0; !status && row < first->mb_rows; row++) {
        for (unsigned column = 0; column < first->mb_cols; column++) {
            filter_macroblock(&f, out ? *out : NULL, row, column);
        }
    }
    *noise = status ? 0 : sqrt(median(f.unmatched, blocks) / 256.);
    xc_matcher_end(&f.matcher);
    free(f.unmatched);
    free(vectors);
    return status;
}

/* Noise, where nothing moves: the median of the macroblocks' squared errors between two pictures. The least is half a
 * level per sample. What changes for another reason than noise, changes more with time: by twice the difference, four
 * times the squared error (docs/notes/compression.md). */
enum { LEAST_NOISE = 256 / 4, GROWTH_OF_CHANGE = 4 };

/* errors: room for one per macroblock. */
static uint32_t median_error_at_rest(const struct xc_dsp *dsp, const struct xc_picture *a, const struct xc_picture *b,
                                     uint32_t *errors)
{
    const struct xc_plane *p = &a->plane[XC_PLANE_Y], *q = &b->plane[XC_PLANE_Y];
    size_t count = 0;
    for (ptrdiff_t y = 0; y < a->mb_rows * 16; y += 16) {
        for (ptrdiff_t x = 0; x < a->mb_cols * 16; x += 16) {
            errors[count++] =
                dsp->ssd16(p->data + y * p->stride + x, p->stride, q->data + y * q->stride + x, q->stride);
        }
    }
    return median(errors, count);
}

static bool is_still_and_noisy(const struct xc_dsp *dsp, const struct xc_picture *const *pictures, unsigned count,
                               uint32_t *errors)
{
    const uint32_t nearest = median_error_at_rest(dsp, pictures[0], pictures[1], errors);
    if (nearest < LEAST_NOISE || nearest >= LEAST_LIMIT) {
        return false;
    }
    const uint32_t farthest = median_error_at_rest(dsp, pictures[0], pictures[count - 1], errors);
    return farthest < LEAST_LIMIT && farthest < GROWTH_OF_CHANGE * nearest;
}

static void filter_macroblock_at_rest(const struct xc_dsp *dsp, struct xc_picture *out,
                                      const struct xc_picture *const *pictures, unsigned count, unsigned row,
                                      unsigned column)
{
    uint8_t first[XC_MB_SAMPLES], other[XC_MB_SAMPLES] __attribute__((aligned(16)));
    struct sums sums = { .weights = { 0 } };
    xc_gather(first, pictures[0], row, column);
    add(dsp, &sums, first, first, XC_GOOD_MATCH);
    const uint32_t limit = limit_for_good_match(dsp, first);
    for (unsigned i = 1; i < count; i++) {
        xc_gather(other, pictures[i], row, column);
        add(dsp, &sums, first, other, xc_match_quality(dsp->ssd16(first, 16, other, 16), limit));
    }
    dsp->temporal_mean(first, sums.weighted, sums.weights, XC_MB_SAMPLES);
    xc_scatter(out, first, row, column);
}

enum xc_status xc_temporal_filter_at_rest(struct xc_workspace *workspace, struct xc_picture **out,
                                          const struct xc_picture *const *pictures, unsigned count,
                                          struct xc_error *err)
{
    const struct xc_dsp *dsp = &workspace->dsp;
    const struct xc_picture *first = pictures[0];
    *out = NULL;
    if (count < 2) {
        return XC_OK;
    }
    uint32_t *errors = malloc((size_t)first->mb_cols * first->mb_rows * sizeof *errors);
    if (!errors) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for the errors of macroblocks");
    }
    const bool pays = is_still_and_noisy(dsp, pictures, count, errors);
    free(errors);
    if (!pays) {
        return XC_OK;
    }
    enum xc_status status = xc_picture_new(out, workspace->pool, first->width, first->height, err);
    if (status) {
        return status;
    }
    (*out)->complete = true; /* the padding is averaged with the rest */
    for (unsigned row = 0; row < first->mb_rows; row++) {
        for (unsigned column = 0; column < first->mb_cols; column++) {
            filter_macroblock_at_rest(dsp, *out, pictures, count, row, column);
        }
    }
    return XC_OK;
}
