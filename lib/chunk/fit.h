/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings a chunk of the anchored structure to a cost, bytes or a loss of quality, by the quantizers of its followers.
 * Each is chosen by what is left of the cost, and by what the followers before it have cost. So nothing is encoded
 * twice. */
#ifndef XC_CHUNK_FIT_H
#define XC_CHUNK_FIT_H

#include "excamera/chunk.h"

struct xc_fit {
    enum { XC_FIT_NOTHING, XC_FIT_BYTES, XC_FIT_LOSS } kind;
    unsigned base;     /* the quantizer index of followers where nothing is to be fitted */
    double left;       /* of the cost of the chunk; it may be exceeded */
    uint64_t pictures; /* among which that is shared */
    double expected;   /* what a follower costs with the base; below 0: nothing is known of it */
    double factor;     /* the step of the last follower's quantizer, divided by that of the base */
};

/* anchors: the chunk's key frames and anchors, which come out as they are. */
void xc_fit_init(struct xc_fit *fit, const struct xc_anchored_options *options, unsigned base,
                 const struct xc_ivf *anchors);
/* What a key frame or an anchor has lost; its bytes are known already. */
void xc_fit_spend(struct xc_fit *fit, double loss);
/* The quantizer index for the next follower. */
unsigned xc_fit_quantizer(struct xc_fit *fit);
/* What that follower has cost: its bytes, or how far its SSIM is from 1. */
void xc_fit_report(struct xc_fit *fit, unsigned quantizer, double cost);

#endif
