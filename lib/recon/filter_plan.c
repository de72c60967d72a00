/* SPDX-License-Identifier: BSD-2-Clause */
#include "recon/filter_plan.h"

static uint8_t clamp_level(int level)
{
    return (uint8_t)(level < 0 ? 0 : level > 63 ? 63 : level);
}

/* Section 9.4. */
static void fill_levels(uint8_t out[4][4], int level, bool use_deltas, const struct xc_filter_deltas *deltas)
{
    for (int reference = 0; reference < 4; reference++) {
        for (int mode = 0; mode < 4; mode++) {
            int adjusted = level;
            if (use_deltas) {
                adjusted += deltas->reference[reference];
                bool has_delta = reference == XC_REF_INTRA ? mode == XC_FILTER_B_PRED : mode != XC_FILTER_B_PRED;
                adjusted += has_delta ? deltas->mode[mode] : 0;
            }
            out[reference][mode] = clamp_level(adjusted);
        }
    }
}

static struct xc_filter_limits limits(int edge, int interior, int hev)
{
    return (struct xc_filter_limits){ (uint8_t)edge, (uint8_t)interior, (uint8_t)hev };
}

void xc_filter_plan_fill(struct xc_filter_plan *plan, const struct xc_frame_header *h,
                         const struct xc_segment_data *data, const struct xc_filter_deltas *deltas)
{
    plan->enabled = h->filter_level != 0;
    plan->simple = h->simple_filter;
    for (int i = 0; i < XC_SEGMENTS; i++) {
        int level = h->filter_level;
        if (h->segmentation) {
            level = clamp_level(data->filter_level[i] + (data->absolute ? 0 : level));
        }
        fill_levels(plan->level[i], level, h->filter_deltas_enabled, deltas);
    }
    /* Section 15.4. */
    for (int level = 0; level < 64; level++) {
        int interior = level >> (h->sharpness > 4 ? 2 : h->sharpness > 0 ? 1 : 0);
        if (h->sharpness && interior > 9 - h->sharpness) {
            interior = 9 - h->sharpness;
        }
        interior = interior < 1 ? 1 : interior;
        const int hev = (level >= 40) + (level >= 15) + (!h->key_frame && level >= 20);
        plan->mb[level] = limits((level + 2) * 2 + interior, interior, hev);
        plan->inner[level] = limits(level * 2 + interior, interior, hev);
    }
}
