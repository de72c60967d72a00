/* SPDX-License-Identifier: BSD-2-Clause */
/* make-variants SEED IN.ivf OUT.ivf: turns a stream into one that no encoder makes. Each frame is parsed, what its
 * header and macroblocks say is changed at random within what the format allows, and it is written again. The pictures
 * are nonsense, but every decoder must show the same nonsense. */
#include "excamera/decode.h"
#include "excamera/frame.h"
#include "excamera/state.h"
#include "unit.h"

static uint64_t seed;

static unsigned below(unsigned n)
{
    return unit_below(&seed, n);
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

static int between(int low, int high)
{
    return low + (int)below((unsigned)(high - low + 1));
}

static void vary_segments(struct xc_frame *frame, const struct xc_state *state)
{
    struct xc_frame_header *header = &frame->header;
    bool same_size = header->key_frame ? false : state->segment_map != NULL;
    header->segmentation = !one_in(4);
    header->update_segment_map = header->segmentation && one_in(2);
    header->update_segment_data = header->segmentation && one_in(2);
    header->quantizer_sent = header->filter_level_sent = 0;
    memset(&header->segment_data, 0, sizeof header->segment_data);
    memset(header->segment_tree, 255, sizeof header->segment_tree);
    if (header->update_segment_data) {
        header->segment_data.absolute = (uint8_t)below(2);
        for (unsigned i = 0; i < XC_SEGMENTS; i++) {
            if (one_in(2)) { /* small, so that no coefficient outgrows 16 bits */
                header->quantizer_sent |= (uint8_t)(1u << i);
                header->segment_data.quantizer[i] = (int8_t)between(header->segment_data.absolute ? 0 : -20, 10);
            }
            if (one_in(2)) {
                header->filter_level_sent |= (uint8_t)(1u << i);
                header->segment_data.filter_level[i] = (int8_t)between(header->segment_data.absolute ? 0 : -63, 63);
            }
        }
    }
    for (unsigned i = 0; header->update_segment_map && i < 3; i++) {
        header->segment_tree[i] = one_in(3) ? 255 : (uint8_t)between(1, 254);
    }
    for (size_t i = 0; i < (size_t)frame->mb_cols * frame->mb_rows; i++) {
        struct xc_macroblock *macroblock = &frame->macroblocks[i];
        macroblock->segment = header->update_segment_map          ? (uint8_t)below(XC_SEGMENTS)
                              : header->segmentation && same_size ? state->segment_map[i]
                                                                  : 0;
    }
}

static void vary_filter(struct xc_frame_header *header)
{
    header->simple_filter = one_in(2);
    header->filter_level = one_in(4) ? 0 : (uint8_t)below(64);
    header->sharpness = (uint8_t)below(8);
    header->filter_deltas_enabled = one_in(2);
    header->update_filter_deltas = header->filter_deltas_enabled && one_in(2);
    header->reference_delta_sent = header->update_filter_deltas ? (uint8_t)below(16) : 0;
    header->mode_delta_sent = header->update_filter_deltas ? (uint8_t)below(16) : 0;
    for (unsigned i = 0; i < 4; i++) {
        bool reference = header->reference_delta_sent >> i & 1, mode = header->mode_delta_sent >> i & 1;
        header->filter_deltas.reference[i] = reference ? (int8_t)between(-63, 63) : 0;
        header->filter_deltas.mode[i] = mode ? (int8_t)between(-63, 63) : 0;
    }
}

/* Finer quantizers only: the levels are what they are, and must not outgrow 16 bits when they are multiplied. */
static void vary_quantizer(struct xc_frame_header *header)
{
    header->quantizer = (uint8_t)below(header->quantizer > 20 ? header->quantizer - 20u : 1u);
    int8_t *deltas[] = { &header->y1_dc_delta, &header->y2_dc_delta, &header->y2_ac_delta, &header->uv_dc_delta,
                         &header->uv_ac_delta };
    for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++) {
        *deltas[i] = one_in(2) ? 0 : (int8_t)between(-15, 15);
    }
}

static void vary_references(struct xc_frame_header *header)
{
    header->refresh_golden = one_in(4);
    header->refresh_altref = one_in(4);
    header->refresh_last = !one_in(4);
    header->copy_to_golden = header->refresh_golden ? 0 : (uint8_t)below(3);
    header->copy_to_altref = header->refresh_altref ? 0 : (uint8_t)below(3);
}

/* A frame that sends nothing has the state's probabilities; a key frame's base is the standard's defaults, which the
 * parsed frame holds wherever it sends nothing, so there only what is sent changes. */
static void vary_probabilities(struct xc_frame_header *header, const struct xc_state *state)
{
    uint8_t *coefficient = &header->probabilities.coefficient[0][0][0][0];
    uint16_t *sent = &header->coefficient_sent[0][0][0];
    if (!header->key_frame) {
        header->probabilities = state->probabilities;
        memset(header->coefficient_sent, 0, sizeof header->coefficient_sent);
        memset(header->mv_sent, 0, sizeof header->mv_sent);
    }
    for (unsigned i = 0; i < 4 * 8 * 3 * 11; i++) {
        if (one_in(30)) {
            sent[i / 11] |= (uint16_t)(1u << i % 11);
            coefficient[i] = (uint8_t)between(1, 255);
        }
    }
    header->refresh_probabilities = !one_in(3);
    if (header->key_frame) {
        return;
    }
    for (unsigned i = 0; i < 2 * 19; i++) {
        if (one_in(6)) { /* sent in 7 bits */
            unsigned value = below(128);
            header->mv_sent[i / 19] |= 1u << i % 19;
            header->probabilities.mv[i / 19][i % 19] = (uint8_t)(value ? value << 1 : 1);
        }
    }
    header->y_modes_sent = one_in(4);
    header->uv_modes_sent = one_in(4);
    for (unsigned i = 0; header->y_modes_sent && i < 4; i++) {
        header->probabilities.y_mode[i] = (uint8_t)between(1, 255);
    }
    for (unsigned i = 0; header->uv_modes_sent && i < 3; i++) {
        header->probabilities.uv_mode[i] = (uint8_t)between(1, 255);
    }
    header->intra_probability = (uint8_t)between(1, 255);
    header->last_probability = (uint8_t)between(1, 255);
    header->golden_probability = (uint8_t)between(1, 255);
}

static bool has_tokens(const struct xc_macroblock *macroblock)
{
    for (unsigned i = 0; i < XC_BLOCKS; i++) {
        if (macroblock->tokens[i]) {
            return true;
        }
    }
    return false;
}

static void vary_skipping(struct xc_frame *frame)
{
    frame->header.skip_enabled = !one_in(3);
    frame->header.skip_probability = frame->header.skip_enabled ? (uint8_t)between(1, 255) : 0;
    for (size_t i = 0; i < (size_t)frame->mb_cols * frame->mb_rows; i++) {
        struct xc_macroblock *macroblock = &frame->macroblocks[i];
        macroblock->skip = frame->header.skip_enabled && !has_tokens(macroblock) && !one_in(3);
    }
}

static struct xc_mv vary_mv(struct xc_mv mv)
{
    if (one_in(4)) { /* anywhere, also far beyond the edge */
        return (struct xc_mv){ (int16_t)between(-400, 400), (int16_t)between(-400, 400) };
    }
    return (struct xc_mv){ (int16_t)(mv.row + between(-9, 9)), (int16_t)(mv.column + between(-9, 9)) };
}

/* Says every vector outright instead of by its neighbours', so that each can change on its own. */
static void vary_motion(struct xc_macroblock *macroblock)
{
    macroblock->reference = (uint8_t)(1 + below(XC_REFERENCES));
    if (macroblock->y_mode == XC_SPLITMV) {
        for (unsigned i = 0; i < 16; i++) {
            macroblock->b_mode[i] = XC_NEW4X4;
        }
        macroblock->mv = macroblock->split[15];
    } else if (macroblock->y_mode != XC_ZEROMV) {
        macroblock->y_mode = XC_NEWMV;
        macroblock->mv = one_in(2) ? vary_mv(macroblock->mv) : macroblock->mv;
    }
}

static void vary_intra(struct xc_macroblock *macroblock)
{
    macroblock->uv_mode = (uint8_t)below(XC_TM_PRED + 1);
    if (macroblock->y_mode != XC_B_PRED) {
        macroblock->y_mode = (uint8_t)below(XC_TM_PRED + 1);
        return;
    }
    for (unsigned i = 0; i < 16; i++) {
        macroblock->b_mode[i] = (uint8_t)below(XC_B_MODES);
    }
}

static void vary_macroblocks(struct xc_frame *frame)
{
    /* Profile 3 keeps its vectors: libvpx predicts no chroma where they reach too far beyond the edge. */
    bool motion = !frame->header.key_frame && frame->header.version != 3 && one_in(2);
    if (motion) {
        frame->header.sign_bias_golden = one_in(2);
        frame->header.sign_bias_altref = one_in(2);
    }
    for (size_t i = 0; i < (size_t)frame->mb_cols * frame->mb_rows; i++) {
        struct xc_macroblock *macroblock = &frame->macroblocks[i];
        if (macroblock->reference == XC_REF_INTRA && one_in(4)) {
            vary_intra(macroblock);
        } else if (macroblock->reference != XC_REF_INTRA && motion) {
            vary_motion(macroblock);
        }
    }
}

static void vary(struct xc_frame *frame, const struct xc_state *state)
{
    struct xc_frame_header *header = &frame->header;
    header->show = header->key_frame || !one_in(8);
    header->horizontal_scale = header->key_frame ? (uint8_t)below(4) : 0;
    header->vertical_scale = header->key_frame ? (uint8_t)below(4) : 0;
    header->color_space = header->key_frame ? (uint8_t)below(2) : 0;
    header->clamping_type = header->key_frame ? (uint8_t)below(2) : 0;
    header->log2_token_partitions = (uint8_t)below(4);
    vary_segments(frame, state);
    vary_filter(header);
    vary_quantizer(header);
    vary_probabilities(header, state);
    vary_skipping(frame);
    vary_macroblocks(frame);
    if (!header->key_frame) {
        vary_references(header);
    }
}

static void must(enum xc_status status, const struct xc_error *err, const char *what, uint32_t number)
{
    if (status != XC_OK) {
        fprintf(stderr, "make-variants: frame %u: %s: %s\n", number, what, err->text);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: make-variants SEED IN.ivf OUT.ivf\n", stderr);
        return 2;
    }
    seed = strtoull(argv[1], NULL, 10) + 1;
    struct xc_ivf ivf = unit_read_ivf(argv[2]);
    FILE *out = fopen(argv[3], "wb");
    struct xc_error err = { .text = "cannot create the output" };
    struct xc_workspace *workspace = NULL;
    ivf.header.duration = 0; /* which frames are hidden is varied, too */
    must(out ? xc_ivf_write_header(out, &ivf.header, &err) : XC_ERR_IO, &err, argv[3], 0);
    must(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), &err, "workspace", 0);

    struct xc_state read_state = XC_STATE_INIT, written_state = XC_STATE_INIT;
    struct xc_frame frame = XC_FRAME_INIT;
    struct xc_bytes bytes = XC_BYTES_INIT;
    for (uint32_t i = 0; i < ivf.header.frame_count; i++) {
        const struct xc_ivf_frame *in = &ivf.frames[i];
        must(xc_frame_parse(&frame, &read_state, in->data, in->size, &err), &err, "parsing", i);
        must(xc_decode(workspace, &read_state, in->data, in->size, NULL, &err), &err, "decoding", i);
        vary(&frame, &written_state);
        must(xc_frame_serialize(&bytes, &frame, &written_state, &err), &err, "serializing", i);
        must(xc_decode(workspace, &written_state, bytes.data, bytes.size, NULL, &err), &err, "decoding the variant", i);
        must(xc_ivf_write_frame(out, in->timestamp, bytes.data, bytes.size, &err), &err, "writing", i);
    }
    xc_bytes_clear(&bytes);
    xc_frame_clear(&frame);
    xc_state_clear(&read_state);
    xc_state_clear(&written_state);
    xc_workspace_free(workspace);
    xc_ivf_clear(&ivf);
    return fclose(out) != 0;
}
