/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/sections.h"

#include "analysis/temporal_filter.h"

enum xc_status xc_sections_begin(struct xc_sections *s, struct xc_lookahead *source, struct xc_lookahead *after,
                                 const struct xc_state *state, const struct xc_workspace *workspace,
                                 struct xc_error *err)
{
    *s = (struct xc_sections){ .source = source, .after = after };
    enum xc_status status = xc_scene_new(&s->scene, workspace, source->source->width, source->source->height, err);
    if (status || (status = xc_lookahead_next(source, &s->first, err))) {
        xc_sections_end(s);
        return status;
    }
    if (!s->first) {
        xc_sections_end(s);
        return xc_fail_about(err, source->source->name, XC_ERR_FORMAT, "has no frame");
    }
    if (state->width) {
        xc_scene_begins(s->scene, state->reference[XC_LAST]);
    }
    s->key = xc_scene_begins(s->scene, s->first) || !state->width;
    return XC_OK;
}

/* Novelty is asked of the pictures that a key frame at the section's beginning is averaged with. */
static void settle_facts(struct xc_section *section, double novelty)
{
    const unsigned count = section->gop.count;
    const unsigned compared = (count < XC_FILTER_PICTURES ? count : XC_FILTER_PICTURES) - 1;
    section->facts.pictures = count;
    section->facts.novelty = compared ? novelty / compared : 1;
}

/* Adds the pictures after a section that no cut follows: the first of the next one, and those of the film after the
 * chunk. */
static enum xc_status add_after(struct xc_sections *s, struct xc_mini_gop *gop, struct xc_error *err)
{
    struct xc_lookahead *source = s->first ? s->source : s->after;
    uint64_t next = source->count;
    if (s->first) {
        xc_mini_gop_add_after(gop, xc_picture_ref(s->first));
    }
    while (gop->after < XC_MINI_GOP_AFTER && source->source) {
        struct xc_picture *picture;
        enum xc_status status = xc_lookahead_peek(source, next, &picture, err);
        if (status) {
            return status;
        }
        if (picture) {
            xc_mini_gop_add_after(gop, picture);
            next++;
        } else if (source == s->source) {
            source = s->after;
            next = 0;
        } else {
            return next ? XC_OK : xc_fail_about(err, source->source->name, XC_ERR_FORMAT, "has no frame");
        }
    }
    return XC_OK;
}

enum xc_status xc_sections_next(struct xc_sections *s, struct xc_section *section, struct xc_error *err)
{
    struct xc_mini_gop *gop = &section->gop;
    xc_mini_gop_clear(gop);
    if (!s->first) {
        return XC_OK;
    }
    *section = (struct xc_section){ .index = s->source->count - 1, .facts = { .key = s->key } };
    xc_mini_gop_add(gop, s->first);
    double novelty = 0;
    for (;;) {
        enum xc_status status = xc_lookahead_next(s->source, &s->first, err);
        if (status) {
            return status;
        }
        const bool cut = s->first && xc_scene_begins(s->scene, s->first);
        if (!s->first || cut || xc_mini_gop_is_full(gop)) {
            section->facts.cut = s->key = cut;
            section->facts.whole = section->index == 0 && !s->first;
            settle_facts(section, novelty);
            return cut ? XC_OK : add_after(s, gop, err);
        }
        if (gop->count < XC_FILTER_PICTURES) {
            novelty += xc_scene_novelty(s->scene);
        }
        xc_mini_gop_add(gop, s->first);
    }
}

void xc_sections_end(struct xc_sections *s)
{
    xc_scene_free(s->scene);
    xc_picture_unref(s->first);
}
