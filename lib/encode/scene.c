#include "excamera/scene.h"

#include <stdlib.h>

/* Pictures are halved in both directions, so that a macroblock becomes a block of 8x8, and noise gets less. */
enum { BLOCK = 8, RANGE = 24 };

/* A cut is where motion compensation, in whole samples, leaves at least this much, in percent, of what intra prediction
 * leaves. Fast motion over several pictures comes to 120 (a pan of 30 samples per picture, six pictures apart), cuts
 * were seen to begin at 230. */
enum { CUT = 140 };

/* What a block may differ in any case: noise and fades are no cuts, however flat the picture is. Four levels per
 * sample. */
enum { TOLERANCE = 4 * BLOCK * BLOCK };

struct vector {
    int8_t x, y;
};

struct xc_scene {
    int cols, rows; /* blocks */
    int stride;     /* of the small pictures, which is their width */
    bool started;
    double novelty;
    uint8_t *now, *before;
    struct vector *vectors; /* of each block of now */
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
        if (s->now && s->before && s->vectors) {
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

static uint32_t difference(const uint8_t *a, const uint8_t *b, int stride)
{
    uint32_t sum = 0;
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            sum += (uint32_t)abs(a[y * stride + x] - b[y * stride + x]);
        }
    }
    return sum;
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

struct match {
    const struct xc_scene *scene;
    int x0, y0;
    int x, y; /* of the best so far, relative to that */
    uint32_t error;
};

static void try(struct match *m, int x, int y)
{
    const struct xc_scene *s = m->scene;
    const int column = m->x0 + x, row = m->y0 + y;
    if (abs(x) > RANGE || abs(y) > RANGE || column < 0 || row < 0 || column > s->stride - BLOCK ||
        row > (s->rows - 1) * BLOCK) {
        return;
    }
    uint32_t error = difference(s->now + m->y0 * s->stride + m->x0, s->before + row * s->stride + column, s->stride);
    if (error < m->error) {
        *m = (struct match){ s, m->x0, m->y0, x, y, error };
    }
}

/* From no motion and the neighbours', downhill in ever smaller diamonds. */
static uint32_t inter_error(struct xc_scene *s, int row, int col)
{
    const int index = row * s->cols + col;
    struct match m = { .scene = s, .x0 = col * BLOCK, .y0 = row * BLOCK, .error = UINT32_MAX };
    try(&m, 0, 0);
    if (col) {
        try(&m, s->vectors[index - 1].x, s->vectors[index - 1].y);
    }
    if (row) {
        try(&m, s->vectors[index - s->cols].x, s->vectors[index - s->cols].y);
    }
    for (int step = 8; step; step /= 2) {
        uint32_t before;
        do {
            const int x = m.x, y = m.y;
            before = m.error;
            try(&m, x - step, y);
            try(&m, x + step, y);
            try(&m, x, y - step);
            try(&m, x, y + step);
        } while (m.error < before);
    }
    s->vectors[index] = (struct vector){ (int8_t)m.x, (int8_t)m.y };
    return m.error;
}

bool xc_scene_begins(struct xc_scene *s, const struct xc_picture *picture)
{
    uint8_t *older = s->before;
    s->before = s->now;
    s->now = older;
    halve(s, &picture->plane[XC_PLANE_Y]);
    uint64_t intra = 0, inter = 0;
    for (int row = 0; s->started && row < s->rows; row++) {
        for (int col = 0; col < s->cols; col++) {
            intra += intra_error(s, col * BLOCK, row * BLOCK);
            inter += inter_error(s, row, col);
        }
    }
    const bool first = !s->started;
    s->started = true;
    s->novelty = first ? 1 : (double)(inter + 1) / (double)(intra + 1);
    const uint64_t tolerated = TOLERANCE * (uint64_t)s->cols * (uint64_t)s->rows;
    return !first && inter > tolerated && inter * 100 > intra * CUT;
}

double xc_scene_novelty(const struct xc_scene *s)
{
    return s->novelty;
}
