/* SPDX-License-Identifier: BSD-2-Clause */
/* How two states differ. */
#ifndef EXCAMERA_DIFFERENCE_H
#define EXCAMERA_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "excamera/state.h"

#ifdef __cplusplus
extern "C" {
#endif

struct xc_picture_difference {
    uint64_t samples;   /* coded samples of all planes */
    uint64_t different; /* how many of them differ */
    uint64_t sum;       /* of the absolute differences */
    uint64_t bits;      /* in which the samples' bytes differ */
};

/* How many values differ, of each kind. */
struct xc_state_difference {
    bool any;          /* false: the states are equal */
    bool size;         /* they are of different sizes; then map and references are not compared */
    bool presentation; /* scales, color space or clamping type */
    unsigned coefficient, mv, y_mode, uv_mode; /* probabilities, of 1056, 38, 4 and 3 */
    unsigned segment_data;                     /* of 9 */
    uint64_t segment_map;                      /* macroblocks */
    unsigned filter_deltas;                    /* of 8 */
    struct xc_picture_difference reference[XC_REFERENCES];
    /* Bits in which the bytes of all of these differ. References that are one picture in both states count once. */
    uint64_t bits;
};

void xc_state_compare(struct xc_state_difference *difference, const struct xc_state *a, const struct xc_state *b);

#ifdef __cplusplus
}
#endif

#endif
