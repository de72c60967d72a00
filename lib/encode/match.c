#include "encode/match.h"

#include <stdlib.h>
#include <string.h>

#include "encode/pan.h"
#include "encode/shape.h"

enum { RANGE = 64 };

static uint32_t sad_in_shape(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    return xc_sad_in_shape(a, a_stride, b, b_stride, 16);
}

void xc_gather(uint8_t out[XC_MB_SAMPLES], const struct xc_picture *picture, unsigned row, unsigned column)
{
    for (int plane = 0; plane < 3; plane++) {
        const unsigned size = plane == XC_PLANE_Y ? 16 : 8;
        const struct xc_plane *p = &picture->plane[plane];
        for (unsigned y = 0; y < size; y++, out += size) {
            memcpy(out, p->data + (ptrdiff_t)(row * size + y) * p->stride + column * size, size);
        }
    }
}

void xc_scatter(struct xc_picture *picture, const uint8_t in[XC_MB_SAMPLES], unsigned row, unsigned column)
{
    for (int plane = 0; plane < 3; plane++) {
        const unsigned size = plane == XC_PLANE_Y ? 16 : 8;
        const struct xc_plane *p = &picture->plane[plane];
        for (unsigned y = 0; y < size; y++, in += size) {
            memcpy(p->data + (ptrdiff_t)(row * size + y) * p->stride + column * size, in, size);
        }
    }
}

/* Squared error of the luma of a match; in_shape: as if it were as bright as the macroblock. */
static uint32_t luma_error(const struct xc_matcher *m, bool in_shape, const uint8_t *match, ptrdiff_t stride,
                           unsigned row, unsigned column)
{
    const struct xc_plane *p = &m->picture->plane[XC_PLANE_Y];
    const uint8_t *macroblock = p->data + (ptrdiff_t)(row * 16) * p->stride + column * 16;
    const uint32_t error = m->canvas.dsp->ssd16(macroblock, p->stride, match, stride);
    const int brightness = in_shape ? xc_brightness(macroblock, p->stride, match, stride, 16) / 16 : 0;
    return error - (uint32_t)(brightness * brightness);
}

/* The same for the match at a vector in quarter samples; UINT32_MAX where it would reach beyond the picture. */
static uint32_t match_error(const struct xc_matcher *m, bool in_shape, struct xc_mv quarter, unsigned row,
                            unsigned column)
{
    const struct xc_picture *reference = m->canvas.reference[0];
    const struct xc_plane *from = &reference->plane[XC_PLANE_Y];
    const int x = (int)column * 16 + (quarter.column >> 2), y = (int)row * 16 + (quarter.row >> 2);
    if (x < 2 || y < 2 || x + 16 + 3 > reference->mb_cols * 16 || y + 16 + 3 > reference->mb_rows * 16) {
        return UINT32_MAX;
    }
    uint8_t match[16 * 16] __attribute__((aligned(16)));
    m->canvas.mc[XC_MC_16](match, 16, from->data + y * from->stride + x, from->stride, 16, (quarter.column & 3) * 2,
                           (quarter.row & 3) * 2);
    return luma_error(m, in_shape, match, 16, row, column);
}

/* To quarter samples. */
static struct xc_mv refine(const struct xc_matcher *m, bool in_shape, struct xc_mv whole, unsigned row, unsigned column)
{
    static const struct xc_mv around[] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };
    struct xc_mv best = { (int16_t)(whole.row * 4), (int16_t)(whole.column * 4) };
    uint32_t error = match_error(m, in_shape, best, row, column);
    for (int step = 2; step; step--) {
        for (int i = 0; i < 4; i++) { /* from the best so far, so that it may go both up and aside */
            const struct xc_mv mv = { (int16_t)(best.row + around[i].row * step),
                                      (int16_t)(best.column + around[i].column * step) };
            const uint32_t tried = match_error(m, in_shape, mv, row, column);
            if (tried < error) {
                error = tried;
                best = mv;
            }
        }
    }
    return best;
}

/* Leaves the best match in the canvas and returns its squared error. */
static uint32_t find(struct xc_matcher *m, bool in_shape, unsigned row, unsigned column)
{
    const struct xc_mv *whole = m->search.vectors + (size_t)row * m->picture->mb_cols + column;
    m->search.sad = in_shape ? sad_in_shape : m->canvas.dsp->sad16;
    xc_block_search(&m->search, (int)row, (int)column);
    const struct xc_macroblock mb = { .y_mode = XC_NEWMV,
                                      .reference = 1 + XC_LAST,
                                      .mv = refine(m, in_shape, *whole, row, column) };
    xc_predict_macroblock(&m->canvas, &mb, row, column);
    return luma_error(m, in_shape, xc_canvas_at(&m->canvas, XC_PLANE_Y, row, column),
                      m->canvas.picture->plane[XC_PLANE_Y].stride, row, column);
}

/* One plane of a match, which becomes as bright as that of the macroblock. */
static void brighten(uint8_t *match, const uint8_t *macroblock, int size)
{
    const int count = size * size, sum = xc_brightness(macroblock, size, match, size, size);
    const int by = (sum + (sum < 0 ? -count / 2 : count / 2)) / count;
    for (int i = 0; i < count; i++) {
        const int sample = match[i] + by;
        match[i] = (uint8_t)(sample < 0 ? 0 : sample > 255 ? 255 : sample);
    }
}

enum xc_match_quality xc_find_match(struct xc_matcher *m, const struct xc_haystack *haystack,
                                    const uint8_t macroblock[XC_MB_SAMPLES], uint32_t limit,
                                    uint8_t match[XC_MB_SAMPLES], uint32_t *error, unsigned row, unsigned column)
{
    m->canvas.reference[0] = haystack->picture;
    m->search.reference = haystack->picture->plane[XC_PLANE_Y];
    m->search.pan = haystack->pan;
    m->search.vectors = haystack->vectors;
    *error = find(m, false, row, column);
    const bool brightness_counts = *error < 2 * limit || !haystack->otherwise_lit;
    if (!brightness_counts) {
        *error = find(m, true, row, column);
        limit /= 2;
    }
    xc_gather(match, m->canvas.picture, row, column);
    if (!brightness_counts) {
        brighten(match, macroblock, 16);
        brighten(match + 16 * 16, macroblock + 16 * 16, 8);
        brighten(match + 16 * 16 + 8 * 8, macroblock + 16 * 16 + 8 * 8, 8);
    }
    return *error < limit ? XC_GOOD_MATCH : *error < 2 * limit ? XC_FAIR_MATCH : XC_NO_MATCH;
}

/* Whether an eighth of the macroblocks differ in brightness by more than two levels from what is there in the haystack,
 * apart from a pan. Every other one of every other row tells. */
static bool is_otherwise_lit(const struct xc_matcher *m, const struct xc_haystack *haystack)
{
    const struct xc_plane *here = &m->search.blocks, *there = &haystack->picture->plane[XC_PLANE_Y];
    unsigned compared = 0, different = 0;
    for (int y = 0; y + 16 <= m->search.height; y += 32) {
        for (int x = 0; x + 16 <= m->search.width; x += 32) {
            const int row = y + haystack->pan.row, column = x + haystack->pan.column;
            if (row < 0 || column < 0 || row + 16 > m->search.height || column + 16 > m->search.width) {
                continue;
            }
            const uint8_t *a = here->data + y * here->stride + x, *b = there->data + row * there->stride + column;
            different += abs(xc_brightness(a, here->stride, b, there->stride, 16)) > 2 * 16 * 16;
            compared++;
        }
    }
    return different * 8 > compared;
}

struct xc_haystack xc_haystack(const struct xc_matcher *m, const struct xc_picture *picture, struct xc_mv *vectors)
{
    struct xc_haystack haystack = {
        .picture = picture,
        .vectors = vectors,
        .pan =
            xc_find_pan(&m->search.blocks, &picture->plane[XC_PLANE_Y], m->search.width, m->search.height, m->scratch),
    };
    haystack.otherwise_lit = is_otherwise_lit(m, &haystack);
    return haystack;
}

enum xc_status xc_matcher_begin(struct xc_matcher *m, const struct xc_workspace *workspace,
                                const struct xc_picture *picture, struct xc_error *err)
{
    const struct xc_block_search search = {
        .blocks = picture->plane[XC_PLANE_Y],
        .width = picture->mb_cols * 16,
        .height = picture->mb_rows * 16,
        .size = 16,
        .pitch = 16,
        .cols = picture->mb_cols,
        .range = RANGE,
    };
    *m = (struct xc_matcher){
        .picture = picture,
        .canvas = { .dsp = &workspace->dsp, .mc = workspace->dsp.sixtap, .chroma_mv_mask = ~0 },
        .search = search,
        .scratch = malloc((size_t)(search.width + search.height) * 2 * sizeof *m->scratch),
    };
    if (!m->scratch) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for finding matches");
    }
    return xc_picture_new(&m->canvas.picture, workspace->pool, picture->width, picture->height, err);
}

void xc_matcher_end(struct xc_matcher *m)
{
    xc_picture_unref(m->canvas.picture);
    free(m->scratch);
}
