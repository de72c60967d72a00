/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/policy.h"

#include <math.h>

#include "chunk/mini_gop.h"

const struct xc_anchored_options xc_anchored_defaults = {
    .cq_level = 22, .key_weight = 0.25, .anchor_weight = 0.3, .place = -1
};
const struct xc_reencode_options xc_reencode_defaults = { .key_weight = 1 };
const struct xc_primary_options xc_primary_defaults = { .quantizer = -1, .ssim = 0.99 };

/* A quantizer's step is to be at least this many times the noise, so that noise is left uncoded (docs/compression.md).
 */
#define NOISE_STEPS 5.0

/* Raises a quantizer so that its step is at least NOISE_STEPS times the noise, but not above limit. */
static unsigned above_noise(unsigned quantizer, unsigned limit, double noise)
{
    return (unsigned)fmin(limit, fmax(quantizer, xc_quantizer_of_step(NOISE_STEPS * noise)));
}

/* Weights are parts of a follower's index. The finer the level, the larger a part of the step that is, since index 0
 * has a step of 4. So at levels below this one, a weight below 1 is the part of a follower's step that it is at this
 * level (docs/compression.md). */
enum { LEVEL_OF_WEIGHTS = 20 };

static unsigned weighted(const struct xc_anchored_options *options, double weight)
{
    const unsigned index = xc_quantizer_of_level(options->cq_level), usual = xc_quantizer_of_level(LEVEL_OF_WEIGHTS);
    const double least_step = xc_step_of_quantizer(0); /* and one more for each index up to the usual one */
    const double part = (weight * usual + least_step) / (usual + least_step);
    const double by_index = fmin(XC_MAX_QUANTIZER, lrint(index * weight));
    return (unsigned)(weight < 1 ? fmin(by_index, xc_quantizer_of_step(part * xc_step_of_quantizer(index))) : by_index);
}

/* Noise makes it no coarser than a follower. */
static unsigned weighted_above_noise(const struct xc_anchored_options *options, double weight, double noise)
{
    return above_noise(weighted(options, weight), weighted(options, fmax(weight, 1)), noise);
}

/* A picture is worth a fine quantizer because others are predicted from it. Before a cut they are few. */
static double weight_before_cut(const struct xc_section_facts *facts, double weight, unsigned pictures)
{
    return facts->cut ? fmax(weight, 1. / pictures) : weight;
}

/* The less changes from picture to picture, the longer the quality of a key frame lasts: if a part n of each picture
 * is new, about 1/n pictures live on it, and by the rule of x264's macroblock tree the quantizer follows a root of
 * that. */
unsigned xc_policy_key_quantizer(const struct xc_anchored_options *options, const struct xc_section_facts *facts,
                                 double noise)
{
    const double weight = options->key_weight * sqrt(fmin(1, facts->novelty));
    return weighted_above_noise(options, weight_before_cut(facts, weight, facts->pictures), noise);
}

/* Each anchor codes again what the followers before it have added, so fine ones pay where they are a whole mini-GOP
 * apart. Of the chunks of a shorter mini-GOP, one in so many has a fine anchor (docs/notes/compression.md). */
static double weight_of_turn(const struct xc_anchored_options *options, const struct xc_section_facts *facts)
{
    const unsigned turn = XC_MINI_GOP_PICTURES / facts->pictures;
    if (turn == 1 || !facts->whole || options->place < 0) {
        return options->anchor_weight;
    }
    const bool fine = ((unsigned)options->place + 1) % turn == 0;
    return options->anchor_weight * (fine ? 0.92 : 1.8);
}

unsigned xc_policy_anchor_quantizer(const struct xc_anchored_options *options, const struct xc_section_facts *facts,
                                    double noise)
{
    const double weight = weight_before_cut(facts, weight_of_turn(options, facts), facts->pictures - facts->key);
    return weighted_above_noise(options, weight, noise);
}

unsigned xc_policy_follower_quantizer(const struct xc_anchored_options *options)
{
    return weighted(options, 1);
}

/* The key frame was finer than the rest. The anchor takes its place, but may be coarser. */
unsigned xc_policy_reencoded_anchor_quantizer(const struct xc_reencode_options *options, unsigned key, unsigned own,
                                              double noise)
{
    const double weight = options->key_weight;
    return above_noise((unsigned)lrint(weight * key + (1 - weight) * own), own, noise);
}

/* What the steps of the segments are multiplied with. This is the rule of x264's aq-mode 1 with a strength of 0.45
 * (there, the quantizer rises by 1.04 times the strength for each octave of variance, and 6 doubles the step), in the
 * middle of each segment: 1.5 and 4.5 octaves from the mean (docs/compression.md). */
static const double segment_steps[XC_SEGMENTS] = { 0.784, 0.922, 1.084, 1.275 };

void xc_policy_segment_offsets(int8_t offsets[XC_SEGMENTS], unsigned quantizer)
{
    const unsigned index = xc_quantizer_of_level(xc_level_of_quantizer(quantizer)); /* as the frame gets it */
    for (int i = 0; i < XC_SEGMENTS; i++) {
        const unsigned wanted = xc_quantizer_of_step(xc_step_of_quantizer(index) * segment_steps[i]);
        offsets[i] = (int8_t)xc_offset_of_libvpx((int)wanted - (int)index);
    }
}

static struct xc_encode_params params_for(unsigned quantizer)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = quantizer;
    xc_policy_segment_offsets(params.segment_quantizer, quantizer);
    return params;
}

struct xc_encode_params xc_policy_key(unsigned quantizer)
{
    struct xc_encode_params params = params_for(quantizer);
    params.key_frame = true;
    return params;
}

struct xc_encode_params xc_policy_anchor(unsigned quantizer, bool alone)
{
    struct xc_encode_params params = params_for(quantizer);
    params.hide = !alone;
    params.refresh_last = alone;
    params.refresh_golden = false;
    return params;
}

struct xc_encode_params xc_policy_follower(unsigned quantizer)
{
    struct xc_encode_params params = params_for(quantizer);
    params.altref_ahead = true;
    params.refresh_golden = params.refresh_altref = false;
    return params;
}
