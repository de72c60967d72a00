/* SPDX-License-Identifier: BSD-2-Clause */
#include "excamera/scene.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/block_search.h"
#include "analysis/pan.h"
#include "recon/workspace.h"

/* Pictures are halved in both directions: a macroblock becomes a block of 8x8, and noise is reduced. */
enum { BLOCK = 8, RANGE = 24 };

/* At a cut, the error of motion compensation in whole samples is at least this percentage of the error of intra
 * prediction. Fast motion over several pictures was measured at up to 120 (a pan of 30 samples per picture, six
 * pictures apart), cuts at 220 and more. */
enum { CUT = 140 };

/* In a flash, or if the camera shakes so that half of the picture is new, that percentage may be 3000. But then some
 * blocks with texture have a match: the mean-removed error of their motion compensation is less than half of the error
 * of their intra prediction. This was true of 11 to 90 percent of them; after a cut, 0 to 5 percent have a match, by
 * chance. */
enum { MATCHED_BY_CHANCE = 8, TEXTURE = 2 * BLOCK * BLOCK };

/* If a picture has more blocks than this, every other block of every other row is enough. */
enum { ENOUGH = 1000 };

/* The error that is tolerated in each block, four levels per sample: noise and fades make no cuts, even in flat
 * pictures. */
enum { TOLERANCE = 4 * BLOCK * BLOCK };

struct xc_scene {
    const struct xc_dsp *dsp;
    int cols, rows; /* blocks */
    int stride;     /* of the reduced pictures, which is their width */
    bool started;
    double novelty;
    uint8_t *now, *before; /* reduced pictures */
    struct xc_mv *vectors; /* of each block of now, in before */
    int32_t *scratch;      /* for xc_find_pan */
};

enum xc_status xc_scene_new(struct xc_scene **out, const struct xc_workspace *workspace, unsigned width,
                            unsigned height, struct xc_error *err)
{
    struct xc_scene *s = calloc(1, sizeof *s);
    *out = s;
    if (s) {
        s->dsp = &workspace->dsp;
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

/* The least error of predicting a block by its mean, the row above it or the column to its left. */
static uint32_t intra_error(const struct xc_scene *s, int x0, int y0)
{
    static const uint8_t black[BLOCK];
    const uint8_t *block = s->now + y0 * s->stride + x0;
    const int sum = s->dsp->difference8(block, s->stride, black, 0);
    uint8_t mean[BLOCK];
    memset(mean, (sum + BLOCK * BLOCK / 2) / (BLOCK * BLOCK), BLOCK);
    uint32_t least = s->dsp->sad8(block, s->stride, mean, 0);
    if (y0) {
        const uint32_t vertical = s->dsp->sad8(block, s->stride, block - s->stride, 0);
        least = vertical < least ? vertical : least;
    }
    if (x0) {
        uint8_t left[BLOCK], predicted[BLOCK * BLOCK] __attribute__((aligned(BLOCK)));
        for (int y = 0; y < BLOCK; y++) {
            left[y] = block[y * s->stride - 1];
        }
        s->dsp->intra8[XC_INTRA_H](predicted, BLOCK, left, left);
        const uint32_t horizontal = s->dsp->sad8(block, s->stride, predicted, BLOCK);
        least = horizontal < least ? horizontal : least;
    }
    return least;
}

/* Errors of the blocks of a picture, or of a sample of them. */
struct errors {
    uint64_t intra;        /* of intra prediction */
    uint64_t inter;        /* of motion compensation from the picture before */
    uint64_t mean_removed; /* the same without changes of illumination */
    unsigned blocks, textured, matched;
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
        .pan = xc_find_pan(s->dsp, &now, &before, width, height, s->scratch),
        .sad = s->dsp->mrsad8,
        .vectors = s->vectors,
    };
    struct errors errors = { .blocks = 0 };
    const struct xc_mv *vector = s->vectors;
    memset(s->vectors, 0, (size_t)s->cols * (size_t)s->rows * sizeof *s->vectors);
    for (int row = 0; row * every < s->rows; row++) {
        for (int col = 0; col < search.cols; col++, vector++) {
            const int x = col * search.pitch, y = row * search.pitch;
            const uint32_t intra = intra_error(s, x, y), mean_removed = xc_block_search(&search, row, col);
            errors.blocks++;
            errors.intra += intra;
            errors.mean_removed += mean_removed;
            errors.textured += intra > TEXTURE;
            errors.matched += intra > TEXTURE && 2 * mean_removed < intra;
            errors.inter += s->dsp->sad8(s->now + y * s->stride + x, s->stride,
                                         s->before + (y + vector->row) * s->stride + x + vector->column, s->stride);
        }
    }
    return errors;
}

bool xc_scene_begins(struct xc_scene *s, const struct xc_picture *picture)
{
    const struct xc_plane *luma = &picture->plane[XC_PLANE_Y];
    uint8_t *older = s->before;
    s->before = s->now;
    s->now = older;
    s->dsp->halve(s->now, s->stride, luma->data, luma->stride, s->stride, s->rows * BLOCK);
    if (!s->started) {
        s->started = true;
        s->novelty = 1;
        return false;
    }
    const struct errors errors = sum_errors(s);
    const uint64_t tolerated = TOLERANCE * (uint64_t)errors.blocks;
    s->novelty = (double)(errors.mean_removed + 1) / (double)(errors.intra + 1);
    return errors.inter > tolerated && errors.inter * 100 > errors.intra * CUT &&
           errors.matched * 100 < errors.textured * MATCHED_BY_CHANCE;
}

double xc_scene_novelty(const struct xc_scene *s)
{
    return s->novelty;
}
