/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/match.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/pan.h"

enum { RANGE = 64 };

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

/* Squared error of the luma of a match; mean_removed: after its mean was made that of the macroblock. */
static uint32_t luma_error(const struct xc_matcher *m, bool mean_removed, const uint8_t *match, ptrdiff_t stride,
                           unsigned row, unsigned column)
{
    const struct xc_plane *p = &m->picture->plane[XC_PLANE_Y];
    const uint8_t *macroblock = p->data + (ptrdiff_t)(row * 16) * p->stride + column * 16;
    const uint32_t error = m->dsp->ssd16(macroblock, p->stride, match, stride);
    const int sum = mean_removed ? m->dsp->difference16(macroblock, p->stride, match, stride) : 0;
    return error - (uint32_t)(sum / 16 * (sum / 16));
}

/* The same for the match at a vector in quarter samples; UINT32_MAX if it would reach beyond the picture. */
static uint32_t match_error(const struct xc_matcher *m, const struct xc_picture *reference, bool mean_removed,
                            struct xc_mv quarter, unsigned row, unsigned column)
{
    const struct xc_plane *from = &reference->plane[XC_PLANE_Y];
    const int x = (int)column * 16 + (quarter.column >> 2), y = (int)row * 16 + (quarter.row >> 2);
    if (x < 2 || y < 2 || x + 16 + 3 > reference->mb_cols * 16 || y + 16 + 3 > reference->mb_rows * 16) {
        return UINT32_MAX;
    }
    uint8_t match[16 * 16] __attribute__((aligned(16)));
    m->motion.mc[XC_MC_16](match, 16, from->data + y * from->stride + x, from->stride, 16, (quarter.column & 3) * 2,
                           (quarter.row & 3) * 2);
    return luma_error(m, mean_removed, match, 16, row, column);
}

/* Refines a vector to quarter samples. */
static struct xc_mv refine(const struct xc_matcher *m, const struct xc_picture *reference, bool mean_removed,
                           struct xc_mv whole, unsigned row, unsigned column)
{
    static const struct xc_mv around[] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };
    struct xc_mv best = { (int16_t)(whole.row * 4), (int16_t)(whole.column * 4) };
    uint32_t error = match_error(m, reference, mean_removed, best, row, column);
    for (int step = 2; step; step--) {
        for (int i = 0; i < 4; i++) { /* each from the best so far, so that both components may change */
            const struct xc_mv mv = { (int16_t)(best.row + around[i].row * step),
                                      (int16_t)(best.column + around[i].column * step) };
            const uint32_t tried = match_error(m, reference, mean_removed, mv, row, column);
            if (tried < error) {
                error = tried;
                best = mv;
            }
        }
    }
    return best;
}

/* Leaves the samples of the best match in match and returns the squared error of its luma. */
static uint32_t find(struct xc_matcher *m, const struct xc_picture *reference, bool mean_removed,
                     uint8_t match[XC_MB_SAMPLES], unsigned row, unsigned column)
{
    const struct xc_mv *whole = m->search.vectors + (size_t)row * m->picture->mb_cols + column;
    m->search.sad = mean_removed ? m->dsp->mrsad16 : m->dsp->sad16;
    xc_block_search(&m->search, (int)row, (int)column);
    const struct xc_mv mv = refine(m, reference, mean_removed, *whole, row, column);
    const int x = (int)column * 8, y = (int)row * 8;
    xc_motion_predict(&m->motion, match, 16, reference, XC_PLANE_Y, 2 * x, 2 * y, 16, mv.column * 2, mv.row * 2);
    xc_motion_predict(&m->motion, match + 16 * 16, 8, reference, XC_PLANE_U, x, y, 8, mv.column, mv.row);
    xc_motion_predict(&m->motion, match + 16 * 16 + 8 * 8, 8, reference, XC_PLANE_V, x, y, 8, mv.column, mv.row);
    return luma_error(m, mean_removed, match, 16, row, column);
}

/* Makes the mean of one plane of a match that of the macroblock's. */
static void compensate_illumination(const struct xc_dsp *dsp, uint8_t *match, const uint8_t *macroblock, int size)
{
    const int count = size * size;
    const int sum = (size == 16 ? dsp->difference16 : dsp->difference8)(macroblock, size, match, size);
    dsp->add_offset(match, count, (sum + (sum < 0 ? -count / 2 : count / 2)) / count);
}

enum xc_match_quality xc_find_match(struct xc_matcher *m, const struct xc_match_reference *reference,
                                    const uint8_t macroblock[XC_MB_SAMPLES], uint32_t limit,
                                    uint8_t match[XC_MB_SAMPLES], uint32_t *error, unsigned row, unsigned column)
{
    m->search.reference = reference->picture->plane[XC_PLANE_Y];
    m->search.pan = reference->pan;
    m->search.vectors = reference->vectors;
    *error = find(m, reference->picture, false, match, row, column);
    if (*error >= 2 * limit && reference->illumination_changed) {
        *error = find(m, reference->picture, true, match, row, column);
        limit /= 2;
        compensate_illumination(m->dsp, match, macroblock, 16);
        compensate_illumination(m->dsp, match + 16 * 16, macroblock + 16 * 16, 8);
        compensate_illumination(m->dsp, match + 16 * 16 + 8 * 8, macroblock + 16 * 16 + 8 * 8, 8);
    }
    return xc_match_quality(*error, limit);
}

/* Whether the mean of more than an eighth of the macroblocks differs by more than two levels from that of the same
 * place in the reference, moved by the pan. Only every other macroblock of every other row is looked at. */
static bool is_illumination_changed(const struct xc_matcher *m, const struct xc_match_reference *reference)
{
    const struct xc_plane *here = &m->search.blocks, *there = &reference->picture->plane[XC_PLANE_Y];
    unsigned compared = 0, different = 0;
    for (int y = 0; y + 16 <= m->search.height; y += 32) {
        for (int x = 0; x + 16 <= m->search.width; x += 32) {
            const int row = y + reference->pan.row, column = x + reference->pan.column;
            if (row < 0 || column < 0 || row + 16 > m->search.height || column + 16 > m->search.width) {
                continue;
            }
            const uint8_t *a = here->data + y * here->stride + x, *b = there->data + row * there->stride + column;
            different += abs(m->dsp->difference16(a, here->stride, b, there->stride)) > 2 * 16 * 16;
            compared++;
        }
    }
    return different * 8 > compared;
}

struct xc_match_reference xc_match_reference(const struct xc_matcher *m, const struct xc_picture *picture,
                                             struct xc_mv *vectors)
{
    struct xc_match_reference reference = {
        .picture = picture,
        .vectors = vectors,
        .pan = xc_find_pan(m->dsp, &m->search.blocks, &picture->plane[XC_PLANE_Y], m->search.width, m->search.height,
                           m->scratch),
    };
    reference.illumination_changed = is_illumination_changed(m, &reference);
    return reference;
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
        .dsp = &workspace->dsp,
        .motion = { .mc = workspace->dsp.sixtap },
        .search = search,
        .scratch = malloc((size_t)(search.width + search.height) * 2 * sizeof *m->scratch),
    };
    if (!m->scratch) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for finding matches");
    }
    return XC_OK;
}

void xc_matcher_end(struct xc_matcher *m)
{
    free(m->scratch);
}
