/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop filters, 16 samples of an edge in a register; RFC 6386 section 15. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

/* The samples across an edge, one register each, in which lane i belongs to the i-th sample along the edge. */
enum { P3, P2, P1, P0, Q0, Q1, Q2, Q3, ACROSS };

struct limits {
    vec edge, interior, hev;
};

INLINE struct limits splat_limits(int edge, int interior, int hev)
{
    return (struct limits){ splat_8(edge), splat_8(interior), splat_8(hev) };
}

/* --- what is done to an edge --- */

INLINE vec within_edge_limit(const vec s[ACROSS], vec edge)
{
    vec inner = difference_u8(s[P0], s[Q0]), outer = difference_u8(s[P1], s[Q1]);
    return at_most_u8(sat_add_u8(sat_add_u8(inner, inner), halved_u8(outer)), edge);
}

/* Ones in lanes that are to be filtered; and in those, filtered or not, whose variance is low. */
INLINE void classify(const vec s[ACROSS], const struct limits *limits, vec *filtered, vec *smooth)
{
    vec middle = max_u8(difference_u8(s[P1], s[P0]), difference_u8(s[Q1], s[Q0]));
    vec p = max_u8(difference_u8(s[P3], s[P2]), difference_u8(s[P2], s[P1]));
    vec q = max_u8(difference_u8(s[Q3], s[Q2]), difference_u8(s[Q2], s[Q1]));
    vec interior = at_most_u8(max_u8(middle, max_u8(p, q)), limits->interior);
    *filtered = bit_and(interior, within_edge_limit(s, limits->edge));
    *smooth = at_most_u8(middle, limits->hev);
}

/* Between samples and numbers around zero, for those that a filter with this reach changes. */
INLINE void flip_signs(vec s[ACROSS], int reach)
{
    for (int i = Q0 - reach; i < Q0 + reach; i++) {
        s[i] = bit_xor(s[i], splat_8(0x80));
    }
}

/* outer: p1 - q1 or 0. */
INLINE vec edge_step(const vec s[ACROSS], vec outer)
{
    vec inner = sat_sub_s8(s[Q0], s[P0]);
    return sat_add_s8(sat_add_s8(sat_add_s8(outer, inner), inner), inner);
}

/* Returns what q0 was moved by. */
INLINE vec adjust_middle(vec s[ACROSS], vec step)
{
    vec q_step = eighth_s8(sat_add_s8(step, splat_8(4))), p_step = eighth_s8(sat_add_s8(step, splat_8(3)));
    s[Q0] = sat_sub_s8(s[Q0], q_step);
    s[P0] = sat_add_s8(s[P0], p_step);
    return q_step;
}

INLINE void filter_simple(vec s[ACROSS], const struct limits *limits)
{
    vec filtered = within_edge_limit(s, limits->edge);
    flip_signs(s, 2);
    adjust_middle(s, bit_and(edge_step(s, sat_sub_s8(s[P1], s[Q1])), filtered));
    flip_signs(s, 2);
}

INLINE void filter_inner(vec s[ACROSS], const struct limits *limits)
{
    vec filtered, smooth;
    classify(s, limits, &filtered, &smooth);
    flip_signs(s, 2);
    vec outer = bit_and_not(smooth, sat_sub_s8(s[P1], s[Q1]));
    vec step = adjust_middle(s, bit_and(edge_step(s, outer), filtered));
    vec half = bit_and(half_s8(step), smooth);
    s[Q1] = sat_sub_s8(s[Q1], half);
    s[P1] = sat_add_s8(s[P1], half);
    flip_signs(s, 2);
}

INLINE void filter_mb(vec s[ACROSS], const struct limits *limits)
{
    vec filtered, smooth;
    classify(s, limits, &filtered, &smooth);
    flip_signs(s, 3);
    vec step = bit_and(edge_step(s, sat_sub_s8(s[P1], s[Q1])), filtered);
    adjust_middle(s, bit_and_not(smooth, step));
    step = bit_and(step, smooth);
    vec low_9 = mul_low_s8(step, 9), high_9 = mul_high_s8(step, 9), low = splat_16(63), high = low;
    for (int i = 2; i >= 0; i--) { /* 9, 18 and 27 / 128, from the outside in */
        low = add_s16(low, low_9);
        high = add_s16(high, high_9);
        vec part = narrow_s16_s8(shift_right_s16(low, 7), shift_right_s16(high, 7));
        s[Q0 + i] = sat_sub_s8(s[Q0 + i], part);
        s[P0 - i] = sat_add_s8(s[P0 - i], part);
    }
    flip_signs(s, 3);
}

typedef void filter_fn(vec s[ACROSS], const struct limits *limits);

/* --- edges between rows --- */

/* reach: how many samples the filter changes on either side. */
INLINE void filter_rows(uint8_t *dst, ptrdiff_t stride, const struct limits *limits, filter_fn *filter, int reach)
{
    vec s[ACROSS];
    for (int i = 0; i < ACROSS; i++) {
        s[i] = load16(dst + (i - Q0) * stride);
    }
    filter(s, limits);
    for (int i = Q0 - reach; i < Q0 + reach; i++) {
        store16(dst + (i - Q0) * stride, s[i]);
    }
}

/* Eight samples of each. */
INLINE void filter_rows_uv(uint8_t *u, uint8_t *v, ptrdiff_t stride, const struct limits *limits, filter_fn *filter,
                           int reach)
{
    vec s[ACROSS];
    for (int i = 0; i < ACROSS; i++) {
        s[i] = zip_low_64(load8(u + (i - Q0) * stride), load8(v + (i - Q0) * stride));
    }
    filter(s, limits);
    for (int i = Q0 - reach; i < Q0 + reach; i++) {
        store8(u + (i - Q0) * stride, s[i]);
        store_high8(v + (i - Q0) * stride, s[i]);
    }
}

/* --- edges between columns --- */

/* Eight rows of eight: pair[i] becomes columns 2 i and 2 i + 1. */
INLINE void load_transposed(vec pair[4], const uint8_t *src, ptrdiff_t stride)
{
    vec rows[4]; /* two each, sample by sample */
    for (int i = 0; i < 4; i++) {
        rows[i] = zip_low_8(load8(src + 2 * i * stride), load8(src + (2 * i + 1) * stride));
    }
    vec left_above = zip_low_16(rows[0], rows[1]), right_above = zip_high_16(rows[0], rows[1]);
    vec left_below = zip_low_16(rows[2], rows[3]), right_below = zip_high_16(rows[2], rows[3]);
    pair[0] = zip_low_32(left_above, left_below);
    pair[1] = zip_high_32(left_above, left_below);
    pair[2] = zip_low_32(right_above, right_below);
    pair[3] = zip_high_32(right_above, right_below);
}

/* Eight columns, in which the eight samples at a come before the eight at b. */
INLINE void load_columns(vec s[8], const uint8_t *a, const uint8_t *b, ptrdiff_t stride)
{
    vec pair_a[4], pair_b[4];
    load_transposed(pair_a, a, stride);
    load_transposed(pair_b, b, stride);
    for (int i = 0; i < 4; i++) {
        s[2 * i] = zip_low_64(pair_a[i], pair_b[i]);
        s[2 * i + 1] = zip_high_64(pair_a[i], pair_b[i]);
    }
}

/* Four rows of eight. left: columns 0 to 3 of each row; right: columns 4 to 7. */
INLINE void store_four_rows(uint8_t *dst, ptrdiff_t stride, vec left, vec right)
{
    vec above = zip_low_32(left, right), below = zip_high_32(left, right);
    store8(dst, above);
    store_high8(dst + stride, above);
    store8(dst + 2 * stride, below);
    store_high8(dst + 3 * stride, below);
}

INLINE void store_columns(uint8_t *a, uint8_t *b, ptrdiff_t stride, const vec s[8])
{
    vec pair_a[4], pair_b[4]; /* columns 2 i and 2 i + 1, row by row */
    for (int i = 0; i < 4; i++) {
        pair_a[i] = zip_low_8(s[2 * i], s[2 * i + 1]);
        pair_b[i] = zip_high_8(s[2 * i], s[2 * i + 1]);
    }
    store_four_rows(a, stride, zip_low_16(pair_a[0], pair_a[1]), zip_low_16(pair_a[2], pair_a[3]));
    store_four_rows(a + 4 * stride, stride, zip_high_16(pair_a[0], pair_a[1]), zip_high_16(pair_a[2], pair_a[3]));
    store_four_rows(b, stride, zip_low_16(pair_b[0], pair_b[1]), zip_low_16(pair_b[2], pair_b[3]));
    store_four_rows(b + 4 * stride, stride, zip_high_16(pair_b[0], pair_b[1]), zip_high_16(pair_b[2], pair_b[3]));
}

/* Two pieces of edges, eight samples each: the halves of one in luma, or one in u and one in v. */
INLINE void filter_columns(uint8_t *a, uint8_t *b, ptrdiff_t stride, const struct limits *limits, filter_fn *filter)
{
    vec s[ACROSS];
    load_columns(s, a - Q0, b - Q0, stride);
    filter(s, limits);
    store_columns(a - Q0, b - Q0, stride, s);
}

/* The edges at 4, 8 and 12: the whole macroblock is transposed once for all three. */
INLINE void filter_inner_columns(uint8_t *dst, ptrdiff_t stride, const struct limits *limits, filter_fn *filter)
{
    vec s[16];
    uint8_t *below = dst + 8 * stride;
    load_columns(s, dst, below, stride);
    load_columns(s + 8, dst + 8, below + 8, stride);
    for (int x = 4; x < 16; x += 4) {
        filter(s + x - Q0, limits);
    }
    store_columns(dst, below, stride, s);
    store_columns(dst + 8, below + 8, stride, s + 8);
}

/* --- the kernels --- */

static void KERNEL(filter_mb_v)(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    filter_columns(dst, dst + 8 * stride, stride, &limits, filter_mb);
}

static void KERNEL(filter_mb_h)(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    filter_rows(dst, stride, &limits, filter_mb, 3);
}

static void KERNEL(filter_inner_v)(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    filter_inner_columns(dst, stride, &limits, filter_inner);
}

static void KERNEL(filter_inner_h)(uint8_t *dst, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    for (int y = 4; y < 16; y += 4) {
        filter_rows(dst + y * stride, stride, &limits, filter_inner, 2);
    }
}

static void KERNEL(filter_mb_v_uv)(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    filter_columns(u, v, stride, &limits, filter_mb);
}

static void KERNEL(filter_mb_h_uv)(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    filter_rows_uv(u, v, stride, &limits, filter_mb, 3);
}

static void KERNEL(filter_inner_v_uv)(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    filter_columns(u + 4, v + 4, stride, &limits, filter_inner);
}

static void KERNEL(filter_inner_h_uv)(uint8_t *u, uint8_t *v, ptrdiff_t stride, int edge, int interior, int hev)
{
    struct limits limits = splat_limits(edge, interior, hev);
    filter_rows_uv(u + 4 * stride, v + 4 * stride, stride, &limits, filter_inner, 2);
}

static void KERNEL(filter_simple_mb_v)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    struct limits limits = splat_limits(edge, 0, 0);
    filter_columns(dst, dst + 8 * stride, stride, &limits, filter_simple);
}

static void KERNEL(filter_simple_mb_h)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    struct limits limits = splat_limits(edge, 0, 0);
    filter_rows(dst, stride, &limits, filter_simple, 1);
}

static void KERNEL(filter_simple_inner_v)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    struct limits limits = splat_limits(edge, 0, 0);
    filter_inner_columns(dst, stride, &limits, filter_simple);
}

static void KERNEL(filter_simple_inner_h)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    struct limits limits = splat_limits(edge, 0, 0);
    for (int y = 4; y < 16; y += 4) {
        filter_rows(dst + y * stride, stride, &limits, filter_simple, 1);
    }
}

void KERNEL(dsp_loopfilter)(struct xc_dsp *dsp)
{
    dsp->filter.mb_v = KERNEL(filter_mb_v);
    dsp->filter.mb_h = KERNEL(filter_mb_h);
    dsp->filter.inner_v = KERNEL(filter_inner_v);
    dsp->filter.inner_h = KERNEL(filter_inner_h);
    dsp->filter.mb_v_uv = KERNEL(filter_mb_v_uv);
    dsp->filter.mb_h_uv = KERNEL(filter_mb_h_uv);
    dsp->filter.inner_v_uv = KERNEL(filter_inner_v_uv);
    dsp->filter.inner_h_uv = KERNEL(filter_inner_h_uv);
    dsp->filter.simple_mb_v = KERNEL(filter_simple_mb_v);
    dsp->filter.simple_mb_h = KERNEL(filter_simple_mb_h);
    dsp->filter.simple_inner_v = KERNEL(filter_simple_inner_v);
    dsp->filter.simple_inner_h = KERNEL(filter_simple_inner_h);
}
