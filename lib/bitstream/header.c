/* SPDX-License-Identifier: BSD-2-Clause */
#include "bitstream/header.h"

#include "base/little_endian.h"

const struct xc_probabilities *xc_probabilities_before(const struct xc_frame_header *header,
                                                       const struct xc_state *state)
{
    return header->key_frame ? &xc_default_probabilities : &state->probabilities;
}

enum xc_status xc_frame_start_read(struct xc_frame_header *h, uint32_t *first_partition, const uint8_t *data,
                                   size_t size, struct xc_error *err)
{
    if (size < XC_FRAME_TAG_SIZE) {
        return xc_fail(err, XC_ERR_FORMAT, "the frame ends inside its tag");
    }
    h->key_frame = !(data[0] & 1);
    h->version = data[0] >> 1 & 7;
    h->show = data[0] >> 4 & 1;
    *first_partition = (uint32_t)xc_get_le(data, XC_FRAME_TAG_SIZE) >> 5;
    if (!h->key_frame) {
        return XC_OK;
    }
    if (size < XC_KEY_FRAME_START_SIZE) {
        return xc_fail(err, XC_ERR_FORMAT, "the key frame ends inside its header");
    }
    if (data[3] != 0x9d || data[4] != 0x01 || data[5] != 0x2a) {
        return xc_fail(err, XC_ERR_FORMAT, "the key frame lacks its start code");
    }
    h->width = (uint16_t)(xc_get_le(data + 6, 2) & 0x3fff);
    h->horizontal_scale = data[7] >> 6;
    h->height = (uint16_t)(xc_get_le(data + 8, 2) & 0x3fff);
    h->vertical_scale = data[9] >> 6;
    if (h->width == 0 || h->height == 0) {
        return xc_fail(err, XC_ERR_FORMAT, "the key frame's size is %ux%u", h->width, h->height);
    }
    return XC_OK;
}

size_t xc_frame_start_write(uint8_t start[XC_KEY_FRAME_START_SIZE], const struct xc_frame_header *h,
                            uint32_t first_partition)
{
    uint32_t tag = (uint32_t)!h->key_frame | (uint32_t)h->version << 1 | (uint32_t)h->show << 4 | first_partition << 5;
    xc_put_le(start, XC_FRAME_TAG_SIZE, tag);
    if (!h->key_frame) {
        return XC_FRAME_TAG_SIZE;
    }
    start[3] = 0x9d;
    start[4] = 0x01;
    start[5] = 0x2a;
    xc_put_le(start + 6, 2, h->width | (unsigned)h->horizontal_scale << 14);
    xc_put_le(start + 8, 2, h->height | (unsigned)h->vertical_scale << 14);
    return XC_KEY_FRAME_START_SIZE;
}

/* A list of values each of which may be left out; what is not sent keeps the value it has. */
static uint8_t code_optional(struct xc_coder c, uint8_t sent, int8_t values[4], int bits)
{
    uint8_t result = 0;
    for (int i = 0; i < 4; i++) {
        if (xc_code_flag(c, sent >> i & 1)) {
            result |= (uint8_t)(1 << i);
            values[i] = (int8_t)xc_code_signed(c, bits, values[i]);
        }
    }
    return result;
}

/* Section 9.3. */
static void code_segmentation(struct xc_coder c, struct xc_frame_header *h)
{
    h->segmentation = xc_code_flag(c, h->segmentation);
    if (!h->segmentation) {
        return;
    }
    h->update_segment_map = xc_code_flag(c, h->update_segment_map);
    h->update_segment_data = xc_code_flag(c, h->update_segment_data);
    if (h->update_segment_data) {
        struct xc_segment_data *data = &h->segment_data;
        data->absolute = xc_code_flag(c, data->absolute);
        h->quantizer_sent = code_optional(c, h->quantizer_sent, data->quantizer, 7);
        h->filter_level_sent = code_optional(c, h->filter_level_sent, data->filter_level, 6);
    }
    if (h->update_segment_map) {
        for (int i = 0; i < 3; i++) {
            bool sent = xc_code_flag(c, h->segment_tree[i] != 255);
            h->segment_tree[i] = sent ? (uint8_t)xc_code_literal(c, 8, h->segment_tree[i]) : 255;
        }
    }
}

/* Section 9.4. */
static void code_loop_filter(struct xc_coder c, struct xc_frame_header *h)
{
    h->simple_filter = xc_code_flag(c, h->simple_filter);
    h->filter_level = (uint8_t)xc_code_literal(c, 6, h->filter_level);
    h->sharpness = (uint8_t)xc_code_literal(c, 3, h->sharpness);
    h->filter_deltas_enabled = xc_code_flag(c, h->filter_deltas_enabled);
    if (!h->filter_deltas_enabled) {
        return;
    }
    h->update_filter_deltas = xc_code_flag(c, h->update_filter_deltas);
    if (h->update_filter_deltas) {
        h->reference_delta_sent = code_optional(c, h->reference_delta_sent, h->filter_deltas.reference, 6);
        h->mode_delta_sent = code_optional(c, h->mode_delta_sent, h->filter_deltas.mode, 6);
    }
}

static int8_t code_quantizer_delta(struct xc_coder c, int8_t delta)
{
    return xc_code_flag(c, delta != 0) ? (int8_t)xc_code_signed(c, 4, delta) : 0;
}

/* Section 9.6, and 14.1 for what the indices mean. */
static void code_quantizers(struct xc_coder c, struct xc_frame_header *h)
{
    h->quantizer = (uint8_t)xc_code_literal(c, 7, h->quantizer);
    h->y1_dc_delta = code_quantizer_delta(c, h->y1_dc_delta);
    h->y2_dc_delta = code_quantizer_delta(c, h->y2_dc_delta);
    h->y2_ac_delta = code_quantizer_delta(c, h->y2_ac_delta);
    h->uv_dc_delta = code_quantizer_delta(c, h->uv_dc_delta);
    h->uv_ac_delta = code_quantizer_delta(c, h->uv_ac_delta);
}

/* Section 9.7. */
static void code_references(struct xc_coder c, struct xc_frame_header *h)
{
    h->refresh_golden = xc_code_flag(c, h->refresh_golden);
    h->refresh_altref = xc_code_flag(c, h->refresh_altref);
    if (!h->refresh_golden) {
        h->copy_to_golden = (uint8_t)xc_code_literal(c, 2, h->copy_to_golden);
    }
    if (!h->refresh_altref) {
        h->copy_to_altref = (uint8_t)xc_code_literal(c, 2, h->copy_to_altref);
    }
    h->sign_bias_golden = xc_code_flag(c, h->sign_bias_golden);
    h->sign_bias_altref = xc_code_flag(c, h->sign_bias_altref);
}

/* As xc_code_literal does. */
XC_INLINE uint8_t code_probability(struct xc_coder c, uint8_t probability)
{
    unsigned result = 0;
    for (int bit = 7; bit >= 0; bit--) {
        result = result << 1 | xc_code_constant(c, 128, probability >> bit & 1);
    }
    return (uint8_t)result;
}

/* Section 13.4. */
XC_INLINE void code_coefficient_updates(struct xc_coder c, struct xc_frame_header *h)
{
    c.kind = XC_BITS_PROBABILITIES;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 8; j++) {
            for (int k = 0; k < 3; k++) {
                uint8_t *probability = h->probabilities.coefficient[i][j][k];
                uint16_t sent = 0;
                for (int l = 0; l < 11; l++) {
                    if (xc_code_rare(c, xc_coefficient_update_probability[i][j][k][l],
                                     h->coefficient_sent[i][j][k] >> l & 1)) {
                        probability[l] = code_probability(c, probability[l]);
                        sent |= (uint16_t)(1 << l);
                    }
                }
                h->coefficient_sent[i][j][k] = sent;
            }
        }
    }
}

/* Most of a header's bools are read here. */
static void read_coefficient_updates(struct xc_bool_reader *reader, struct xc_frame_header *h)
{
    struct xc_bool_reader local = *reader;
    code_coefficient_updates((struct xc_coder){ .coding = XC_READ, .reader = &local }, h);
    *reader = local;
}

/* Section 17.2: seven bits stand for an even probability; 0 stands for 1. */
static void code_mv_updates(struct xc_coder c, struct xc_frame_header *h)
{
    c.kind = XC_BITS_PROBABILITIES;
    for (int i = 0; i < 2; i++) {
        uint32_t sent = 0;
        for (int j = 0; j < 19; j++) {
            if (xc_code_constant(c, xc_mv_update_probability[i][j], h->mv_sent[i] >> j & 1)) {
                unsigned half = xc_code_literal(c, 7, h->probabilities.mv[i][j] >> 1);
                h->probabilities.mv[i][j] = half ? (uint8_t)(half << 1) : 1;
                sent |= 1u << j;
            }
        }
        h->mv_sent[i] = sent;
    }
}

static bool code_mode_probabilities(struct xc_coder c, bool sent, uint8_t *probabilities, int count)
{
    c.kind = XC_BITS_PROBABILITIES;
    sent = xc_code_flag(c, sent);
    for (int i = 0; sent && i < count; i++) {
        probabilities[i] = (uint8_t)xc_code_literal(c, 8, probabilities[i]);
    }
    return sent;
}

void xc_header_code(struct xc_coder c, struct xc_frame_header *h)
{
    if (h->key_frame) {
        h->color_space = xc_code_flag(c, h->color_space);
        h->clamping_type = xc_code_flag(c, h->clamping_type);
    }
    code_segmentation(c, h);
    code_loop_filter(c, h);
    h->log2_token_partitions = (uint8_t)xc_code_literal(c, 2, h->log2_token_partitions);
    code_quantizers(c, h);
    if (!h->key_frame) {
        code_references(c, h);
    }
    h->refresh_probabilities = xc_code_flag(c, h->refresh_probabilities);
    if (!h->key_frame) {
        h->refresh_last = xc_code_flag(c, h->refresh_last);
    }
    if (c.coding == XC_READ) {
        read_coefficient_updates(c.reader, h);
    } else {
        code_coefficient_updates(c, h);
    }
    h->skip_enabled = xc_code_flag(c, h->skip_enabled);
    if (h->skip_enabled) {
        h->skip_probability = (uint8_t)xc_code_literal(c, 8, h->skip_probability);
    }
    if (!h->key_frame) {
        h->intra_probability = (uint8_t)xc_code_literal(c, 8, h->intra_probability);
        h->last_probability = (uint8_t)xc_code_literal(c, 8, h->last_probability);
        h->golden_probability = (uint8_t)xc_code_literal(c, 8, h->golden_probability);
        h->y_modes_sent = code_mode_probabilities(c, h->y_modes_sent, h->probabilities.y_mode, 4);
        h->uv_modes_sent = code_mode_probabilities(c, h->uv_modes_sent, h->probabilities.uv_mode, 3);
        code_mv_updates(c, h);
    }
}
