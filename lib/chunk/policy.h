/* SPDX-License-Identifier: BSD-2-Clause */
/* How fine each frame is, and what it refreshes: every decision about a frame that follows from a few numbers. */
#ifndef XC_CHUNK_POLICY_H
#define XC_CHUNK_POLICY_H

#include "excamera/chunk.h"
#include "excamera/encode.h"

/* What is known of a section (chunk/sections.h) when its key frame and its anchor are encoded. */
struct xc_section_facts {
    unsigned pictures; /* of the mini-GOP; 1 or more */
    bool key;          /* the first of them is a key frame, which the anchor is not for */
    bool cut;          /* a scene cut follows: nothing after the section is predicted from it */
    bool whole;        /* the section is the whole chunk */
    /* What is new from picture to picture (xc_scene_novelty), in the mean over those that the key frame is averaged
     * with; 1 if it is alone. */
    double novelty;
};

/* noise: that of the picture, in sample values (analysis/temporal_filter.h). */
unsigned xc_policy_key_quantizer(const struct xc_anchored_options *options, const struct xc_section_facts *facts,
                                 double noise);
unsigned xc_policy_anchor_quantizer(const struct xc_anchored_options *options, const struct xc_section_facts *facts,
                                    double noise);
unsigned xc_policy_follower_quantizer(const struct xc_anchored_options *options);

/* When re-encoding: the quantizer of an anchor for which the prediction has a quantizer of its own. key: that of the
 * key frame which the prediction began with. */
unsigned xc_policy_reencoded_anchor_quantizer(const struct xc_reencode_options *options, unsigned key, unsigned own,
                                              double noise);

/* What segments (analysis/activity.h) add to a quantizer index. */
void xc_policy_segment_offsets(int8_t offsets[XC_SEGMENTS], unsigned quantizer);

/* All of these have the offsets of their segments, but no segment map. An anchor is hidden, unless it is alone: then no
 * follower comes before it. */
struct xc_encode_params xc_policy_anchor(unsigned quantizer, bool alone);
/* Only last changes after a follower. */
struct xc_encode_params xc_policy_follower(unsigned quantizer);
struct xc_encode_params xc_policy_key(unsigned quantizer);

#endif
