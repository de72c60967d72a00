/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop filters, 16 samples of an edge in each 16 bytes of a register, of whatever size that is; RFC 6386 section
 * 15. To be included where these are there: the type vec and what can be done with it (simd.h), and
 *
 *   struct rows             rows of eight samples, in each 16 bytes of a register one of its own
 *   load_row                a row, in the low half of each 16 bytes
 *   store_row_low, _high    the low or high half of each 16 bytes, to a row */
#ifndef XC_DSP_SIMD_LOOPFILTER_H
#define XC_DSP_SIMD_LOOPFILTER_H

/* The samples across an edge, one register each, in which lane i belongs to the i-th sample along the edge. */
enum { P3, P2, P1, P0, Q0, Q1, Q2, Q3, ACROSS };

struct limits {
    vec edge, interior, hev;
};

INLINE struct limits splat_limits(const struct xc_filter_limits *limits)
{
    return (struct limits){ splat_8(limits->edge), splat_8(limits->interior), splat_8(limits->hev) };
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

/* --- edges between columns: samples are transposed --- */

/* Eight rows of eight: pair[i] becomes columns 2 i and 2 i + 1. */
INLINE void load_transposed(vec pair[4], const struct rows *src)
{
    vec rows[4]; /* two each, sample by sample */
    for (int i = 0; i < 4; i++) {
        rows[i] = zip_low_8(load_row(src, 2 * i), load_row(src, 2 * i + 1));
    }
    vec left_above = zip_low_16(rows[0], rows[1]), right_above = zip_high_16(rows[0], rows[1]);
    vec left_below = zip_low_16(rows[2], rows[3]), right_below = zip_high_16(rows[2], rows[3]);
    pair[0] = zip_low_32(left_above, left_below);
    pair[1] = zip_high_32(left_above, left_below);
    pair[2] = zip_low_32(right_above, right_below);
    pair[3] = zip_high_32(right_above, right_below);
}

/* Eight columns, in which the eight samples of a come before the eight of b. */
INLINE void load_columns(vec s[8], const struct rows *a, const struct rows *b)
{
    vec pair_a[4], pair_b[4];
    load_transposed(pair_a, a);
    load_transposed(pair_b, b);
    for (int i = 0; i < 4; i++) {
        s[2 * i] = zip_low_64(pair_a[i], pair_b[i]);
        s[2 * i + 1] = zip_high_64(pair_a[i], pair_b[i]);
    }
}

/* Four rows of eight, from the y-th on. left: columns 0 to 3 of each row; right: columns 4 to 7. */
INLINE void store_four_rows(const struct rows *dst, int y, vec left, vec right)
{
    vec above = zip_low_32(left, right), below = zip_high_32(left, right);
    store_row_low(dst, y, above);
    store_row_high(dst, y + 1, above);
    store_row_low(dst, y + 2, below);
    store_row_high(dst, y + 3, below);
}

INLINE void store_columns(const struct rows *a, const struct rows *b, const vec s[8])
{
    vec pair_a[4], pair_b[4]; /* columns 2 i and 2 i + 1, row by row */
    for (int i = 0; i < 4; i++) {
        pair_a[i] = zip_low_8(s[2 * i], s[2 * i + 1]);
        pair_b[i] = zip_high_8(s[2 * i], s[2 * i + 1]);
    }
    store_four_rows(a, 0, zip_low_16(pair_a[0], pair_a[1]), zip_low_16(pair_a[2], pair_a[3]));
    store_four_rows(a, 4, zip_high_16(pair_a[0], pair_a[1]), zip_high_16(pair_a[2], pair_a[3]));
    store_four_rows(b, 0, zip_low_16(pair_b[0], pair_b[1]), zip_low_16(pair_b[2], pair_b[3]));
    store_four_rows(b, 4, zip_high_16(pair_b[0], pair_b[1]), zip_high_16(pair_b[2], pair_b[3]));
}

/* The edge in the middle of eight columns, of which a has the first eight rows and b the others. */
INLINE void filter_columns(struct rows a, struct rows b, const struct limits *limits, filter_fn *filter)
{
    vec s[ACROSS];
    load_columns(s, &a, &b);
    filter(s, limits);
    store_columns(&a, &b, s);
}

#endif
