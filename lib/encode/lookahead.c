#include "excamera/lookahead.h"

#include <stdlib.h>
#include <string.h>

/* Pictures are halved in both directions: a macroblock becomes a block of 8x8, and noise gets less. */
enum { BLOCK = 8, RANGE = 24, MAX_PICTURES = 256 };

struct small_picture {
    uint8_t *samples;
    /* Of predicting each block from this picture itself, and from the one before; and from where. Absolute errors. */
    uint32_t *intra, *inter;
    int8_t (*from)[2]; /* row, column */
};

struct xc_lookahead {
    int cols, rows;    /* blocks */
    int width, height; /* samples of the small pictures */
    int count;
    struct small_picture pictures[MAX_PICTURES];
};

enum xc_status xc_lookahead_new(struct xc_lookahead **out, unsigned width, unsigned height, struct xc_error *err)
{
    struct xc_lookahead *l = calloc(1, sizeof *l);
    *out = l;
    if (!l) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for the look-ahead");
    }
    l->cols = (int)(width + 15) / 16;
    l->rows = (int)(height + 15) / 16;
    l->width = l->cols * BLOCK;
    l->height = l->rows * BLOCK;
    return XC_OK;
}

static void free_small(struct small_picture *p)
{
    free(p->samples);
    free(p->intra);
    free(p->inter);
    free(p->from);
}

void xc_lookahead_free(struct xc_lookahead *l)
{
    if (l) {
        for (int i = 0; i < l->count; i++) {
            free_small(&l->pictures[i]);
        }
        free(l);
    }
}

static void halve(const struct xc_lookahead *l, uint8_t *out, const struct xc_plane *luma)
{
    for (int y = 0; y < l->height; y++) {
        const uint8_t *a = luma->data + 2 * y * luma->stride, *b = a + luma->stride;
        for (int x = 0; x < l->width; x++) {
            out[y * l->width + x] = (uint8_t)((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) >> 2);
        }
    }
}

static uint32_t block_difference(const struct xc_lookahead *l, const uint8_t *a, const uint8_t *b)
{
    uint32_t sum = 0;
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            sum += (uint32_t)abs(a[y * l->width + x] - b[y * l->width + x]);
        }
    }
    return sum;
}

/* The best of predicting a block by its average, its row above or its column to the left. */
static uint32_t intra_error(const struct xc_lookahead *l, const uint8_t *samples, int x0, int y0)
{
    const uint8_t *block = samples + y0 * l->width + x0;
    int sum = 0;
    for (int i = 0; i < BLOCK * BLOCK; i++) {
        sum += block[i / BLOCK * l->width + i % BLOCK];
    }
    const int average = (sum + BLOCK * BLOCK / 2) / (BLOCK * BLOCK);
    uint32_t error[3] = { 0 };
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            int sample = block[y * l->width + x];
            error[0] += (uint32_t)abs(sample - average);
            error[1] += (uint32_t)abs(sample - (y0 ? block[x - l->width] : 127));
            error[2] += (uint32_t)abs(sample - (x0 ? block[y * l->width - 1] : 129));
        }
    }
    uint32_t best = error[0] < error[1] ? error[0] : error[1];
    return best < error[2] ? best : error[2];
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

struct search {
    const struct xc_lookahead *l;
    const uint8_t *block, *reference;
    int x0, y0;
    int best_x, best_y;
    uint32_t best;
};

static void try(struct search *s, int x, int y)
{
    x = clamp(x, -clamp(s->x0, 0, RANGE), clamp(s->l->width - BLOCK - s->x0, 0, RANGE));
    y = clamp(y, -clamp(s->y0, 0, RANGE), clamp(s->l->height - BLOCK - s->y0, 0, RANGE));
    uint32_t error = block_difference(s->l, s->block, s->reference + (s->y0 + y) * s->l->width + s->x0 + x);
    if (error < s->best) {
        s->best = error;
        s->best_x = x;
        s->best_y = y;
    }
}

/* From the neighbours' vectors and none, downhill in ever smaller diamonds. */
static void search_block(const struct xc_lookahead *l, struct small_picture *p, const uint8_t *reference, int row, int col)
{
    const int index = row * l->cols + col;
    struct search s = { .l = l, .reference = reference, .x0 = col * BLOCK, .y0 = row * BLOCK, .best = UINT32_MAX };
    s.block = p->samples + s.y0 * l->width + s.x0;
    try(&s, 0, 0);
    if (col) {
        try(&s, p->from[index - 1][1], p->from[index - 1][0]);
    }
    if (row) {
        try(&s, p->from[index - l->cols][1], p->from[index - l->cols][0]);
    }
    for (int step = 8; step >= 1; step /= 2) {
        uint32_t before;
        do {
            const int x = s.best_x, y = s.best_y;
            before = s.best;
            try(&s, x - step, y);
            try(&s, x + step, y);
            try(&s, x, y - step);
            try(&s, x, y + step);
        } while (s.best < before);
    }
    p->inter[index] = s.best;
    p->from[index][0] = (int8_t)s.best_y;
    p->from[index][1] = (int8_t)s.best_x;
}

enum xc_status xc_lookahead_add(struct xc_lookahead *l, const struct xc_picture *picture, struct xc_error *err)
{
    if (l->count == MAX_PICTURES) {
        return XC_OK; /* what is so far away has next to no influence */
    }
    size_t blocks = (size_t)l->cols * (size_t)l->rows;
    struct small_picture *p = &l->pictures[l->count];
    *p = (struct small_picture){
        .samples = malloc(blocks * BLOCK * BLOCK),
        .intra = malloc(blocks * sizeof *p->intra),
        .inter = malloc(blocks * sizeof *p->inter),
        .from = malloc(blocks * sizeof *p->from),
    };
    l->count++;
    if (!p->samples || !p->intra || !p->inter || !p->from) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for the look-ahead");
    }
    halve(l, p->samples, &picture->plane[XC_PLANE_Y]);
    for (int row = 0; row < l->rows; row++) {
        for (int col = 0; col < l->cols; col++) {
            p->intra[row * l->cols + col] = intra_error(l, p->samples, col * BLOCK, row * BLOCK);
            if (l->count > 1) {
                search_block(l, p, p[-1].samples, row, col);
            }
        }
    }
    return XC_OK;
}

/* A block's debt goes to the up to four blocks that its prediction covers, by area. */
static void pass_on(const struct xc_lookahead *l, uint64_t *to, int row, int col, const int8_t from[2], uint64_t amount)
{
    const int x = col * BLOCK + from[1], y = row * BLOCK + from[0];
    const int col0 = x / BLOCK, row0 = y / BLOCK, right = x % BLOCK, below = y % BLOCK;
    for (int i = 0; i < 4; i++) {
        int r = row0 + (i >> 1), c = col0 + (i & 1);
        int area = (i >> 1 ? below : BLOCK - below) * (i & 1 ? right : BLOCK - right);
        if (area) {
            to[r * l->cols + c] += amount * (uint64_t)area / (BLOCK * BLOCK);
        }
    }
}

/* Debts are counted in 1/16 of absolute errors. */
static void collect(const struct xc_lookahead *l, uint64_t *debt, uint64_t *next, int last_only)
{
    const size_t blocks = (size_t)l->cols * (size_t)l->rows;
    memset(debt, 0, blocks * sizeof *debt);
    for (int i = l->count - 1; i > 0; i--) {
        const struct small_picture *p = &l->pictures[i];
        memset(next, 0, blocks * sizeof *next);
        for (int row = 0; row < l->rows; row++) {
            for (int col = 0; col < l->cols; col++) {
                const int index = row * l->cols + col;
                const uint64_t intra = p->intra[index], inter = p->inter[index];
                if (inter >= intra) {
                    continue;
                }
                uint64_t own = last_only && i < l->count - 1 ? 0 : intra * 16;
                pass_on(l, next, row, col, p->from[index], (own + debt[index]) * (intra - inter) / intra);
            }
        }
        memcpy(debt, next, blocks * sizeof *debt);
    }
}

uint32_t xc_lookahead_worth(struct xc_lookahead *l, uint32_t *worth, unsigned repeats)
{
    const size_t blocks = (size_t)l->cols * (size_t)l->rows;
    uint64_t *all = calloc(3 * blocks, sizeof *all), *survivors = all + blocks, *scratch = survivors + blocks;
    if (!all) {
        return 0;
    }
    collect(l, all, scratch, 0);
    collect(l, survivors, scratch, 1);
    uint64_t total = 0, own = 0;
    const struct small_picture *first = &l->pictures[0];
    for (size_t i = 0; i < blocks; i++) {
        const uint64_t intra = first->intra[i] + 1;
        /* The part of a block that is still there when the next group begins, in 1/256. */
        uint64_t survival = survivors[i] * 16 / intra;
        survival = survival > 256 ? 256 : survival;
        uint64_t group = all[i] + intra * 16, sum = all[i];
        for (unsigned n = 0; n < repeats; n++) {
            group = group * survival / 256;
            sum += group;
        }
        total += sum;
        own += intra;
        worth[i] = (uint32_t)(sum / intra > 1 << 20 ? 1 << 20 : sum / intra);
    }
    free(all);
    return (uint32_t)(total / own);
}
