/* SPDX-License-Identifier: BSD-2-Clause */
/* Intra prediction: a byte shuffle spreads a sample over a row, and lays out the 4x4 modes. RFC 6386 section 12. */
#include "dsp/kernels.h"
#include "dsp/simd/simd.h"
#include "excamera/modes.h"

/* 8 or 16 samples, followed by zeros. */
INLINE vec load_edge(const uint8_t *edge, int size)
{
    return size == 16 ? load16(edge) : load8(edge);
}

INLINE void fill(uint8_t *dst, ptrdiff_t stride, int size, int value)
{
    for (int y = 0; y < size; y++) {
        store_row(dst + y * stride, splat_8(value), size);
    }
}

INLINE int sum(vec samples)
{
    return (int)sum_s32(sum_differences_u8(samples, zero()));
}

INLINE void predict_dc(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *above, const uint8_t *left)
{
    fill(dst, stride, size, (sum(load_edge(above, size)) + sum(load_edge(left, size)) + size) / (2 * size));
}

INLINE void predict_dc_of_one(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *edge)
{
    fill(dst, stride, size, (sum(load_edge(edge, size)) + size / 2) / size);
}

WITH_SHUFFLE INLINE vec spread(vec samples, int index)
{
    return shuffle_8(samples, splat_8(index));
}

WITH_SHUFFLE INLINE void predict_h(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *left)
{
    vec samples = load_edge(left, size);
    for (int y = 0; y < size; y++) {
        store_row(dst + y * stride, spread(samples, y), size);
    }
}

/* Rows differ from the one above by left - corner. Either what is to add or what is to subtract is 0, so bytes that
 * saturate clamp just as they should. */
WITH_SHUFFLE
INLINE void predict_tm(uint8_t *dst, ptrdiff_t stride, int size, const uint8_t *above, const uint8_t *left)
{
    vec row = load_edge(above, size), samples = load_edge(left, size), corner = splat_8(above[-1]);
    vec more = sat_sub_u8(samples, corner), less = sat_sub_u8(corner, samples);
    for (int y = 0; y < size; y++) {
        store_row(dst + y * stride, sat_sub_u8(sat_add_u8(row, spread(more, y)), spread(less, y)), size);
    }
}

#define DEFINE_SIZE(size)                                                                                              \
    static void SHUFFLE_KERNEL(intra##size##_dc)(uint8_t * dst, ptrdiff_t stride, const uint8_t *above,                \
                                                 const uint8_t *left)                                                  \
    {                                                                                                                  \
        predict_dc(dst, stride, size, above, left);                                                                    \
    }                                                                                                                  \
    static void SHUFFLE_KERNEL(intra##size##_dc_left)(uint8_t * dst, ptrdiff_t stride, const uint8_t *above,           \
                                                      const uint8_t *left)                                             \
    {                                                                                                                  \
        (void)above;                                                                                                   \
        predict_dc_of_one(dst, stride, size, left);                                                                    \
    }                                                                                                                  \
    static void SHUFFLE_KERNEL(intra##size##_dc_above)(uint8_t * dst, ptrdiff_t stride, const uint8_t *above,          \
                                                       const uint8_t *left)                                            \
    {                                                                                                                  \
        (void)left;                                                                                                    \
        predict_dc_of_one(dst, stride, size, above);                                                                   \
    }                                                                                                                  \
    WITH_SHUFFLE static void SHUFFLE_KERNEL(intra##size##_h)(uint8_t * dst, ptrdiff_t stride, const uint8_t *above,    \
                                                             const uint8_t *left)                                      \
    {                                                                                                                  \
        (void)above;                                                                                                   \
        predict_h(dst, stride, size, left);                                                                            \
    }                                                                                                                  \
    WITH_SHUFFLE static void SHUFFLE_KERNEL(intra##size##_tm)(uint8_t * dst, ptrdiff_t stride, const uint8_t *above,   \
                                                              const uint8_t *left)                                     \
    {                                                                                                                  \
        predict_tm(dst, stride, size, above, left);                                                                    \
    }

DEFINE_SIZE(16)
DEFINE_SIZE(8)

static void SHUFFLE_KERNEL(intra4_dc)(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    int mean = (sum(zip_low_32(load4(above), load4(left))) + 4) / 8;
    store_4x4(dst, stride, splat_8(mean));
}

static void SHUFFLE_KERNEL(intra4_tm)(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left)
{
    vec row = load4(above), corner = splat_8(above[-1]), columns = load4(left);
    vec rows = zip_low_32(row, row);
    rows = zip_low_64(rows, rows);
    columns = zip_low_8(columns, columns);  /* each twice */
    columns = zip_low_16(columns, columns); /* four times */
    vec more = sat_sub_u8(columns, corner), less = sat_sub_u8(corner, columns);
    store_4x4(dst, stride, sat_sub_u8(sat_add_u8(rows, more), less));
}

/* The other 4x4 modes smooth the samples around the block and put each where the mode wants it. These are their
 * places in a register, from bottom left by the corner P to the far right, with the section's letters; the first
 * and the last once more. */
enum { L_AGAIN, L, K, J, I, P, A, B, C, D, E, F, G, H, H_AGAIN };

/* What goes to each sample of the block: A for the mean around A (weights 1 2 1), TWO + A for that of A and the
 * sample after it. The highest bit makes a shuffle of the others give 0. */
enum { TWO = 0x80 };

static const uint8_t ve_layout[16] = { A, B, C, D, A, B, C, D, A, B, C, D, A, B, C, D };
static const uint8_t he_layout[16] = { I, I, I, I, J, J, J, J, K, K, K, K, L, L, L, L };
static const uint8_t ld_layout[16] = { B, C, D, E, C, D, E, F, D, E, F, G, E, F, G, H };
static const uint8_t rd_layout[16] = { P, A, B, C, I, P, A, B, J, I, P, A, K, J, I, P };
static const uint8_t vr_layout[16] = {
    TWO + P, TWO + A, TWO + B, TWO + C, P, A, B, C, I, TWO + P, TWO + A, TWO + B, J, P, A, B,
};
static const uint8_t vl_layout[16] = {
    TWO + A, TWO + B, TWO + C, TWO + D, B, C, D, E, TWO + B, TWO + C, TWO + D, F, C, D, E, G,
};
static const uint8_t hd_layout[16] = {
    TWO + I, P, A, B, TWO + J, I, TWO + I, P, TWO + K, J, TWO + J, I, TWO + L, K, TWO + K, J,
};
static const uint8_t hu_layout[16] = {
    TWO + J,       J,
    TWO + K,       K,
    TWO + K,       K,
    TWO + L,       L,
    TWO + L,       L,
    TWO + L_AGAIN, TWO + L_AGAIN,
    TWO + L_AGAIN, TWO + L_AGAIN,
    TWO + L_AGAIN, TWO + L_AGAIN,
};

WITH_SHUFFLE INLINE vec load_edge_4x4(const uint8_t *above, const uint8_t *left)
{
    enum { _ = 255 }; /* nothing: 0 */
    static const uint8_t from_left[16] = { 3, 3, 2, 1, _, _, _, _, _, _, _, _, _, _, _, _ };
    static const uint8_t from_above[16] = { _, _, _, _, _, _, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7 };
    static const uint8_t from_corner[16] = { _, _, _, _, 0, 1, _, _, _, _, _, _, _, _, _, _ };
    vec corner = set_first_s16(zero(), left[0] | above[-1] << 8);
    vec column = shuffle_8(load4(left), load16(from_left)), row = shuffle_8(load8(above), load16(from_above));
    return bit_or(bit_or(column, row), shuffle_8(corner, load16(from_corner)));
}

WITH_SHUFFLE
INLINE void predict_directional(uint8_t *dst, ptrdiff_t stride, const uint8_t *above, const uint8_t *left,
                                const uint8_t layout[16])
{
    vec edge = load_edge_4x4(above, left), place = load16(layout);
    vec before = move_up_8(edge), after = move_down_8(edge);
    vec two = mean_u8(edge, after);
    /* The mean of the outer two is rounded up; where that was by a half, the mean with the middle must not be again. */
    vec odd = bit_and(bit_xor(before, after), splat_8(1));
    vec three = mean_u8(sub_u8(mean_u8(before, after), odd), edge);
    store_4x4(dst, stride, bit_or(shuffle_8(three, place), shuffle_8(two, bit_xor(place, splat_8(TWO)))));
}

#define DEFINE_DIRECTION(name)                                                                                         \
    WITH_SHUFFLE static void SHUFFLE_KERNEL(intra4_##name)(uint8_t * dst, ptrdiff_t stride, const uint8_t *above,      \
                                                           const uint8_t *left)                                        \
    {                                                                                                                  \
        predict_directional(dst, stride, above, left, name##_layout);                                                  \
    }

DEFINE_DIRECTION(ve)
DEFINE_DIRECTION(he)
DEFINE_DIRECTION(ld)
DEFINE_DIRECTION(rd)
DEFINE_DIRECTION(vr)
DEFINE_DIRECTION(vl)
DEFINE_DIRECTION(hd)
DEFINE_DIRECTION(hu)

#define SET_SIZE(size)                                                                                                 \
    do {                                                                                                               \
        dsp->intra##size[XC_INTRA_DC] = SHUFFLE_KERNEL(intra##size##_dc);                                              \
        dsp->intra##size[XC_INTRA_H] = SHUFFLE_KERNEL(intra##size##_h);                                                \
        dsp->intra##size[XC_INTRA_TM] = SHUFFLE_KERNEL(intra##size##_tm);                                              \
        dsp->intra##size[XC_INTRA_DC_LEFT] = SHUFFLE_KERNEL(intra##size##_dc_left);                                    \
        dsp->intra##size[XC_INTRA_DC_ABOVE] = SHUFFLE_KERNEL(intra##size##_dc_above);                                  \
    } while (0)

/* Not V and DC_128: the compiler's code for C is as good. */
void SHUFFLE_KERNEL(dsp_intra)(struct xc_dsp *dsp)
{
    SET_SIZE(16);
    SET_SIZE(8);
    dsp->intra4[XC_B_DC_PRED] = SHUFFLE_KERNEL(intra4_dc);
    dsp->intra4[XC_B_TM_PRED] = SHUFFLE_KERNEL(intra4_tm);
    dsp->intra4[XC_B_VE_PRED] = SHUFFLE_KERNEL(intra4_ve);
    dsp->intra4[XC_B_HE_PRED] = SHUFFLE_KERNEL(intra4_he);
    dsp->intra4[XC_B_LD_PRED] = SHUFFLE_KERNEL(intra4_ld);
    dsp->intra4[XC_B_RD_PRED] = SHUFFLE_KERNEL(intra4_rd);
    dsp->intra4[XC_B_VR_PRED] = SHUFFLE_KERNEL(intra4_vr);
    dsp->intra4[XC_B_VL_PRED] = SHUFFLE_KERNEL(intra4_vl);
    dsp->intra4[XC_B_HD_PRED] = SHUFFLE_KERNEL(intra4_hd);
    dsp->intra4[XC_B_HU_PRED] = SHUFFLE_KERNEL(intra4_hu);
}
