#include "analysis/scene.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/block_search.h"
#include "analysis/pan.h"
#include "analysis/shape.h"

/* Pictures are halved in both directions, so that a macroblock becomes a block of 8x8, and noise gets less. */
enum { BLOCK = 8, RANGE = 24 };

/* A cut is where motion compensation, in whole samples, leaves at least this much, in percent, of what intra prediction
 * leaves. Fast motion over several pictures comes to 120 (a pan of 30 samples per picture, six pictures apart), cuts
 * were seen to begin at 220. */
enum { CUT = 140 };

/* In a flash, or where half of the picture is new because the camera was shaken, that may be 3000. But then there are
 * blocks whose shapes are found again, that is, motion compensation leaves less of them than half of what intra
 * prediction leaves: 11 to 90 percent of those that have any. Of a cut's 0 to 5 percent have something that resembles
 * them. */
enum { FOUND_BY_CHANCE = 8, ANY_SHAPE = 2 * BLOCK * BLOCK };

/* With more blocks than this, every other one of every other row tells as much. */
enum { ENOUGH = 1000 };

/* What a block may differ in any case: noise and fades are no cuts, however flat the picture is. Four levels per
 * sample. */
enum { TOLERANCE = 4 * BLOCK * BLOCK };

struct xc_scene {
    int cols, rows; /* blocks */
    int stride;     /* of the small pictures, which is their width */
    bool started;
    double novelty;
    uint8_t *now, *before;
    struct xc_mv *vectors; /* of each block of now, in before */
    int32_t *scratch;      /* for xc_find_pan */
};

enum xc_status xc_scene_new(struct xc_scene **out, unsigned width, unsigned height, struct xc_error *err)
{
    struct xc_scene *s = calloc(1, sizeof *s);
    *out = s;
    if (s) {
        s->cols = (int)(width + 15) / 16;
        s->rows = (int)(height + 15) / 16;
        s->stride = s->cols * BLOCK;
        const size_t blocks = (size_t)s->cols * (size_t)s->rows;
        s->now = malloc(blocks * BLOCK * BLOCK);
        s->before = malloc(blocks * BLOCK * BLOCK);
        s->vectors = malloc(blocks * sizeof *s->vectors);
        s->scratch = malloc((size_t)(s->cols + s->rows) * BLOCK * 2 * sizeof *s->scratch);
        if (s->now && s->before && s->vectors && s->scratch) {
            return XC_OK;
        }
        xc_scene_free(s);
        *out = NULL;
    }
    return xc_fail(err, XC_ERR_MEMORY, "out of memory for finding scene cuts");
}

void xc_scene_free(struct xc_scene *s)
{
    if (s) {
        free(s->now);
        free(s->before);
        free(s->vectors);
        free(s->scratch);
        free(s);
    }
}

static void halve(const struct xc_scene *s, const struct xc_plane *luma)
{
    for (int y = 0; y < s->rows * BLOCK; y++) {
        const uint8_t *a = luma->data + 2 * y * luma->stride, *b = a + luma->stride;
        for (int x = 0; x < s->stride; x++) {
            s->now[y * s->stride + x] = (uint8_t)((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) >> 2);
        }
    }
}

static uint32_t difference(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    uint32_t sum = 0;
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            sum += (uint32_t)abs(a[y * a_stride + x] - b[y * b_stride + x]);
        }
    }
    return sum;
}

static uint32_t mean_removed_difference(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return xc_mean_removed_sad(a, a_stride, b, b_stride, BLOCK);
}

/* The best of predicting a block by its average, the row above it or the column to its left. */
static uint32_t intra_error(const struct xc_scene *s, int x0, int y0)
{
    const uint8_t *block = s->now + y0 * s->stride + x0;
    int sum = 0;
    for (int i = 0; i < BLOCK * BLOCK; i++) {
        sum += block[i / BLOCK * s->stride + i % BLOCK];
    }
    const int average = (sum + BLOCK * BLOCK / 2) / (BLOCK * BLOCK);
    uint32_t flat = 0, vertical = 0, horizontal = 0;
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            const int sample = block[y * s->stride + x];
            flat += (uint32_t)abs(sample - average);
            vertical += (uint32_t)abs(sample - (y0 ? block[x - s->stride] : average));
            horizontal += (uint32_t)abs(sample - (x0 ? block[y * s->stride - 1] : average));
        }
    }
    const uint32_t best = flat < vertical ? flat : vertical;
    return best < horizontal ? best : horizontal;
}

/* What is left of the blocks of a picture, or of some of them. */
struct errors {
    uint64_t intra;  /* by intra prediction */
    uint64_t inter;  /* by motion compensation from the picture before */
    uint64_t shapes; /* of inter, what is not brightness */
    unsigned blocks, shaped, found;
};

static struct errors sum_errors(struct xc_scene *s)
{
    const int every = s->rows * s->cols > ENOUGH ? 2 : 1;
    const int width = s->cols * BLOCK, height = s->rows * BLOCK;
    const struct xc_plane now = { s->now, s->stride }, before = { s->before, s->stride };
    const struct xc_block_search search = {
        .blocks = now,
        .reference = before,
        .width = width,
        .height = height,
        .size = BLOCK,
        .pitch = BLOCK * every,
        .cols = (s->cols + every - 1) / every,
        .range = RANGE,
        .pan = xc_find_pan(&now, &before, width, height, s->scratch),
        .sad = mean_removed_difference,
        .vectors = s->vectors,
    };
    struct errors errors = { .blocks = 0 };
    const struct xc_mv *vector = s->vectors;
    memset(s->vectors, 0, (size_t)s->cols * (size_t)s->rows * sizeof *s->vectors);
    for (int row = 0; row * every < s->rows; row++) {
        for (int col = 0; col < search.cols; col++, vector++) {
            const int x = col * search.pitch, y = row * search.pitch;
            const uint32_t intra = intra_error(s, x, y), shape = xc_block_search(&search, row, col);
            errors.blocks++;
            errors.intra += intra;
            errors.shapes += shape;
            errors.shaped += intra > ANY_SHAPE;
            errors.found += intra > ANY_SHAPE && 2 * shape < intra;
            errors.inter += difference(s->now + y * s->stride + x, s->stride,
                                       s->before + (y + vector->row) * s->stride + x + vector->column, s->stride);
        }
    }
    return errors;
}

bool xc_scene_begins(struct xc_scene *s, const struct xc_picture *picture)
{
    uint8_t *older = s->before;
    s->before = s->now;
    s->now = older;
    halve(s, &picture->plane[XC_PLANE_Y]);
    if (!s->started) {
        s->started = true;
        s->novelty = 1;
        return false;
    }
    const struct errors errors = sum_errors(s);
    const uint64_t tolerated = TOLERANCE * (uint64_t)errors.blocks;
    s->novelty = (double)(errors.shapes + 1) / (double)(errors.intra + 1);
    return errors.inter > tolerated && errors.inter * 100 > errors.intra * CUT &&
           errors.found * 100 < errors.shaped * FOUND_BY_CHANCE;
}

double xc_scene_novelty(const struct xc_scene *s)
{
    return s->novelty;
}
