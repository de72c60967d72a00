/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/header_rewrite.h"

#include <string.h>

#include "bitstream/advance.h"

void xc_frame_make_explicit(struct xc_frame *frame, const struct xc_state *origin)
{
    struct xc_frame_header *h = &frame->header;
    if (h->filter_deltas_enabled) {
        h->filter_deltas = xc_filter_deltas_for(h, origin);
        h->update_filter_deltas = true;
        h->reference_delta_sent = h->mode_delta_sent = 0xf;
    }
    if (h->segmentation) {
        h->segment_data = xc_segment_data_for(h, origin);
        h->update_segment_data = h->update_segment_map = true;
        h->quantizer_sent = h->filter_level_sent = 0xf;
    }
}

static uint8_t differing(const int8_t a[4], const int8_t b[4])
{
    uint8_t result = 0;
    for (int i = 0; i < 4; i++) {
        result |= (uint8_t)((a[i] != b[i]) << i);
    }
    return result;
}

static bool map_equals(const struct xc_frame *frame, const struct xc_state *state)
{
    size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    for (size_t i = 0; i < count; i++) {
        if (frame->macroblocks[i].segment != state->segment_map[i]) {
            return false;
        }
    }
    return true;
}

/* Without segmentation a macroblock's segment is of no use now, but the map outlives the frame: keep what the state
 * has. */
static void inherit_map(struct xc_frame *frame, const struct xc_state *state)
{
    size_t count = (size_t)frame->mb_cols * frame->mb_rows;
    for (size_t i = 0; i < count; i++) {
        frame->macroblocks[i].segment = state->segment_map[i];
    }
}

void xc_frame_make_implicit(struct xc_frame *frame, const struct xc_state *destination)
{
    struct xc_frame_header *h = &frame->header;
    if (h->update_filter_deltas) {
        h->reference_delta_sent = differing(h->filter_deltas.reference, destination->filter_deltas.reference);
        h->mode_delta_sent = differing(h->filter_deltas.mode, destination->filter_deltas.mode);
        h->update_filter_deltas = h->reference_delta_sent || h->mode_delta_sent;
    }
    if (!h->segmentation) {
        inherit_map(frame, destination);
        return;
    }
    const int8_t zero[4] = { 0 };
    h->update_segment_data = memcmp(&h->segment_data, &destination->segment_data, sizeof h->segment_data) != 0;
    h->quantizer_sent = differing(h->segment_data.quantizer, zero);
    h->filter_level_sent = differing(h->segment_data.filter_level, zero);
    h->update_segment_map = !map_equals(frame, destination);
}
