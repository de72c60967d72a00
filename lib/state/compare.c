/* SPDX-License-Identifier: BSD-2-Clause */
/* How two states differ. */
#include <stdlib.h>

#include "excamera/difference.h"
#include "state/runs.h"

/* How many bytes differ; adds to *bits in how many bits. */
static uint64_t compare_bytes(const void *a_bytes, const void *b_bytes, size_t size, uint64_t *bits)
{
    const uint8_t *a = a_bytes, *b = b_bytes;
    uint64_t different = 0;
    for (size_t i = 0; i < size; i++) {
        different += a[i] != b[i];
        *bits += (uint64_t)__builtin_popcount(a[i] ^ b[i]);
    }
    return different;
}

static struct xc_picture_difference compare_pictures(const struct xc_picture *a, const struct xc_picture *b)
{
    struct xc_picture_difference d = { 0 };
    for (int plane = 0; plane < 3; plane++) {
        const unsigned width = xc_plane_coded_width(a, plane), height = xc_plane_coded_height(a, plane);
        d.samples += (uint64_t)width * height;
        for (unsigned y = 0; a != b && y < height; y++) {
            const uint8_t *in_a = a->plane[plane].data + (ptrdiff_t)y * a->plane[plane].stride;
            const uint8_t *in_b = b->plane[plane].data + (ptrdiff_t)y * b->plane[plane].stride;
            d.different += compare_bytes(in_a, in_b, width, &d.bits);
            for (unsigned x = 0; x < width; x++) {
                d.sum += (uint64_t)abs(in_a[x] - in_b[x]);
            }
        }
    }
    return d;
}

/* Whether this pair of references stands for one with a lower number, too. */
static bool seen_before(const struct xc_state *a, const struct xc_state *b, int reference)
{
    for (int i = 0; i < reference; i++) {
        if (a->reference[i] == a->reference[reference] && b->reference[i] == b->reference[reference]) {
            return true;
        }
    }
    return false;
}

static void compare_by_place(struct xc_state_difference *d, const struct xc_state *a, const struct xc_state *b)
{
    const size_t map = xc_macroblock_count(a->width, a->height);
    if (a->width) { /* not the state before the first key frame */
        d->segment_map = compare_bytes(a->segment_map, b->segment_map, map, &d->bits);
    }
    for (int i = 0; a->width && i < XC_REFERENCES; i++) {
        d->reference[i] = compare_pictures(a->reference[i], b->reference[i]);
        d->bits += seen_before(a, b, i) ? 0 : d->reference[i].bits;
    }
}

void xc_state_compare(struct xc_state_difference *d, const struct xc_state *a, const struct xc_state *b)
{
    *d = (struct xc_state_difference){ .size = a->width != b->width || a->height != b->height };
    d->presentation = a->horizontal_scale != b->horizontal_scale || a->vertical_scale != b->vertical_scale ||
                      a->color_space != b->color_space || a->clamping_type != b->clamping_type;
    const struct xc_probabilities *p = &a->probabilities, *q = &b->probabilities;
    d->coefficient = (unsigned)compare_bytes(p->coefficient, q->coefficient, sizeof p->coefficient, &d->bits);
    d->mv = (unsigned)compare_bytes(p->mv, q->mv, sizeof p->mv, &d->bits);
    d->y_mode = (unsigned)compare_bytes(p->y_mode, q->y_mode, sizeof p->y_mode, &d->bits);
    d->uv_mode = (unsigned)compare_bytes(p->uv_mode, q->uv_mode, sizeof p->uv_mode, &d->bits);
    d->segment_data = (unsigned)compare_bytes(&a->segment_data, &b->segment_data, sizeof a->segment_data, &d->bits);
    d->filter_deltas = (unsigned)compare_bytes(&a->filter_deltas, &b->filter_deltas, sizeof a->filter_deltas, &d->bits);
    if (!d->size) {
        compare_by_place(d, a, b);
    }
    bool pictures = false;
    for (int i = 0; i < XC_REFERENCES; i++) {
        pictures |= d->reference[i].different != 0;
    }
    d->any = d->size || d->presentation || d->coefficient || d->mv || d->y_mode || d->uv_mode || d->segment_data ||
             d->segment_map || d->filter_deltas || pictures;
}
