/* SPDX-License-Identifier: BSD-2-Clause */
/* Motion search for the macroblocks of a picture in others of the same film, to a quarter of a sample. If the
 * illumination has changed, the mean of a macroblock does not count. */
#ifndef XC_ANALYSIS_MATCH_H
#define XC_ANALYSIS_MATCH_H

#include "analysis/block_search.h"
#include "recon/motion.h"
#include "recon/workspace.h"

/* The samples of a macroblock, plane by plane. */
enum { XC_MB_SAMPLES = 16 * 16 + 2 * 8 * 8 };

/* Copies a macroblock out of a picture, or into it. */
void xc_gather(uint8_t out[XC_MB_SAMPLES], const struct xc_picture *picture, unsigned row, unsigned column);
void xc_scatter(struct xc_picture *picture, const uint8_t in[XC_MB_SAMPLES], unsigned row, unsigned column);

struct xc_matcher {
    const struct xc_picture *picture; /* whose macroblocks are searched for */
    /* private */
    const struct xc_dsp *dsp;
    struct xc_motion motion;
    struct xc_block_search search;
    int32_t *scratch;
};

/* A picture to search in. */
struct xc_match_reference {
    const struct xc_picture *picture;
    struct xc_mv *vectors; /* of each macroblock, in whole samples; before the search for it, a guess or zero */
    /* private */
    struct xc_mv pan;
    bool illumination_changed;
};

/* The workspace must outlive the matcher. The matcher must be ended even after a failure. */
enum xc_status xc_matcher_begin(struct xc_matcher *m, const struct xc_workspace *workspace,
                                const struct xc_picture *picture, struct xc_error *err);
void xc_matcher_end(struct xc_matcher *m);

/* vectors: room for one per macroblock. */
struct xc_match_reference xc_match_reference(const struct xc_matcher *m, const struct xc_picture *picture,
                                             struct xc_mv *vectors);

enum xc_match_quality { XC_NO_MATCH, XC_FAIR_MATCH, XC_GOOD_MATCH };

/* By its squared error: that of a good match is below limit, that of a fair one below twice the limit. */
static inline enum xc_match_quality xc_match_quality(uint32_t error, uint32_t limit)
{
    return error < limit ? XC_GOOD_MATCH : error < 2 * limit ? XC_FAIR_MATCH : XC_NO_MATCH;
}

/* Writes the samples of the best match to match, which is aligned to 16 bytes, and the squared error of its luma to
 * *error. If there is no match within the limit and the illumination has changed, the search is repeated with
 * mean-removed errors; then the limits are half as high, and match gets the mean of the macroblock. */
enum xc_match_quality xc_find_match(struct xc_matcher *m, const struct xc_match_reference *reference,
                                    const uint8_t macroblock[XC_MB_SAMPLES], uint32_t limit,
                                    uint8_t match[XC_MB_SAMPLES], uint32_t *error, unsigned row, unsigned column);

#endif
