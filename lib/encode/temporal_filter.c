#include "excamera/temporal_filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/canvas.h"
#include "encode/block_search.h"
#include "encode/pan.h"
#include "encode/shape.h"

enum { SAMPLES = 16 * 16 + 2 * 8 * 8, RANGE = 64 };

/* How a match counts, as libvpx weighs it (vp8_temporal_filter_iterate_c, vp8_temporal_filter_apply_c): the macroblock
 * twice, once or not at all by its squared error, and each of its samples by up to 16, less the more it differs. The
 * samples' strength is libvpx's highest. */
enum { FULL_WEIGHT = 16, STRENGTH = 6 };

/* libvpx's limits for macroblocks, 10000 and 20000, blur what moves. What noise adds does not depend on the picture,
 * what a vector that is slightly wrong adds grows with its contrast: so the limit for a good match is a small part of
 * the luma's variance, between these two; that for a fair one is twice as high (docs/compression.md). */
enum { LEAST_LIMIT = 8 * 256, GREATEST_LIMIT = 15 * 256, VARIANCE_SHARE = 30 };

/* How the luma of two macroblocks is compared. */
struct measure {
    uint32_t (*sad)(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride);
    uint32_t (*ssd)(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride);
};

/* Another picture, and where in it the macroblocks of the first one are: vectors in whole samples. */
struct other {
    const struct xc_picture *picture;
    struct xc_mv pan, *vectors;
    bool otherwise_lit; /* than the first one */
};

struct filter {
    struct xc_canvas canvas; /* predicts the matches, from reference[0] */
    const struct xc_picture *first;
    struct other others[XC_FILTER_PICTURES - 1];
    unsigned count; /* of those */
    struct measure as_it_is, in_shape;
    struct xc_block_search search;
    uint32_t *unmatched; /* per macroblock: squared error against the nearest other picture, 0 if there is a match */
};

struct sums {
    uint32_t weighted[SAMPLES];
    uint16_t weights[SAMPLES];
};

static uint32_t sad_in_shape(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return xc_sad_in_shape(a, a_stride, b, b_stride, 16);
}

static uint32_t ssd_in_shape(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    uint32_t sum = 0;
    for (int y = 0; y < 16; y++) {
        for (int x = 0; x < 16; x++) {
            const int difference = a[y * a_stride + x] - b[y * b_stride + x];
            sum += (uint32_t)(difference * difference);
        }
    }
    const int brightness = xc_brightness(a, a_stride, b, b_stride, 16) / 16;
    return sum - (uint32_t)(brightness * brightness);
}

static const uint8_t *luma_at(const struct xc_picture *picture, int x, int y)
{
    const struct xc_plane *p = &picture->plane[XC_PLANE_Y];
    return p->data + y * p->stride + x;
}

/* Squared error of the luma of a match at a vector in quarter samples; UINT32_MAX where it would reach beyond the
 * picture. */
static uint32_t match_error(const struct filter *f, const struct measure *measure, struct xc_mv quarter, unsigned row,
                            unsigned column)
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
    return measure->ssd(to->data + (ptrdiff_t)(row * 16) * to->stride + column * 16, to->stride, match, 16);
}

/* To quarter samples. */
static struct xc_mv refine(const struct filter *f, const struct measure *measure, struct xc_mv whole, unsigned row,
                           unsigned column)
{
    static const struct xc_mv around[] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };
    struct xc_mv best = { (int16_t)(whole.row * 4), (int16_t)(whole.column * 4) };
    uint32_t error = match_error(f, measure, best, row, column);
    for (int step = 2; step; step--) {
        for (int i = 0; i < 4; i++) { /* from the best so far, so that it may go both up and aside */
            const struct xc_mv mv = { (int16_t)(best.row + around[i].row * step),
                                      (int16_t)(best.column + around[i].column * step) };
            const uint32_t tried = match_error(f, measure, mv, row, column);
            if (tried < error) {
                error = tried;
                best = mv;
            }
        }
    }
    return best;
}

/* Leaves the best match in the canvas and returns its squared error. */
static uint32_t find(struct filter *f, const struct measure *measure, unsigned row, unsigned column)
{
    const struct xc_mv *whole = f->search.vectors + (size_t)row * f->first->mb_cols + column;
    f->search.sad = measure->sad;
    xc_block_search(&f->search, (int)row, (int)column);
    const struct xc_macroblock mb = { .y_mode = XC_NEWMV,
                                      .reference = 1 + XC_LAST,
                                      .mv = refine(f, measure, *whole, row, column) };
    xc_predict_macroblock(&f->canvas, &mb, row, column);
    return measure->ssd(luma_at(f->first, (int)column * 16, (int)row * 16), f->first->plane[XC_PLANE_Y].stride,
                        xc_canvas_at(&f->canvas, XC_PLANE_Y, row, column), f->canvas.picture->plane[XC_PLANE_Y].stride);
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

/* The samples of one plane: as bright as those of the first picture. */
static void brighten(uint8_t *match, const uint8_t *first, int size)
{
    const int count = size * size, sum = xc_brightness(first, size, match, size, size);
    const int by = (sum + (sum < 0 ? -count / 2 : count / 2)) / count;
    for (int i = 0; i < count; i++) {
        const int sample = match[i] + by;
        match[i] = (uint8_t)(sample < 0 ? 0 : sample > 255 ? 255 : sample);
    }
}

/* Leaves the best match in another picture in match and its squared error in *error; returns how much it counts. If
 * nothing fits as it is, and that may be for the light, brightness does not matter, but the limits are half as high. */
static unsigned match_macroblock(struct filter *f, const struct other *other, const uint8_t first[SAMPLES],
                                 uint8_t match[SAMPLES], uint32_t *error, unsigned row, unsigned column)
{
    uint32_t limit = limit_for_good_match(first);
    *error = find(f, &f->as_it_is, row, column);
    const bool brightness_counts = *error < 2 * limit || !other->otherwise_lit;
    if (!brightness_counts) {
        *error = find(f, &f->in_shape, row, column);
        limit /= 2;
    }
    gather(match, f->canvas.picture, row, column);
    if (!brightness_counts) {
        brighten(match, first, 16);
        brighten(match + 16 * 16, first + 16 * 16, 8);
        brighten(match + 16 * 16 + 8 * 8, first + 16 * 16 + 8 * 8, 8);
    }
    return *error < limit ? 2 : *error < 2 * limit ? 1 : 0;
}

static void look_in(struct filter *f, const struct other *other)
{
    f->canvas.reference[0] = other->picture;
    f->search.reference = other->picture->plane[XC_PLANE_Y];
    f->search.pan = other->pan;
    f->search.vectors = other->vectors;
}

static void filter_macroblock(struct filter *f, struct xc_picture *out, unsigned row, unsigned column)
{
    const size_t index = (size_t)row * f->first->mb_cols + column;
    uint8_t first[SAMPLES], match[SAMPLES];
    struct sums sums = { .weights = { 0 } };
    gather(first, f->first, row, column);
    add(&sums, first, first, 2);
    for (unsigned i = 0; i < f->count; i++) {
        uint32_t error;
        look_in(f, &f->others[i]);
        const unsigned weight = match_macroblock(f, &f->others[i], first, match, &error, row, column);
        if (i + 1 < f->count) { /* a good place to begin in the next picture, should that one have no better */
            f->others[i + 1].vectors[index] = f->others[i].vectors[index];
        }
        if (weight) {
            add(&sums, first, match, weight);
        } else if (i == 0) {
            f->unmatched[index] = error;
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

static void prepare(struct filter *f, const struct xc_workspace *workspace, const struct xc_picture *first)
{
    f->first = first;
    f->as_it_is = (struct measure){ workspace->dsp.sad16, workspace->dsp.ssd16 };
    f->in_shape = (struct measure){ sad_in_shape, ssd_in_shape };
    f->search = (struct xc_block_search){
        .blocks = first->plane[XC_PLANE_Y],
        .width = first->mb_cols * 16,
        .height = first->mb_rows * 16,
        .size = 16,
        .pitch = 16,
        .cols = first->mb_cols,
        .range = RANGE,
    };
    f->canvas = (struct xc_canvas){ .dsp = &workspace->dsp, .mc = workspace->dsp.sixtap, .chroma_mv_mask = ~0 };
}

/* Whether an eighth of the macroblocks differ in brightness by more than two levels from what is there in the other
 * picture, apart from a pan. Every other one of every other row tells. */
static bool is_otherwise_lit(const struct filter *f, const struct other *other)
{
    const struct xc_plane *here = &f->search.blocks, *there = &other->picture->plane[XC_PLANE_Y];
    unsigned compared = 0, different = 0;
    for (int y = 0; y + 16 <= f->search.height; y += 32) {
        for (int x = 0; x + 16 <= f->search.width; x += 32) {
            const int row = y + other->pan.row, column = x + other->pan.column;
            if (row < 0 || column < 0 || row + 16 > f->search.height || column + 16 > f->search.width) {
                continue;
            }
            const uint8_t *a = here->data + y * here->stride + x, *b = there->data + row * there->stride + column;
            different += abs(xc_brightness(a, here->stride, b, there->stride, 16)) > 2 * 16 * 16;
            compared++;
        }
    }
    return different * 8 > compared;
}

/* storage: room for the vectors of all pictures. scratch: see xc_find_pan. */
static void take_others(struct filter *f, const struct xc_picture *const *pictures, unsigned count,
                        struct xc_mv *storage, int32_t *scratch)
{
    const size_t blocks = (size_t)f->first->mb_cols * f->first->mb_rows;
    f->count = count - 1;
    for (unsigned i = 0; i < f->count; i++) {
        f->others[i] = (struct other){
            .picture = pictures[i + 1],
            .pan = xc_find_pan(&f->search.blocks, &pictures[i + 1]->plane[XC_PLANE_Y], f->search.width,
                               f->search.height, scratch),
            .vectors = storage + i * blocks,
        };
        f->others[i].otherwise_lit = is_otherwise_lit(f, &f->others[i]);
    }
}

enum xc_status xc_temporal_filter(struct xc_workspace *workspace, struct xc_picture **out, double *noise,
                                  const struct xc_picture *const *pictures, unsigned count, struct xc_error *err)
{
    const struct xc_picture *first = pictures[0];
    const size_t blocks = (size_t)first->mb_cols * first->mb_rows;
    struct xc_mv *vectors = calloc(blocks * count, sizeof *vectors);
    int32_t *scratch = malloc((size_t)(first->mb_cols + first->mb_rows) * 16 * 2 * sizeof *scratch);
    struct filter f = { .unmatched = calloc(blocks, sizeof *f.unmatched) };
    prepare(&f, workspace, first);
    *out = NULL;
    enum xc_status status = XC_OK;
    if (!vectors || !scratch || !f.unmatched) {
        status = xc_fail(err, XC_ERR_MEMORY, "out of memory for motion vectors");
    }
    if (!status) {
        take_others(&f, pictures, count, vectors, scratch);
        status = xc_picture_new(&f.canvas.picture, workspace->pool, first->width, first->height, err);
    }
    if (!status) {
        status = xc_picture_new(out, workspace->pool, first->width, first->height, err);
    }
    for (unsigned row = 0; !status && row < first->mb_rows; row++) {
        for (unsigned column = 0; column < first->mb_cols; column++) {
            filter_macroblock(&f, *out, row, column);
        }
    }
    *noise = status ? 0 : median_difference(f.unmatched, blocks);
    xc_picture_unref(f.canvas.picture);
    free(f.unmatched);
    free(scratch);
    free(vectors);
    return status;
}
