/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame taken apart, as JSON. */
#include "dissect_frame.h"

static void write_integers(struct xc_json *json, const char *key, const int8_t *values, int count)
{
    xc_json_array(json, key);
    for (int i = 0; i < count; i++) {
        xc_json_integer(json, NULL, values[i]);
    }
    xc_json_end(json);
}

static void write_segmentation(struct xc_json *json, const struct xc_frame_header *h)
{
    xc_json_flag(json, "segmentation", h->segmentation);
    if (h->segmentation) {
        xc_json_flag(json, "update_segment_map", h->update_segment_map);
        xc_json_flag(json, "update_segment_data", h->update_segment_data);
    }
    if (h->update_segment_data) {
        xc_json_flag(json, "segment_absolute", h->segment_data.absolute);
        write_integers(json, "segment_quantizer", h->segment_data.quantizer, XC_SEGMENTS);
        write_integers(json, "segment_filter_level", h->segment_data.filter_level, XC_SEGMENTS);
    }
}

static void write_filter(struct xc_json *json, const struct xc_frame_header *h)
{
    xc_json_flag(json, "simple_filter", h->simple_filter);
    xc_json_integer(json, "filter_level", h->filter_level);
    xc_json_integer(json, "sharpness", h->sharpness);
    xc_json_flag(json, "filter_deltas_enabled", h->filter_deltas_enabled);
    if (h->update_filter_deltas) {
        write_integers(json, "reference_filter_delta", h->filter_deltas.reference, XC_REF_FRAMES);
        write_integers(json, "mode_filter_delta", h->filter_deltas.mode, 4);
    }
}

static void write_quantizers(struct xc_json *json, const struct xc_frame_header *h)
{
    xc_json_object(json, "quantizer");
    xc_json_integer(json, "y_ac", h->quantizer);
    xc_json_integer(json, "y_dc_delta", h->y1_dc_delta);
    xc_json_integer(json, "y2_dc_delta", h->y2_dc_delta);
    xc_json_integer(json, "y2_ac_delta", h->y2_ac_delta);
    xc_json_integer(json, "uv_dc_delta", h->uv_dc_delta);
    xc_json_integer(json, "uv_ac_delta", h->uv_ac_delta);
    xc_json_end(json);
}

static void write_references(struct xc_json *json, const struct xc_frame_header *h)
{
    static const char *const golden_from[] = { "none", "last", "altref" }, *const altref_from[] = { "none", "last",
                                                                                                    "golden" };
    xc_json_flag(json, "refresh_last", h->refresh_last);
    xc_json_flag(json, "refresh_golden", h->refresh_golden);
    xc_json_flag(json, "refresh_altref", h->refresh_altref);
    xc_json_text(json, "copy_to_golden", golden_from[h->copy_to_golden]);
    xc_json_text(json, "copy_to_altref", altref_from[h->copy_to_altref]);
    xc_json_flag(json, "sign_bias_golden", h->sign_bias_golden);
    xc_json_flag(json, "sign_bias_altref", h->sign_bias_altref);
    xc_json_integer(json, "intra_probability", h->intra_probability);
    xc_json_integer(json, "last_probability", h->last_probability);
    xc_json_integer(json, "golden_probability", h->golden_probability);
}

static void write_header(struct xc_json *json, const struct xc_frame_header *h)
{
    xc_json_object(json, "header");
    xc_json_integer(json, "version", h->version);
    if (h->key_frame) {
        xc_json_integer(json, "width", h->width);
        xc_json_integer(json, "height", h->height);
        xc_json_integer(json, "color_space", h->color_space);
        xc_json_integer(json, "clamping_type", h->clamping_type);
    } else {
        write_references(json, h);
    }
    write_segmentation(json, h);
    write_filter(json, h);
    xc_json_integer(json, "token_partitions", 1 << h->log2_token_partitions);
    xc_json_flag(json, "refresh_probabilities", h->refresh_probabilities);
    xc_json_flag(json, "skip_enabled", h->skip_enabled);
    xc_json_integer(json, "skip_probability", h->skip_probability);
    write_quantizers(json, h);
    xc_json_end(json);
}

static void write_bits(struct xc_json *json, const char *key, const struct xc_bits *bits, int first_kind)
{
    xc_json_object(json, key);
    for (int i = first_kind; i < XC_BIT_KINDS; i++) {
        xc_json_real(json, dissect_bit_kinds[i], dissect_bits(bits->of[i]));
    }
    xc_json_end(json);
}

static void write_probability(struct xc_json *json, const char *table, const int *index, int depth, int value)
{
    xc_json_object(json, NULL);
    xc_json_text(json, "table", table);
    xc_json_array(json, "index");
    for (int i = 0; i < depth; i++) {
        xc_json_integer(json, NULL, index[i]);
    }
    xc_json_end(json);
    xc_json_integer(json, "value", value);
    xc_json_end(json);
}

/* Those that the frame sends. */
static void write_probabilities(struct xc_json *json, const struct xc_frame_header *h)
{
    xc_json_array(json, "probabilities");
    for (int i = 0; i < XC_BLOCK_TYPES * XC_BANDS * XC_CONTEXTS * XC_TOKEN_NODES; i++) {
        const int row = i / XC_TOKEN_NODES, node = i % XC_TOKEN_NODES;
        const int type = row / (XC_BANDS * XC_CONTEXTS), band = row / XC_CONTEXTS % XC_BANDS;
        const int index[4] = { type, band, row % XC_CONTEXTS, node };
        if (h->coefficient_sent[type][band][index[2]] >> node & 1) {
            write_probability(json, "coefficient", index, 4, h->probabilities.coefficient[type][band][index[2]][node]);
        }
    }
    for (int i = 0; i < 2 * XC_MV_PROBABILITIES; i++) {
        const int index[2] = { i / XC_MV_PROBABILITIES, i % XC_MV_PROBABILITIES };
        if (h->mv_sent[index[0]] >> index[1] & 1) {
            write_probability(json, "mv", index, 2, h->probabilities.mv[index[0]][index[1]]);
        }
    }
    for (int i = 0; h->y_modes_sent && i < 4; i++) {
        write_probability(json, "y_mode", &i, 1, h->probabilities.y_mode[i]);
    }
    for (int i = 0; h->uv_modes_sent && i < 3; i++) {
        write_probability(json, "uv_mode", &i, 1, h->probabilities.uv_mode[i]);
    }
    xc_json_end(json);
}

static void write_mv(struct xc_json *json, const char *key, struct xc_mv mv)
{
    xc_json_array(json, key);
    xc_json_integer(json, NULL, mv.column);
    xc_json_integer(json, NULL, mv.row);
    xc_json_end(json);
}

static void write_blocks(struct xc_json *json, const struct xc_macroblock *mb)
{
    const bool split = mb->y_mode == XC_SPLITMV;
    if (mb->y_mode != XC_B_PRED && !split) {
        return;
    }
    xc_json_array(json, "block_modes");
    for (int i = 0; i < 16; i++) {
        xc_json_text(json, NULL, (split ? dissect_split_modes : dissect_b_modes)[mb->b_mode[i]]);
    }
    xc_json_end(json);
    if (split) {
        xc_json_array(json, "block_vectors");
        for (int i = 0; i < 16; i++) {
            write_mv(json, NULL, mb->split[i]);
        }
        xc_json_end(json);
    }
}

/* The blocks that have some, by name: y2, y_0 to y_15, u_0 to u_3, v_0 to v_3. */
static void write_levels(struct xc_json *json, const struct xc_frame *frame, const struct xc_macroblock *mb)
{
    static const struct {
        char name;
        int first, count;
    } planes[] = { { 'y', XC_BLOCK_Y2, 1 }, { 'y', 0, 16 }, { 'u', XC_BLOCK_U, 4 }, { 'v', XC_BLOCK_V, 4 } };
    xc_json_object(json, "coefficients");
    for (int i = 0; i < XC_BLOCKS; i++) {
        int plane = 0, block = i;
        while (block >= planes[plane].count) {
            block -= planes[plane++].count;
        }
        const int16_t *levels = dissect_levels(frame, mb, planes[plane].first + block);
        if (levels) {
            char name[8];
            snprintf(name, sizeof name, plane ? "%c_%d" : "%c2", planes[plane].name, block);
            xc_json_array(json, name);
            for (int j = 0; j < 16; j++) {
                xc_json_integer(json, NULL, levels[j]);
            }
            xc_json_end(json);
        }
    }
    xc_json_end(json);
}

static void write_macroblocks(struct xc_json *json, const struct dissect_frame *frame, bool coefficients)
{
    const unsigned columns = frame->frame.mb_cols, count = columns * frame->frame.mb_rows;
    xc_json_array(json, "macroblocks");
    for (unsigned i = 0; i < count; i++) {
        const struct xc_macroblock *mb = &frame->frame.macroblocks[i];
        xc_json_object(json, NULL);
        xc_json_integer(json, "column", i % columns);
        xc_json_integer(json, "row", i / columns);
        xc_json_text(json, "mode", dissect_y_modes[mb->y_mode]);
        xc_json_text(json, "reference", dissect_references[mb->reference]);
        if (mb->reference == XC_REF_INTRA) {
            xc_json_text(json, "chroma_mode", dissect_y_modes[mb->uv_mode]);
        } else {
            write_mv(json, "vector", mb->mv);
        }
        write_blocks(json, mb);
        xc_json_integer(json, "segment", mb->segment);
        xc_json_flag(json, "skip", mb->skip);
        write_bits(json, "bits", &frame->macroblocks[i], XC_BITS_SEGMENTS);
        if (coefficients) {
            write_levels(json, &frame->frame, mb);
        }
        xc_json_end(json);
    }
    xc_json_end(json);
}

void dissect_print_json(struct xc_json *json, const struct dissect_frame *frame, const struct dissect_parts *parts)
{
    const struct xc_frame_header *h = &frame->frame.header;
    xc_json_object(json, NULL);
    xc_json_integer(json, "frame", frame->number);
    xc_json_integer(json, "size", frame->size);
    xc_json_flag(json, "key_frame", h->key_frame);
    xc_json_flag(json, "shown", h->show);
    write_header(json, h);
    write_bits(json, "bits", &frame->bits, 0);
    if (parts->probabilities) {
        write_probabilities(json, h);
    }
    if (parts->macroblocks) {
        write_macroblocks(json, frame, parts->coefficients);
    }
    xc_json_end(json);
}
