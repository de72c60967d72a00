#include "analysis/temporal_filter.h"

#include <math.h>
#include <stdlib.h>

#include "analysis/match.h"

/* How a match counts, as libvpx weighs it (vp8_temporal_filter_iterate_c, vp8_temporal_filter_apply_c): the macroblock
 * twice, once or not at all by its squared error, and each of its samples by up to 16, less the more it differs. The
 * samples' strength is libvpx's highest. */
enum { FULL_WEIGHT = 16, STRENGTH = 6 };
static const unsigned MB_WEIGHT[] = { [XC_NO_MATCH] = 0, [XC_FAIR_MATCH] = 1, [XC_GOOD_MATCH] = 2 };

/* libvpx's limits for macroblocks, 10000 and 20000, blur what moves. What noise adds does not depend on the picture,
 * what a vector that is slightly wrong adds grows with its contrast: so the limit for a good match is a small part of
 * the luma's variance, between these two; that for a fair one is twice as high (docs/compression.md). */
enum { LEAST_LIMIT = 8 * 256, GREATEST_LIMIT = 15 * 256, VARIANCE_SHARE = 30 };

struct filter {
    struct xc_matcher matcher;
    struct xc_match_reference others[XC_FILTER_PICTURES - 1];
    unsigned count;      /* of those */
    uint32_t *unmatched; /* per macroblock: squared error against the nearest other picture, 0 if there is a match */
};

struct sums {
    uint32_t weighted[XC_MB_SAMPLES];
    uint16_t weights[XC_MB_SAMPLES];
};

static void add(struct sums *sums, const uint8_t first[XC_MB_SAMPLES], const uint8_t match[XC_MB_SAMPLES],
                unsigned weight)
{
    for (int i = 0; i < XC_MB_SAMPLES; i++) {
        int difference = first[i] - match[i];
        int penalty = (difference * difference * 3 + (1 << (STRENGTH - 1))) >> STRENGTH;
        unsigned w = penalty < FULL_WEIGHT ? weight * (unsigned)(FULL_WEIGHT - penalty) : 0;
        sums->weighted[i] += w * match[i];
        sums->weights[i] = (uint16_t)(sums->weights[i] + w);
    }
}

/* Of the luma, which comes first. */
static uint32_t limit_for_good_match(const uint8_t block[XC_MB_SAMPLES])
{
    uint32_t sum = 0, squares = 0;
    for (int i = 0; i < 256; i++) {
        sum += block[i];
        squares += (uint32_t)block[i] * block[i];
    }
    const uint32_t limit = (squares - sum / 16 * (sum / 16)) / VARIANCE_SHARE;
    return limit < LEAST_LIMIT ? LEAST_LIMIT : limit > GREATEST_LIMIT ? GREATEST_LIMIT : limit;
}

static void filter_macroblock(struct filter *f, struct xc_picture *out, unsigned row, unsigned column)
{
    const size_t index = (size_t)row * f->matcher.picture->mb_cols + column;
    uint8_t first[XC_MB_SAMPLES], match[XC_MB_SAMPLES] __attribute__((aligned(16)));
    struct sums sums = { .weights = { 0 } };
    xc_gather(first, f->matcher.picture, row, column);
    add(&sums, first, first, MB_WEIGHT[XC_GOOD_MATCH]);
    const uint32_t limit = limit_for_good_match(first);
    for (unsigned i = 0; i < f->count; i++) {
        uint32_t error;
        const enum xc_match_quality quality =
            xc_find_match(&f->matcher, &f->others[i], first, limit, match, &error, row, column);
        if (i + 1 < f->count) { /* a good place to begin in the next picture, should that one have no better */
            f->others[i + 1].vectors[index] = f->others[i].vectors[index];
        }
        if (quality != XC_NO_MATCH) {
            add(&sums, first, match, MB_WEIGHT[quality]);
        } else if (i == 0) {
            f->unmatched[index] = error;
        }
    }
    if (!out) {
        return;
    }
    for (int i = 0; i < XC_MB_SAMPLES; i++) {
        first[i] = (uint8_t)((sums.weighted[i] + sums.weights[i] / 2) / sums.weights[i]);
    }
    xc_scatter(out, first, row, column);
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Of the squared errors, which are sorted, as a difference per sample. */
static double median_difference(uint32_t *squared_errors, size_t count)
{
    const size_t middle = count / 2;
    qsort(squared_errors, count, sizeof *squared_errors, compare);
    return sqrt(squared_errors[middle] / 256.);
}

enum xc_status xc_temporal_filter(struct xc_workspace *workspace, struct xc_picture **out, double *noise,
                                  const struct xc_picture *const *pictures, unsigned count, struct xc_error *err)
{
    const struct xc_picture *first = pictures[0];
    const size_t blocks = (size_t)first->mb_cols * first->mb_rows;
    struct xc_mv *vectors = calloc(blocks * count, sizeof *vectors);
    struct filter f = { .count = count - 1, .unmatched = calloc(blocks, sizeof *f.unmatched) };
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
    *noise = status ? 0 : median_difference(f.unmatched, blocks);
    xc_matcher_end(&f.matcher);
    free(f.unmatched);
    free(vectors);
    return status;
}
