#include "excamera/temporal_filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/canvas.h"
#include "encode/block_search.h"

enum { SAMPLES = 16 * 16 + 2 * 8 * 8, RANGE = 64 };

/* How a match counts, as libvpx weighs it (vp8_temporal_filter_iterate_c, vp8_temporal_filter_apply_c): the macroblock
 * twice, once or not at all by its squared error, and each of its samples by up to 16, less the more it differs. The
 * samples' strength is libvpx's highest. */
enum { FULL_WEIGHT = 16, STRENGTH = 6 };

/* libvpx's limits for macroblocks, 10000 and 20000, blur what moves. What noise adds does not depend on the picture,
 * what a vector that is slightly wrong adds grows with its contrast: so the limit for a good match is a small part of
 * the luma's variance, between these two; that for a fair one is twice as high (docs/compression.md). */
enum { LEAST_LIMIT = 8 * 256, GREATEST_LIMIT = 15 * 256, VARIANCE_SHARE = 30 };

struct filter {
    struct xc_canvas canvas; /* predicts the matches, from reference[0] */
    const struct xc_picture *first;
    struct xc_block_search search; /* finds them there, to whole samples */
    uint32_t *unmatched;           /* per macroblock: squared error against pictures[1], 0 if that is a match */
};

struct sums {
    uint32_t weighted[SAMPLES];
    uint16_t weights[SAMPLES];
};

static const uint8_t *luma_at(const struct xc_picture *picture, int x, int y)
{
    const struct xc_plane *p = &picture->plane[XC_PLANE_Y];
    return p->data + y * p->stride + x;
}

/* Squared error of the luma of a match at a vector in quarter samples; UINT32_MAX where it would reach beyond the
 * picture. */
static uint32_t match_error(const struct filter *f, struct xc_mv quarter, unsigned row, unsigned column)
{
    const struct xc_picture *reference = f->canvas.reference[0];
    const struct xc_plane *from = &reference->plane[XC_PLANE_Y], *to = &f->first->plane[XC_PLANE_Y];
    const int x = (int)column * 16 + (quarter.column >> 2), y = (int)row * 16 + (quarter.row >> 2);
    if (x < 2 || y < 2 || x + 16 + 3 > reference->mb_cols * 16 || y + 16 + 3 > reference->mb_rows * 16) {
        return UINT32_MAX;
    }
    uint8_t match[16 * 16] __attribute__((aligned(16)));
    f->canvas.mc[XC_MC_16](match, 16, from->data + y * from->stride + x, from->stride, 16, (quarter.column & 3) * 2,
                           (quarter.row & 3) * 2);
    return f->canvas.dsp->ssd16(to->data + (ptrdiff_t)(row * 16) * to->stride + column * 16, to->stride, match, 16);
}

/* To quarter samples. Leaves the best match in the canvas and returns its squared error. */
static uint32_t refine(const struct filter *f, struct xc_mv whole, unsigned row, unsigned column)
{
    static const struct xc_mv around[] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };
    struct xc_mv best = { (int16_t)(whole.row * 4), (int16_t)(whole.column * 4) };
    uint32_t error = match_error(f, best, row, column);
    for (int step = 2; step; step--) {
        for (int i = 0; i < 4; i++) { /* from the best so far, so that it may go both up and aside */
            const struct xc_mv mv = { (int16_t)(best.row + around[i].row * step),
                                      (int16_t)(best.column + around[i].column * step) };
            const uint32_t tried = match_error(f, mv, row, column);
            if (tried < error) {
                error = tried;
                best = mv;
            }
        }
    }
    const struct xc_macroblock mb = { .y_mode = XC_NEWMV, .reference = 1 + XC_LAST, .mv = best };
    xc_predict_macroblock(&f->canvas, &mb, row, column);
    return f->canvas.dsp->ssd16(luma_at(f->first, (int)column * 16, (int)row * 16), f->first->plane[XC_PLANE_Y].stride,
                                xc_canvas_at(&f->canvas, XC_PLANE_Y, row, column),
                                f->canvas.picture->plane[XC_PLANE_Y].stride);
}

/* Visits the samples of one macroblock of a picture in the order in which sums has them. */
static void gather(uint8_t out[SAMPLES], const struct xc_picture *picture, unsigned row, unsigned column)
{
    for (int plane = 0; plane < 3; plane++) {
        const unsigned size = plane == XC_PLANE_Y ? 16 : 8;
        const struct xc_plane *p = &picture->plane[plane];
        for (unsigned y = 0; y < size; y++, out += size) {
            memcpy(out, p->data + (ptrdiff_t)(row * size + y) * p->stride + column * size, size);
        }
    }
}

static void scatter(struct xc_picture *picture, const uint8_t in[SAMPLES], unsigned row, unsigned column)
{
    for (int plane = 0; plane < 3; plane++) {
        const unsigned size = plane == XC_PLANE_Y ? 16 : 8;
        const struct xc_plane *p = &picture->plane[plane];
        for (unsigned y = 0; y < size; y++, in += size) {
            memcpy(p->data + (ptrdiff_t)(row * size + y) * p->stride + column * size, in, size);
        }
    }
}

static void add(struct sums *sums, const uint8_t first[SAMPLES], const uint8_t match[SAMPLES], unsigned weight)
{
    for (int i = 0; i < SAMPLES; i++) {
        int difference = first[i] - match[i];
        int penalty = (difference * difference * 3 + (1 << (STRENGTH - 1))) >> STRENGTH;
        unsigned w = penalty < FULL_WEIGHT ? weight * (unsigned)(FULL_WEIGHT - penalty) : 0;
        sums->weighted[i] += w * match[i];
        sums->weights[i] = (uint16_t)(sums->weights[i] + w);
    }
}

/* Of the luma, which comes first. */
static uint32_t limit_for_good_match(const uint8_t block[SAMPLES])
{
    uint32_t sum = 0, squares = 0;
    for (int i = 0; i < 256; i++) {
        sum += block[i];
        squares += (uint32_t)block[i] * block[i];
    }
    const uint32_t limit = (squares - sum / 16 * (sum / 16)) / VARIANCE_SHARE;
    return limit < LEAST_LIMIT ? LEAST_LIMIT : limit > GREATEST_LIMIT ? GREATEST_LIMIT : limit;
}

static void filter_macroblock(struct filter *f, struct xc_picture *out, const struct xc_picture *const *pictures,
                              unsigned count, struct xc_mv *const *vectors, unsigned row, unsigned column)
{
    const size_t index = (size_t)row * f->first->mb_cols + column;
    uint8_t first[SAMPLES], match[SAMPLES];
    struct sums sums = { .weights = { 0 } };
    gather(first, f->first, row, column);
    add(&sums, first, first, 2);
    const uint32_t limit = limit_for_good_match(first);
    for (unsigned i = 1; i < count; i++) {
        f->canvas.reference[0] = pictures[i];
        f->search.reference = pictures[i]->plane[XC_PLANE_Y];
        f->search.vectors = vectors[i];
        xc_block_search(&f->search, (int)row, (int)column);
        if (i + 1 < count) { /* a good place to begin in the next picture, should that one have no better */
            vectors[i + 1][index] = vectors[i][index];
        }
        uint32_t error = refine(f, vectors[i][index], row, column);
        if (i == 1 && error >= 2 * limit) {
            f->unmatched[index] = error;
        }
        if (error < 2 * limit) {
            gather(match, f->canvas.picture, row, column);
            add(&sums, first, match, error < limit ? 2 : 1);
        }
    }
    for (int i = 0; i < SAMPLES; i++) {
        first[i] = (uint8_t)((sums.weighted[i] + sums.weights[i] / 2) / sums.weights[i]);
    }
    scatter(out, first, row, column);
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
    struct xc_mv *storage = calloc(blocks * count, sizeof *storage), *vectors[XC_FILTER_PICTURES];
    struct filter f = { .first = first, .unmatched = calloc(blocks, sizeof *f.unmatched) };
    f.search = (struct xc_block_search){
        .blocks = first->plane[XC_PLANE_Y],
        .width = first->mb_cols * 16,
        .height = first->mb_rows * 16,
        .size = 16,
        .pitch = 16,
        .cols = first->mb_cols,
        .range = RANGE,
        .sad = workspace->dsp.sad16,
    };
    f.canvas = (struct xc_canvas){ .dsp = &workspace->dsp, .mc = workspace->dsp.sixtap, .chroma_mv_mask = ~0 };
    *out = NULL;
    enum xc_status status = XC_OK;
    if (!storage || !f.unmatched) {
        status = xc_fail(err, XC_ERR_MEMORY, "out of memory for motion vectors");
    }
    for (unsigned i = 0; !status && i < count; i++) {
        vectors[i] = storage + i * blocks;
    }
    if (!status) {
        status = xc_picture_new(&f.canvas.picture, workspace->pool, first->width, first->height, err);
    }
    if (!status) {
        status = xc_picture_new(out, workspace->pool, first->width, first->height, err);
    }
    for (unsigned row = 0; !status && row < first->mb_rows; row++) {
        for (unsigned column = 0; column < first->mb_cols; column++) {
            filter_macroblock(&f, *out, pictures, count, vectors, row, column);
        }
    }
    *noise = status ? 0 : median_difference(f.unmatched, blocks);
    xc_picture_unref(f.canvas.picture);
    free(f.unmatched);
    free(storage);
    return status;
}
