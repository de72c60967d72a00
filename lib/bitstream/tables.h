/* SPDX-License-Identifier: BSD-2-Clause */
/* The constant tables of RFC 6386. */
#ifndef XC_BITSTREAM_TABLES_H
#define XC_BITSTREAM_TABLES_H

#include <stdint.h>

#include "excamera/frame.h"
#include "excamera/state.h"

/* Section 8.1: pairs of successors; positive ones index the next pair, the others are negated leaves. The probability
 * of a pair's first branch stands at half the pair's index. */
typedef int8_t xc_tree;
enum { XC_TREE_DEPTH = 7 }; /* of the deepest, xc_b_mode_tree */

extern const struct xc_probabilities xc_default_probabilities;       /* 13.5, 17.2, 16.1 */
extern const uint8_t xc_coefficient_update_probability[4][8][3][11]; /* 13.4 */
extern const uint8_t xc_mv_update_probability[2][19];                /* 17.2 */
extern const uint8_t xc_key_y_mode_probability[4];                   /* 11.2 */
extern const uint8_t xc_key_uv_mode_probability[3];                  /* 11.4 */
extern const uint8_t xc_b_mode_probability[9];                       /* 16.1 */
extern const uint8_t xc_key_b_mode_probability[10][10][9];           /* 11.5; [above][left] */
extern const uint8_t xc_mode_context_probability[6][4];              /* 16.3 */
extern const uint8_t xc_split_probability[3];                        /* 16.4 */
extern const uint8_t xc_split_mode_probability[5][3];                /* 16.4; the context is found in modes.c */
extern const uint8_t xc_split_count[4];                              /* vectors per enum xc_partitioning */
extern const uint8_t xc_split_layout[4][16];                         /* which of them each block has */

extern const xc_tree xc_segment_tree[6];     /* 10 */
extern const xc_tree xc_y_mode_tree[8];      /* 8.2 */
extern const xc_tree xc_key_y_mode_tree[8];  /* 8.2 */
extern const xc_tree xc_uv_mode_tree[6];     /* 8.2 */
extern const xc_tree xc_b_mode_tree[18];     /* 11.2 */
extern const xc_tree xc_moving_mode_tree[6]; /* 16.2, without XC_ZEROMV */
extern const xc_tree xc_split_tree[6];       /* 16.4 */
extern const xc_tree xc_split_mode_tree[6];  /* 16.4 */
extern const xc_tree xc_short_mv_tree[14];   /* 17.1 */

/* Where the parts of struct xc_probabilities.mv[i] begin; section 17.1. */
enum { XC_MV_IS_SHORT, XC_MV_SIGN, XC_MV_SHORT, XC_MV_LONG = XC_MV_SHORT + 7, XC_MV_LONG_BITS = 10 };
enum { XC_MV_MAX = 1023 }; /* largest magnitude of a coded component, in quarter samples */

extern const uint8_t xc_zigzag[16];           /* 13: raster position of each coefficient in coding order */
extern const uint8_t xc_coefficient_band[17]; /* 13.3; one more entry, so that the position after the last has one */

/* Section 13.2: token categories 1 to 6 stand for a range of values: the smallest, and extra bits, most significant
 * first, each with its probability (the list ends with 0). */
struct xc_token_category {
    uint8_t base, bits;
    const uint8_t *probability;
};
extern const struct xc_token_category xc_token_category[6];

extern const uint8_t xc_dc_quantizer[128];  /* 14.1 */
extern const uint16_t xc_ac_quantizer[128]; /* 14.1 */

#endif
