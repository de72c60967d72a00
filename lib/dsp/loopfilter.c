/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop filters in C: RFC 6386 section 15. */
#include <stdbool.h>
#include <stdlib.h>

#include "dsp/kernels.h"

/* Samples across an edge are q[i * across]: q0 to q3 after it for i from 0, p0 to p3 before it for i from -1
 * downwards. */

static int clamp_signed(int value)
{
    return value < -128 ? -128 : value > 127 ? 127 : value;
}

/* Moves a sample by a step, both seen as numbers around zero. */
static void move(uint8_t *sample, int step)
{
    *sample = (uint8_t)(clamp_signed(*sample - 128 + step) + 128);
}

static bool within_edge_limit(const uint8_t *q, ptrdiff_t across, int edge)
{
    return abs(q[-across] - q[0]) * 2 + abs(q[-2 * across] - q[across]) / 2 <= edge;
}

static bool within_interior_limit(const uint8_t *q, ptrdiff_t across, int interior)
{
    for (int i = 1; i <= 3; i++) {
        int q_difference = abs(q[i * across] - q[(i - 1) * across]);
        int p_difference = abs(q[-i * across] - q[(-i - 1) * across]);
        if (q_difference > interior || p_difference > interior) {
            return false;
        }
    }
    return true;
}

static bool high_edge_variance(const uint8_t *q, ptrdiff_t across, int hev)
{
    return abs(q[-2 * across] - q[-across]) > hev || abs(q[across] - q[0]) > hev;
}

/* How far p0 and q0 are apart, times three, with or without the difference of p1 and q1. */
static int edge_step(const uint8_t *q, ptrdiff_t across, bool outer_taps)
{
    int step = outer_taps ? clamp_signed(q[-2 * across] - q[across]) : 0;
    return clamp_signed(step + 3 * (q[0] - q[-across]));
}

/* Moves p0 and q0 towards each other by an eighth of the step; returns what q0 was moved by. */
static int adjust_middle(uint8_t *q, ptrdiff_t across, int step)
{
    int q_step = clamp_signed(step + 4) >> 3, p_step = clamp_signed(step + 3) >> 3;
    move(q, -q_step);
    move(q - across, p_step);
    return q_step;
}

static void filter_simple(uint8_t *q, ptrdiff_t across)
{
    adjust_middle(q, across, edge_step(q, across, true));
}

static void filter_inner(uint8_t *q, ptrdiff_t across, bool hev)
{
    int step = adjust_middle(q, across, edge_step(q, across, hev));
    if (!hev) {
        int half = (step + 1) >> 1;
        move(q + across, -half);
        move(q - 2 * across, half);
    }
}

static void filter_mb(uint8_t *q, ptrdiff_t across, bool hev)
{
    int step = edge_step(q, across, true);
    if (hev) {
        adjust_middle(q, across, step);
        return;
    }
    for (int i = 0; i < 3; i++) { /* by 3/7, 2/7 and 1/7 of the step, roughly */
        int part = (9 * (3 - i) * step + 63) >> 7;
        move(q + i * across, -part);
        move(q - (i + 1) * across, part);
    }
}

typedef void filter_fn(uint8_t *q, ptrdiff_t across, bool hev);

/* along: from one sample of the edge to the next. */
static inline void filter_edge(uint8_t *q, ptrdiff_t along, ptrdiff_t across, int length,
                               const struct xc_filter_limits *limits, filter_fn *filter)
{
    for (int i = 0; i < length; i++, q += along) {
        if (within_edge_limit(q, across, limits->edge) && within_interior_limit(q, across, limits->interior)) {
            filter(q, across, high_edge_variance(q, across, limits->hev));
        }
    }
}

static inline void filter_edge_simple(uint8_t *q, ptrdiff_t along, ptrdiff_t across, int edge)
{
    for (int i = 0; i < 16; i++, q += along) {
        if (within_edge_limit(q, across, edge)) {
            filter_simple(q, across);
        }
    }
}

/* One direction of edges: suffix _v or _h. along and across are in terms of step, the stride of the plane. */
#define DEFINE_DIRECTION(suffix, along, across)                                                                        \
    static void filter_mb_plane_##suffix(uint8_t *q, ptrdiff_t step, int size, const struct xc_filter_limits *limits)  \
    {                                                                                                                  \
        filter_edge(q, along, across, size, limits, filter_mb);                                                        \
    }                                                                                                                  \
    static void filter_inner_plane_##suffix(uint8_t *q, ptrdiff_t step, int size,                                      \
                                            const struct xc_filter_limits *limits)                                     \
    {                                                                                                                  \
        for (int i = 4; i < size; i += 4) {                                                                            \
            filter_edge(q + i * (across), along, across, size, limits, filter_inner);                                  \
        }                                                                                                              \
    }                                                                                                                  \
    static void xc_filter_mb_##suffix##_c(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride,                        \
                                          ptrdiff_t chroma_stride, const struct xc_filter_limits *limits)              \
    {                                                                                                                  \
        filter_mb_plane_##suffix(y, stride, 16, limits);                                                               \
        filter_mb_plane_##suffix(u, chroma_stride, 8, limits);                                                         \
        filter_mb_plane_##suffix(v, chroma_stride, 8, limits);                                                         \
    }                                                                                                                  \
    static void xc_filter_inner_##suffix##_c(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride,                     \
                                             ptrdiff_t chroma_stride, const struct xc_filter_limits *limits)           \
    {                                                                                                                  \
        filter_inner_plane_##suffix(y, stride, 16, limits);                                                            \
        filter_inner_plane_##suffix(u, chroma_stride, 8, limits);                                                      \
        filter_inner_plane_##suffix(v, chroma_stride, 8, limits);                                                      \
    }                                                                                                                  \
    static void xc_filter_simple_mb_##suffix##_c(uint8_t *dst, ptrdiff_t step, int edge)                               \
    {                                                                                                                  \
        filter_edge_simple(dst, along, across, edge);                                                                  \
    }                                                                                                                  \
    static void xc_filter_simple_inner_##suffix##_c(uint8_t *dst, ptrdiff_t step, int edge)                            \
    {                                                                                                                  \
        for (int i = 4; i < 16; i += 4) {                                                                              \
            filter_edge_simple(dst + i * (across), along, across, edge);                                               \
        }                                                                                                              \
    }

DEFINE_DIRECTION(v, step, 1)
DEFINE_DIRECTION(h, 1, step)

#define SET_DIRECTION(suffix)                                                                                          \
    do {                                                                                                               \
        dsp->filter.mb_##suffix = xc_filter_mb_##suffix##_c;                                                           \
        dsp->filter.inner_##suffix = xc_filter_inner_##suffix##_c;                                                     \
        dsp->filter.simple_mb_##suffix = xc_filter_simple_mb_##suffix##_c;                                             \
        dsp->filter.simple_inner_##suffix = xc_filter_simple_inner_##suffix##_c;                                       \
    } while (0)

void xc_dsp_loopfilter_c(struct xc_dsp *dsp)
{
    SET_DIRECTION(v);
    SET_DIRECTION(h);
}
