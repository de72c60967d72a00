/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/block_search.h"

#include <stdbool.h>
#include <stdlib.h>

struct match {
    const struct xc_block_search *search;
    const uint8_t *block;
    int x, y; /* of the block */
    struct xc_mv mv;
    uint32_t error;
};

static bool is_near(const struct xc_block_search *s, int row, int column)
{
    return abs(row) <= s->range && abs(column) <= s->range;
}

static void try(struct match *m, int row, int column)
{
    const struct xc_block_search *s = m->search;
    const int x = m->x + column, y = m->y + row;
    if (x < 0 || y < 0 || x + s->size > s->width || y + s->size > s->height ||
        (!is_near(s, row, column) && !is_near(s, row - s->pan.row, column - s->pan.column))) {
        return;
    }
    const struct xc_plane *r = &s->reference;
    const uint32_t error = s->sad(m->block, s->blocks.stride, r->data + y * r->stride + x, r->stride);
    if (error < m->error) {
        m->error = error;
        m->mv = (struct xc_mv){ (int16_t)row, (int16_t)column };
    }
}

uint32_t xc_block_search(const struct xc_block_search *search, int row, int col)
{
    const int y = row * search->pitch, x = col * search->pitch;
    const struct xc_plane *p = &search->blocks;
    struct match m = { search, p->data + y * p->stride + x, x, y, .error = UINT32_MAX };
    struct xc_mv *vector = search->vectors + (ptrdiff_t)row * search->cols + col;
    try(&m, 0, 0);
    try(&m, search->pan.row, search->pan.column);
    if (vector->row || vector->column) {
        try(&m, vector->row, vector->column);
    }
    if (col) {
        try(&m, vector[-1].row, vector[-1].column);
    }
    if (row) {
        try(&m, vector[-search->cols].row, vector[-search->cols].column);
    }
    for (int step = 8; step; step /= 2) {
        uint32_t before;
        do {
            const struct xc_mv center = m.mv;
            before = m.error;
            try(&m, center.row - step, center.column);
            try(&m, center.row + step, center.column);
            try(&m, center.row, center.column - step);
            try(&m, center.row, center.column + step);
        } while (m.error < before);
    }
    *vector = m.mv;
    return m.error;
}
