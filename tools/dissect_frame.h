/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame taken apart, as xc-dissect prints and draws it. */
#ifndef XC_TOOLS_DISSECT_FRAME_H
#define XC_TOOLS_DISSECT_FRAME_H

#include "json.h"

#include "excamera/frame.h"
#include "excamera/bits.h"

struct dissect_frame {
    uint32_t number, size; /* in the file; bytes */
    struct xc_frame frame;
    struct xc_bits bits, *macroblocks; /* owned; one for each macroblock */
};

/* What to print besides header and quantizers. */
struct dissect_parts {
    bool macroblocks, probabilities, coefficients, bits;
};

/* Names of modes, references and kinds of bits, by their enumerations. */
extern const char *const dissect_y_modes[], *const dissect_b_modes[], *const dissect_split_modes[];
extern const char *const dissect_references[], *const dissect_bit_kinds[XC_BIT_KINDS];

/* The levels of a block of a macroblock; NULL if none is coded or all are 0. */
const int16_t *dissect_levels(const struct xc_frame *frame, const struct xc_macroblock *mb, int block);

/* Bits as they were counted. */
double dissect_bits(uint64_t bits);

/* The original's output, line by line; after it the bits, which the original does not have. */
void dissect_print_text(FILE *out, const struct dissect_frame *frame, const struct dissect_parts *parts);
void dissect_print_json(struct xc_json *json, const struct dissect_frame *frame, const struct dissect_parts *parts);

#endif
