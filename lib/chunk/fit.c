/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/fit.h"

#include <math.h>

#include "excamera/frame.h"
#include "excamera/quantizer.h"

/* What a follower costs goes with a power of the quantizer's step (docs/quality.md). That is only about right, but each
 * follower corrects what the one before it has missed. The pace is how much of the way to the step that is asked for is
 * gone at a time. A picture after a finer one takes few bytes, and the one after that would take many. */
static const struct law {
    double power, pace;
} LAWS[] = {
    [XC_FIT_BYTES] = { .power = -1.25, .pace = 0.65 },
    [XC_FIT_LOSS] = { .power = 0.5, .pace = 1 },
};

/* How far steps get from that of the base. */
#define FARTHEST 4.0
/* How much a follower says about the next ones. The first ones are often cheaper than the rest. */
#define NEWS 0.35

static uint64_t frames_of(const struct xc_ivf *anchors, uint64_t pictures)
{
    uint64_t hidden = 0; /* anchors, which are shown by one more frame each */
    for (uint32_t i = 0; i < anchors->header.frame_count; i++) {
        hidden += !xc_data_is_shown(anchors->frames[i].data, anchors->frames[i].size);
    }
    return pictures + hidden;
}

void xc_fit_init(struct xc_fit *fit, const struct xc_anchored_options *options, unsigned base,
                 const struct xc_ivf *anchors)
{
    const uint32_t count = anchors->header.frame_count;
    const uint64_t pictures = count ? anchors->frames[count - 1].timestamp + 1 : 0;
    *fit = (struct xc_fit){ .base = base, .expected = -1, .factor = 1 };
    if (options->fit_bytes) {
        fit->kind = XC_FIT_BYTES;
        fit->pictures = pictures > count ? pictures - count : 0;
        fit->left = (double)options->fit_bytes - XC_IVF_HEADER_SIZE;
        fit->left -= (double)XC_IVF_FRAME_HEADER_SIZE * (double)frames_of(anchors, pictures);
        for (uint32_t i = 0; i < count; i++) {
            fit->left -= (double)anchors->frames[i].size;
        }
    } else if (options->fit_ssim > 0) {
        fit->kind = XC_FIT_LOSS;
        fit->pictures = pictures;
        fit->left = (1 - options->fit_ssim) * (double)pictures;
    }
}

static void spend(struct xc_fit *fit, double cost)
{
    fit->left -= cost;
    fit->pictures -= fit->pictures > 0;
}

void xc_fit_spend(struct xc_fit *fit, double loss)
{
    if (fit->kind == XC_FIT_LOSS) {
        spend(fit, loss);
    }
}

unsigned xc_fit_quantizer(struct xc_fit *fit)
{
    if (fit->kind == XC_FIT_NOTHING || !fit->pictures) {
        return fit->base;
    }
    const double share = fit->left / (double)fit->pictures;
    if (fit->expected < 0) { /* whoever chose the base has expected that */
        fit->expected = fmax(share, 0);
    }
    if (fit->expected <= 0) {
        return fit->base;
    }
    const struct law *law = &LAWS[fit->kind];
    const double wanted = pow(fmax(share, 0) / fit->expected, 1 / law->power);
    fit->factor += law->pace * (fmin(FARTHEST, fmax(1 / FARTHEST, wanted)) - fit->factor);
    return xc_quantizer_of_step(xc_step_of_quantizer(fit->base) * fit->factor);
}

void xc_fit_report(struct xc_fit *fit, unsigned quantizer, double cost)
{
    if (fit->kind == XC_FIT_NOTHING) {
        return;
    }
    const unsigned index = xc_quantizer_of_level(xc_level_of_quantizer(quantizer)); /* as the frame got it */
    const double factor = (double)xc_step_of_quantizer(index) / xc_step_of_quantizer(fit->base);
    fit->expected += NEWS * (cost / pow(factor, LAWS[fit->kind].power) - fit->expected);
    spend(fit, cost);
}
