/* SPDX-License-Identifier: BSD-2-Clause */
/* The text that xc-dissect of the original prints. */
#include "dissect_frame.h"

/* The name of a value, and room up to the column where values begin. */
static void print_key(FILE *out, int level, const char *key)
{
    const int length = fprintf(out, "%*s%s: ", 2 * level, "", key);
    fprintf(out, "%*s", length < 25 ? 25 - length : 0, "");
}

static void print_number(FILE *out, int level, const char *key, int value)
{
    print_key(out, level, key);
    fprintf(out, "%d\n", value);
}

static void print_list(FILE *out, const char *key, const uint8_t *values, int count)
{
    print_key(out, 1, key);
    for (int i = 0; i < count; i++) {
        fprintf(out, "%6d", values[i]);
    }
    putc('\n', out);
}

/* Four values of which some may not be sent. */
static void print_deltas(FILE *out, const char *key, const int8_t values[4], unsigned sent)
{
    print_key(out, 2, key);
    for (int i = 0; i < 4; i++) {
        if (sent >> i & 1) {
            fprintf(out, "%6d", values[i]);
        } else {
            fprintf(out, "%6s", "X");
        }
    }
    putc('\n', out);
}

static void print_filter_deltas(FILE *out, const struct xc_frame_header *h)
{
    print_number(out, 0, "mode_lf_adjustments", h->filter_deltas_enabled);
    if (!h->filter_deltas_enabled) {
        return;
    }
    print_number(out, 1, "lf_delta_update", h->update_filter_deltas);
    if (h->update_filter_deltas) {
        print_deltas(out, "ref_update", h->filter_deltas.reference, h->reference_delta_sent);
        print_deltas(out, "mode_update", h->filter_deltas.mode, h->mode_delta_sent);
    }
}

static void print_common_header(FILE *out, const struct xc_frame_header *h)
{
    print_number(out, 0, "refresh_entropy_probs", h->refresh_probabilities);
    print_number(out, 0, "update_segmentation", h->segmentation);
    print_number(out, 0, "filter_type", h->simple_filter);
    print_filter_deltas(out, h);
    print_number(out, 0, "loop_filter_level", h->filter_level);
    print_number(out, 0, "sharpness_level", h->sharpness);
    print_number(out, 0, "mb_no_skip_coeff", h->skip_enabled);
    if (h->skip_enabled) {
        print_number(out, 0, "prob_skip_false", h->skip_probability);
    }
}

static void print_mv_updates(FILE *out, const struct xc_frame_header *h)
{
    print_key(out, 0, "mv_prob_update");
    for (int i = 0; i < 2 * XC_MV_PROBABILITIES; i++) {
        const int component = i / XC_MV_PROBABILITIES, place = i % XC_MV_PROBABILITIES;
        const char *separator = i ? "|" : "";
        if (h->mv_sent[component] >> place & 1) {
            fprintf(out, "%s%d", separator, h->probabilities.mv[component][place]);
        } else {
            fprintf(out, "%s-", separator);
        }
    }
    putc('\n', out);
}

static void print_interframe_header(FILE *out, const struct xc_frame_header *h)
{
    print_number(out, 0, "refresh_last", h->refresh_last);
    print_number(out, 0, "refresh_golden_frame", h->refresh_golden);
    print_number(out, 0, "refresh_alternate_frame", h->refresh_altref);
    print_number(out, 0, "prob_inter", h->intra_probability);
    print_number(out, 0, "prob_last", h->last_probability);
    print_number(out, 0, "prob_golden", h->golden_probability);
    print_number(out, 0, "16x16_prob_update", h->y_modes_sent);
    if (h->y_modes_sent) {
        print_list(out, "16x16_prob", h->probabilities.y_mode, 4);
    }
    print_number(out, 0, "chroma_prob_update", h->uv_modes_sent);
    if (h->uv_modes_sent) {
        print_list(out, "chroma_prob", h->probabilities.uv_mode, 3);
    }
    print_mv_updates(out, h);
}

static void print_header(FILE *out, const struct xc_frame_header *h)
{
    if (!h->show) {
        fputs("(hidden frame)\n", out);
    }
    if (h->key_frame) {
        fputs("[Keyframe Header]\n", out);
        print_number(out, 0, "color_space", h->color_space);
        print_number(out, 0, "clamping_type", h->clamping_type);
    } else {
        fputs("[Interframe Header]\n", out);
    }
    print_common_header(out, h);
    if (!h->key_frame) {
        print_interframe_header(out, h);
    }
    putc('\n', out);
}

static void print_quantizers(FILE *out, const struct xc_frame_header *h)
{
    const struct {
        const char *name;
        int delta;
    } deltas[] = {
        { "y_dc   ", h->y1_dc_delta }, { "y2_dc  ", h->y2_dc_delta }, { "y2_ac  ", h->y2_ac_delta },
        { "uv_dc  ", h->uv_dc_delta }, { "uv_ac  ", h->uv_ac_delta },
    };
    fprintf(out, "[Quantizer]\ny_ac_qi = %d\n", h->quantizer);
    for (size_t i = 0; i < sizeof deltas / sizeof deltas[0]; i++) {
        if (deltas[i].delta) {
            fprintf(out, "%s = %d\n", deltas[i].name, deltas[i].delta);
        }
    }
    putc('\n', out);
}

/* A row of the table: what is not sent is a dash. */
static void print_probability_row(FILE *out, const struct xc_frame_header *h, int type, int band, int context)
{
    fprintf(out, "[ %d, %d, %d ] = { ", type, band, context);
    for (int node = 0; node < XC_TOKEN_NODES; node++) {
        if (h->coefficient_sent[type][band][context] >> node & 1) {
            fprintf(out, "%d\t", h->probabilities.coefficient[type][band][context][node]);
        } else {
            fputs("-\t", out);
        }
    }
    fputs(" }\n", out);
}

static void print_probabilities(FILE *out, const struct xc_frame_header *h)
{
    fputs("[Probability Tables]\n", out);
    for (int type = 0; type < XC_BLOCK_TYPES; type++) {
        for (int band = 0; band < XC_BANDS; band++) {
            for (int context = 0; context < XC_CONTEXTS; context++) {
                print_probability_row(out, h, type, band, context);
            }
        }
    }
    putc('\n', out);
}

static void print_levels(FILE *out, const int16_t *levels)
{
    if (!levels) {
        fputs("ALL ZERO\n", out);
        return;
    }
    for (int i = 0; i < 16; i++) {
        fprintf(out, "%s%d", i ? ", " : "DCT coeffs: { ", levels[i]);
    }
    fputs(" }\n\n", out);
}

static void print_luma(FILE *out, const struct xc_frame *frame, const struct xc_macroblock *mb, bool coefficients)
{
    const bool inter = mb->reference != XC_REF_INTRA;
    fprintf(out, "<Y>\nPrediction Mode: %s\n", dissect_y_modes[mb->y_mode]);
    if (inter) { /* the original counts in eighths of a sample */
        fprintf(out, "Base Motion Vector: ( %d, %d )\nReference: %s\n", 2 * mb->mv.column, 2 * mb->mv.row,
                dissect_references[mb->reference]);
    }
    putc('\n', out);
    for (int block = 0; block < XC_BLOCK_U; block++) {
        fprintf(out, "Y Subblock [ %d, %d ]\n", block & 3, block >> 2);
        if (mb->y_mode == XC_B_PRED || mb->y_mode == XC_SPLITMV) {
            const char *const *names = inter ? dissect_split_modes : dissect_b_modes;
            fprintf(out, "Prediction Mode: %s\n", names[mb->b_mode[block]]);
        }
        if (coefficients) {
            print_levels(out, dissect_levels(frame, mb, block));
        }
    }
    if (coefficients && mb->y_mode != XC_B_PRED && mb->y_mode != XC_SPLITMV) {
        const int16_t *levels = dissect_levels(frame, mb, XC_BLOCK_Y2);
        fputs("<Y2>\n", out);
        print_levels(out, levels);
        fputs(levels ? "" : "\n", out);
    }
    putc('\n', out);
}

static void print_chroma(FILE *out, const struct xc_frame *frame, const struct xc_macroblock *mb, char plane, int first,
                         bool coefficients)
{
    fprintf(out, "<%c>\n", plane);
    if (mb->reference == XC_REF_INTRA) {
        fprintf(out, "Prediction Mode: %s\n", dissect_y_modes[mb->uv_mode]);
    }
    putc('\n', out);
    for (int block = 0; block < 4; block++) {
        fprintf(out, "%c Subblock [ %d, %d ]\n", plane, block & 1, block >> 1);
        if (coefficients) {
            print_levels(out, dissect_levels(frame, mb, first + block));
        }
    }
    putc('\n', out);
}

static void print_macroblocks(FILE *out, const struct xc_frame *frame, bool coefficients)
{
    fputs("[Macroblocks]\n", out);
    const unsigned count = (unsigned)frame->mb_cols * frame->mb_rows;
    for (unsigned i = 0; i < count; i++) {
        const struct xc_macroblock *mb = &frame->macroblocks[i];
        fprintf(out, "Macroblock [ %u, %u ]\n", i % frame->mb_cols, i / frame->mb_cols);
        print_luma(out, frame, mb, coefficients);
        print_chroma(out, frame, mb, 'U', XC_BLOCK_U, coefficients);
        print_chroma(out, frame, mb, 'V', XC_BLOCK_V, coefficients);
    }
}

static void print_bits(FILE *out, const struct dissect_frame *frame)
{
    fputs("[Bits]\n", out);
    for (int i = 0; i < XC_BIT_KINDS; i++) {
        fprintf(out, "%-13s = %.1f\n", dissect_bit_kinds[i], dissect_bits(frame->bits.of[i]));
    }
    putc('\n', out);
}

void dissect_print_text(FILE *out, const struct dissect_frame *frame, const struct dissect_parts *parts)
{
    const struct xc_frame_header *h = &frame->frame.header;
    fprintf(out, ">> Frame #%u (%s)\n   Size: %u B\n", (unsigned)frame->number, h->key_frame ? "KF" : "IF",
            (unsigned)frame->size);
    if (parts->probabilities) {
        print_probabilities(out, h);
    }
    print_header(out, h);
    print_quantizers(out, h);
    if (parts->bits) {
        print_bits(out, frame);
    }
    if (parts->macroblocks) {
        print_macroblocks(out, &frame->frame, parts->coefficients);
    }
}
