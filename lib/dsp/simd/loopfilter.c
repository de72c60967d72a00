/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop filters, 16 samples of an edge in a register; RFC 6386 section 15. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"

struct rows {
    uint8_t *first;
    ptrdiff_t stride;
};

INLINE vec load_row(const struct rows *rows, int y)
{
    return load8(rows->first + y * rows->stride);
}

INLINE void store_row_low(const struct rows *rows, int y, vec a)
{
    store8(rows->first + y * rows->stride, a);
}

INLINE void store_row_high(const struct rows *rows, int y, vec a)
{
    store_high8(rows->first + y * rows->stride, a);
}

#include "dsp/simd/loopfilter.h"

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

INLINE void filter_columns_y(uint8_t *dst, ptrdiff_t stride, const struct limits *limits, filter_fn *filter)
{
    filter_columns((struct rows){ dst - Q0, stride }, (struct rows){ dst - Q0 + 8 * stride, stride }, limits, filter);
}

INLINE void filter_columns_uv(uint8_t *u, uint8_t *v, ptrdiff_t stride, const struct limits *limits, filter_fn *filter)
{
    filter_columns((struct rows){ u - Q0, stride }, (struct rows){ v - Q0, stride }, limits, filter);
}

/* The edges at 4, 8 and 12 of luma: the whole macroblock is transposed once for all three. */
INLINE void filter_inner_columns(uint8_t *dst, ptrdiff_t stride, const struct limits *limits, filter_fn *filter)
{
    const struct rows a = { dst, stride }, b = { dst + 8 * stride, stride }, a_right = { dst + 8, stride },
                      b_right = { dst + 8 * stride + 8, stride };
    vec s[16];
    load_columns(s, &a, &b);
    load_columns(s + 8, &a_right, &b_right);
    for (int x = 4; x < 16; x += 4) {
        filter(s + x - Q0, limits);
    }
    store_columns(&a, &b, s);
    store_columns(&a_right, &b_right, s + 8);
}

/* --- the kernels --- */

static void KERNEL(filter_mb_v)(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                                const struct xc_filter_limits *limits)
{
    const struct limits all = splat_limits(limits);
    filter_columns_y(y, stride, &all, filter_mb);
    filter_columns_uv(u, v, chroma_stride, &all, filter_mb);
}

static void KERNEL(filter_mb_h)(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                                const struct xc_filter_limits *limits)
{
    const struct limits all = splat_limits(limits);
    filter_rows(y, stride, &all, filter_mb, 3);
    filter_rows_uv(u, v, chroma_stride, &all, filter_mb, 3);
}

static void KERNEL(filter_inner_v)(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                                   const struct xc_filter_limits *limits)
{
    const struct limits all = splat_limits(limits);
    filter_inner_columns(y, stride, &all, filter_inner);
    filter_columns_uv(u + 4, v + 4, chroma_stride, &all, filter_inner);
}

static void KERNEL(filter_inner_h)(uint8_t *y, uint8_t *u, uint8_t *v, ptrdiff_t stride, ptrdiff_t chroma_stride,
                                   const struct xc_filter_limits *limits)
{
    const struct limits all = splat_limits(limits);
    for (int row = 4; row < 16; row += 4) {
        filter_rows(y + row * stride, stride, &all, filter_inner, 2);
    }
    filter_rows_uv(u + 4 * chroma_stride, v + 4 * chroma_stride, chroma_stride, &all, filter_inner, 2);
}

static void KERNEL(filter_simple_mb_v)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    const struct limits limits = { .edge = splat_8(edge) };
    filter_columns_y(dst, stride, &limits, filter_simple);
}

static void KERNEL(filter_simple_mb_h)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    const struct limits limits = { .edge = splat_8(edge) };
    filter_rows(dst, stride, &limits, filter_simple, 1);
}

static void KERNEL(filter_simple_inner_v)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    const struct limits limits = { .edge = splat_8(edge) };
    filter_inner_columns(dst, stride, &limits, filter_simple);
}

static void KERNEL(filter_simple_inner_h)(uint8_t *dst, ptrdiff_t stride, int edge)
{
    const struct limits limits = { .edge = splat_8(edge) };
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
    dsp->filter.simple_mb_v = KERNEL(filter_simple_mb_v);
    dsp->filter.simple_mb_h = KERNEL(filter_simple_mb_h);
    dsp->filter.simple_inner_v = KERNEL(filter_simple_inner_v);
    dsp->filter.simple_inner_h = KERNEL(filter_simple_inner_h);
}
