/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/advance.h"

#include <stdlib.h>
#include <string.h>

#include "bitstream/frame.h"
#include "bitstream/tables.h"

struct xc_segment_data xc_segment_data_for(const struct xc_frame_header *h, const struct xc_state *state)
{
    if (h->update_segment_data) {
        return h->segment_data;
    }
    return h->key_frame ? (struct xc_segment_data){ 0 } : state->segment_data;
}

struct xc_filter_deltas xc_filter_deltas_for(const struct xc_frame_header *h, const struct xc_state *state)
{
    struct xc_filter_deltas deltas = h->key_frame ? (struct xc_filter_deltas){ { 0 }, { 0 } } : state->filter_deltas;
    for (int i = 0; i < 4; i++) {
        if (h->reference_delta_sent >> i & 1) {
            deltas.reference[i] = h->filter_deltas.reference[i];
        }
        if (h->mode_delta_sent >> i & 1) {
            deltas.mode[i] = h->filter_deltas.mode[i];
        }
    }
    return deltas;
}

static enum xc_status follow_key_frame(struct xc_state *state, const struct xc_frame *frame, struct xc_error *err)
{
    const struct xc_frame_header *h = &frame->header;
    size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    if (state->width != h->width || state->height != h->height) {
        uint8_t *map = malloc(count);
        if (!map) {
            return xc_fail(err, XC_ERR_MEMORY, "out of memory for a segment map");
        }
        free(state->segment_map);
        state->segment_map = map;
        state->width = h->width;
        state->height = h->height;
    }
    state->horizontal_scale = h->horizontal_scale;
    state->vertical_scale = h->vertical_scale;
    state->color_space = h->color_space;
    state->clamping_type = h->clamping_type;
    return XC_OK;
}

enum xc_status xc_state_follow_header(struct xc_state *state, const struct xc_frame *frame, struct xc_error *err)
{
    const struct xc_frame_header *h = &frame->header;
    enum xc_status status = xc_frame_check_size(frame, state, err);
    if (!status && h->key_frame) {
        status = follow_key_frame(state, frame, err);
    }
    if (status) {
        return status;
    }
    state->segment_data = xc_segment_data_for(h, state);
    state->filter_deltas = xc_filter_deltas_for(h, state);
    if (h->refresh_probabilities) {
        state->probabilities = h->probabilities;
    } else if (h->key_frame) {
        state->probabilities = xc_default_probabilities; /* the frame's own are forgotten, not the start over */
    }
    const size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    if (h->update_segment_map) {
        for (size_t i = 0; i < count; i++) {
            state->segment_map[i] = frame->macroblocks[i].segment;
        }
    } else if (h->key_frame) {
        memset(state->segment_map, 0, count);
    }
    return XC_OK;
}

static void set_reference(struct xc_state *state, enum xc_reference which, struct xc_picture *picture)
{
    struct xc_picture *old = state->reference[which];
    state->reference[which] = xc_picture_ref(picture);
    xc_picture_unref(old);
}

/* Section 9.7. The alt-ref copy comes first, and a golden that copies the alt-ref sees it: libvpx's order, which
 * matters only to a frame that asks for both. */
void xc_state_follow_picture(struct xc_state *state, const struct xc_frame_header *h, struct xc_picture *picture)
{
    if (h->copy_to_altref) {
        set_reference(state, XC_ALTREF, state->reference[h->copy_to_altref == 1 ? XC_LAST : XC_GOLDEN]);
    }
    if (h->copy_to_golden) {
        set_reference(state, XC_GOLDEN, state->reference[h->copy_to_golden == 1 ? XC_LAST : XC_ALTREF]);
    }
    if (h->key_frame || h->refresh_golden) {
        set_reference(state, XC_GOLDEN, picture);
    }
    if (h->key_frame || h->refresh_altref) {
        set_reference(state, XC_ALTREF, picture);
    }
    if (h->key_frame || h->refresh_last) {
        set_reference(state, XC_LAST, picture);
    }
}
