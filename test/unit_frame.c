/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as values: parsing and serializing are inverse, optimizing changes the bytes and nothing else, and the two
 * ways of decoding agree. Usage: unit_frame FILE.ivf ..., one test per file. */
#define _DEFAULT_SOURCE /* for MAP_ANONYMOUS */
#include <sys/mman.h>

#include "encode/mode_cost.h"
#include "excamera/bits.h"
#include "excamera/decode.h"
#include "excamera/frame.h"
#include "excamera/picture.h"
#include "excamera/state.h"
#include "unit.h"

#define SAME(field) CHECK(memcmp(&a->field, &b->field, sizeof a->field) == 0)

static void check_same_header(const struct xc_frame_header *a, const struct xc_frame_header *b)
{
    SAME(key_frame), SAME(show), SAME(version);
    SAME(width), SAME(height), SAME(horizontal_scale), SAME(vertical_scale), SAME(color_space), SAME(clamping_type);
    SAME(segmentation), SAME(update_segment_map), SAME(update_segment_data), SAME(segment_data);
    SAME(quantizer_sent), SAME(filter_level_sent), SAME(segment_tree);
    SAME(simple_filter), SAME(filter_level), SAME(sharpness);
    SAME(filter_deltas_enabled), SAME(update_filter_deltas);
    SAME(reference_delta_sent), SAME(mode_delta_sent), SAME(filter_deltas);
    SAME(log2_token_partitions);
    SAME(quantizer), SAME(y1_dc_delta), SAME(y2_dc_delta), SAME(y2_ac_delta), SAME(uv_dc_delta), SAME(uv_ac_delta);
    SAME(refresh_golden), SAME(refresh_altref), SAME(refresh_last), SAME(copy_to_golden), SAME(copy_to_altref);
    SAME(sign_bias_golden), SAME(sign_bias_altref);
    SAME(refresh_probabilities), SAME(probabilities);
    SAME(coefficient_sent), SAME(mv_sent), SAME(y_modes_sent), SAME(uv_modes_sent);
    SAME(skip_enabled), SAME(skip_probability);
    SAME(intra_probability), SAME(last_probability), SAME(golden_probability);
}

static bool same_mv(struct xc_mv a, struct xc_mv b)
{
    return a.row == b.row && a.column == b.column;
}

/* Fields that mean nothing for a macroblock's mode are not compared. */
static void check_same_macroblock(const struct xc_macroblock *a, const struct xc_macroblock *b)
{
    SAME(y_mode), SAME(reference), SAME(segment), SAME(skip), SAME(tokens);
    CHECK(same_mv(a->mv, b->mv));
    if (a->reference == XC_REF_INTRA) {
        SAME(uv_mode);
    }
    if (a->y_mode == XC_B_PRED || a->y_mode == XC_SPLITMV) {
        SAME(b_mode);
    }
    if (a->y_mode == XC_SPLITMV) {
        SAME(partitioning);
        for (unsigned i = 0; i < 16; i++) {
            CHECK(same_mv(a->split[i], b->split[i]));
        }
    }
}

static void check_same_frame(const struct xc_frame *a, const struct xc_frame *b)
{
    check_same_header(&a->header, &b->header);
    SAME(mb_cols), SAME(mb_rows), SAME(coefficient_count);
    if (unit_reason[0]) {
        return; /* the arrays may differ in size */
    }
    for (size_t i = 0; i < (size_t)a->mb_cols * a->mb_rows; i++) {
        check_same_macroblock(&a->macroblocks[i], &b->macroblocks[i]);
    }
    CHECK(memcmp(a->coefficients, b->coefficients, a->coefficient_count * sizeof *a->coefficients) == 0);
}

static bool same_picture(const struct xc_picture *a, const struct xc_picture *b)
{
    if (!a || !b || a->width != b->width || a->height != b->height) {
        return a == b;
    }
    size_t size = xc_picture_i420_size(a);
    uint8_t *samples = malloc(2 * size);
    if (!samples) {
        return false;
    }
    struct xc_error err = { .text = "" };
    CHECK_OK(xc_picture_to_i420(a, samples, size, &err), err);
    CHECK_OK(xc_picture_to_i420(b, samples + size, size, &err), err);
    bool same = memcmp(samples, samples + size, size) == 0;
    free(samples);
    return same;
}

/* What a film's worth of tests needs. */
struct bench {
    struct xc_workspace *workspace; /* with every kernel this machine has, and two threads */
    struct xc_workspace *plain;     /* C kernels only, one thread */
    struct xc_state state;          /* before the frame at hand */
    struct xc_frame frame, again;
    struct xc_bytes bytes;
    size_t plain_size, optimized_size; /* of all frames so far, serialized as they are and optimized */
};

/* Decodes these bytes in the state before the frame, and checks that the picture and the state after it are the ones
 * given. */
static void check_decodes_to(struct bench *bench, struct xc_workspace *workspace, const uint8_t *data, size_t size,
                             const struct xc_picture *picture, const struct xc_state *after)
{
    struct xc_error err = { .text = "" };
    struct xc_state state = XC_STATE_INIT;
    struct xc_picture *shown = NULL;
    CHECK_OK(xc_state_copy(&state, &bench->state, &err), err);
    CHECK_OK(xc_decode(workspace, &state, data, size, &shown, &err), err);
    CHECK(xc_state_equal(&state, after));
    CHECK_EQUAL(xc_state_hash(&state), xc_state_hash(after));
    CHECK(same_picture(shown, bench->frame.header.show ? picture : NULL));
    xc_picture_unref(shown);
    xc_state_clear(&state);
}

static void check_serialized(struct bench *bench, const struct xc_picture *picture, const struct xc_state *after)
{
    struct xc_error err = { .text = "" };
    CHECK_OK(xc_frame_serialize(&bench->bytes, &bench->frame, &bench->state, &err), err);
    CHECK_OK(xc_frame_parse(&bench->again, &bench->state, bench->bytes.data, bench->bytes.size, &err), err);
    check_same_frame(&bench->frame, &bench->again);
    check_decodes_to(bench, bench->workspace, bench->bytes.data, bench->bytes.size, picture, after);
    bench->plain_size += bench->bytes.size;
}

/* Other probabilities sent make another state after the frame, but the same picture; and the frame is still one that
 * survives being written and read. */
static void check_optimized(struct bench *bench, const struct xc_picture *picture)
{
    struct xc_error err = { .text = "" };
    struct xc_state state = XC_STATE_INIT;
    struct xc_picture *shown = NULL;
    CHECK_OK(xc_frame_optimize(&bench->frame, &bench->state, &err), err);
    CHECK_OK(xc_frame_serialize(&bench->bytes, &bench->frame, &bench->state, &err), err);
    bench->optimized_size += bench->bytes.size;
    CHECK_OK(xc_frame_parse(&bench->again, &bench->state, bench->bytes.data, bench->bytes.size, &err), err);
    check_same_frame(&bench->frame, &bench->again);
    CHECK_OK(xc_state_copy(&state, &bench->state, &err), err);
    CHECK_OK(xc_decode_frame(bench->workspace, &state, &bench->again, &shown, &err), err);
    CHECK(same_picture(shown, picture));
    xc_picture_unref(shown);
    xc_state_clear(&state);
}

/* What the tables of rebasing say about a macroblock's modes and vectors; splits are in no table. */
static uint64_t bits_by_tables(const struct xc_mode_costs *costs, const struct xc_frame *frame, unsigned row,
                               unsigned column)
{
    const struct xc_macroblock *mb = &frame->macroblocks[(size_t)row * frame->mb_cols + column];
    unsigned bits = 0;
    if (mb->reference == XC_REF_INTRA) {
        bits = xc_intra_bits(costs, mb);
    } else {
        struct xc_vector_costs here;
        uint8_t y_mode;
        xc_vector_costs_find(&here, frame, row, column, mb->reference);
        CHECK(xc_vector_bits(costs, &here, mb->mv, &y_mode, &bits));
        /* An encoder may have named the same vector by another mode, which costs something else. */
        if (y_mode != mb->y_mode) {
            return UINT64_MAX;
        }
    }
    return bits + costs->segment[mb->segment] + costs->reference[mb->reference] + costs->skip[mb->skip];
}

static void check_mode_costs(const struct xc_frame *frame)
{
    struct xc_error err = { .text = "" };
    struct xc_mode_costs costs;
    struct xc_bits sum, *measured = unit_realloc(NULL, (size_t)frame->mb_cols * frame->mb_rows * sizeof *measured);
    CHECK_OK(xc_frame_measure(frame, &sum, measured, &err), err);
    xc_mode_costs_fill(&costs, &frame->header);
    for (size_t i = 0; i < (size_t)frame->mb_cols * frame->mb_rows; i++) {
        if (frame->macroblocks[i].y_mode != XC_SPLITMV) {
            const unsigned row = (unsigned)(i / frame->mb_cols), column = (unsigned)(i % frame->mb_cols);
            const uint64_t *of = measured[i].of, bits = bits_by_tables(&costs, frame, row, column);
            const uint64_t walked = of[XC_BITS_SEGMENTS] + of[XC_BITS_SKIPS] + of[XC_BITS_MODES] + of[XC_BITS_VECTORS];
            CHECK(bits == walked || bits == UINT64_MAX);
        }
    }
    free(measured);
}

/* Runs all checks on one frame; the state becomes the one after it. */
static void test_frame(struct bench *bench, const struct xc_ivf_frame *ivf_frame)
{
    struct xc_error err = { .text = "" };
    struct xc_state after = XC_STATE_INIT;
    struct xc_picture *picture = NULL;
    CHECK_OK(xc_frame_parse(&bench->frame, &bench->state, ivf_frame->data, ivf_frame->size, &err), err);
    CHECK_EQUAL(bench->frame.header.key_frame, xc_data_is_key_frame(ivf_frame->data, ivf_frame->size));
    CHECK_EQUAL(bench->frame.header.show, xc_data_is_shown(ivf_frame->data, ivf_frame->size));
    CHECK_OK(xc_state_copy(&after, &bench->state, &err), err);
    CHECK_OK(xc_decode_frame(bench->workspace, &after, &bench->frame, &picture, &err), err);
    check_decodes_to(bench, bench->workspace, ivf_frame->data, ivf_frame->size, picture, &after);
    check_decodes_to(bench, bench->plain, ivf_frame->data, ivf_frame->size, picture, &after);
    check_serialized(bench, picture, &after);
    if (!bench->frame.header.key_frame) {
        check_mode_costs(&bench->frame);
    }
    check_optimized(bench, picture);
    xc_picture_unref(picture);
    xc_state_clear(&bench->state);
    bench->state = after;
}

/* Sizes of all frames of all files. */
struct total {
    size_t plain, optimized;
};

static void test_file(const char *path, struct total *total)
{
    struct xc_error err = { .text = "" };
    struct bench bench = {
        .state = XC_STATE_INIT,
        .frame = XC_FRAME_INIT,
        .again = XC_FRAME_INIT,
        .bytes = XC_BYTES_INIT,
    };
    struct xc_ivf ivf = unit_read_ivf(path);
    CHECK_OK(xc_workspace_new(&bench.workspace, 2, XC_CPU_ALL, &err), err);
    CHECK_OK(xc_workspace_new(&bench.plain, 1, 0, &err), err);
    for (uint32_t i = 0; i < ivf.header.frame_count && !unit_reason[0]; i++) {
        if (ivf.frames[i].size) {
            test_frame(&bench, &ivf.frames[i]);
        }
    }
    /* Costs are estimates: a frame may come out a byte longer than it was. All frames together may not. */
    CHECK_COMPARE(bench.optimized_size, <=, bench.plain_size + ivf.header.frame_count);
    total->plain += bench.plain_size;
    total->optimized += bench.optimized_size;
    xc_bytes_clear(&bench.bytes);
    xc_frame_clear(&bench.frame);
    xc_frame_clear(&bench.again);
    xc_state_clear(&bench.state);
    xc_workspace_free(bench.workspace);
    xc_workspace_free(bench.plain);
    xc_ivf_clear(&ivf);
    const char *name = strrchr(path, '/');
    unit_end(name ? name + 1 : path);
}

/* --- frames made from nothing --- */

/* A frame one macroblock high, without residue: DC_PRED all over a key frame, the last picture again in others. */
static struct xc_frame make_frame(bool key_frame, unsigned mb_cols)
{
    struct xc_frame frame = XC_FRAME_INIT;
    frame.header.key_frame = key_frame;
    frame.header.show = frame.header.refresh_last = true;
    frame.header.width = (uint16_t)(mb_cols * 16);
    frame.header.height = 16;
    frame.mb_cols = (uint16_t)mb_cols;
    frame.mb_rows = 1;
    frame.macroblocks = unit_realloc(NULL, mb_cols * sizeof *frame.macroblocks);
    frame.coefficients = unit_realloc(NULL, sizeof *frame.coefficients);
    for (unsigned i = 0; i < mb_cols; i++) {
        frame.macroblocks[i] = key_frame ? (struct xc_macroblock){ .y_mode = XC_DC_PRED }
                                         : (struct xc_macroblock){ .y_mode = XC_ZEROMV, .reference = XC_REF_LAST };
    }
    return frame;
}

/* The state after a key frame. */
static struct xc_state make_state(struct xc_workspace *workspace, unsigned mb_cols)
{
    struct xc_error err = { .text = "" };
    struct xc_state state = XC_STATE_INIT;
    struct xc_frame frame = make_frame(true, mb_cols);
    CHECK_OK(xc_frame_optimize(&frame, &state, &err), err);
    CHECK_OK(xc_decode_frame(workspace, &state, &frame, NULL, &err), err);
    xc_frame_clear(&frame);
    return state;
}

static enum xc_status optimize_and_serialize(struct xc_bytes *bytes, struct xc_frame *frame,
                                             const struct xc_state *state)
{
    enum xc_status status = xc_frame_optimize(frame, state, NULL);
    return status ? status : xc_frame_serialize(bytes, frame, state, NULL);
}

/* Makes the second macroblock one that no stream can hold; with the last number, one that can be. */
enum { CONTRADICTIONS = 16 };

static void contradict(struct xc_frame *frame, int how)
{
    struct xc_macroblock *mb = &frame->macroblocks[1];
    const struct xc_mv vector = { 4, -4 };
    if (how == 0) {
        mb->skip = true; /* without header.skip_enabled */
    } else if (how == 1) {
        *mb = (struct xc_macroblock){ .y_mode = XC_DC_PRED, .mv = vector };
    } else if (how == 2) {
        mb->mv = vector; /* ZEROMV */
    } else if (how == 3) {
        mb->y_mode = XC_DC_PRED; /* which has no reference */
    } else if (how == 4) {
        mb->reference = XC_REF_INTRA; /* which has no ZEROMV */
    } else if (how == 5) {
        mb->reference = 2 + XC_ALTREF;
    } else if (how < 9) { /* a mode that there is not */
        *mb = (struct xc_macroblock){ .y_mode = how == 6 ? XC_SPLITMV + 1 : XC_B_PRED };
        mb->uv_mode = how == 7 ? XC_TM_PRED + 1 : XC_DC_PRED;
        mb->b_mode[15] = how == 8 ? XC_B_MODES : XC_B_DC_PRED;
    } else if (how == 9) {
        mb->segment = XC_SEGMENTS;
    } else if (how == 10) {
        mb->tokens[3] = 17;
    } else {
        *mb = (struct xc_macroblock){ .y_mode = XC_SPLITMV, .reference = XC_REF_LAST, .partitioning = XC_SPLIT_16X8 };
        memset(mb->b_mode, XC_ZERO4X4, sizeof mb->b_mode);
        if (how == 11) {
            mb->mv = vector;
        } else if (how == 12) {
            mb->split[1] = vector;
        } else if (how == 13) {
            mb->b_mode[1] = XC_LEFT4X4;
        } else if (how == 14) {
            mb->b_mode[8] = XC_NEW4X4 + 1;
        } else if (how == 15) {
            mb->partitioning = XC_SPLIT_16 + 1;
        }
    }
}

static void test_contradictions(struct xc_workspace *workspace)
{
    enum { COLUMNS = 3 };
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_state state = make_state(workspace, COLUMNS);
    for (int how = 0; how <= CONTRADICTIONS; how++) {
        struct xc_error err = { .text = "" };
        struct xc_frame frame = make_frame(false, COLUMNS);
        struct xc_macroblock before[COLUMNS];
        CHECK_OK(xc_frame_optimize(&frame, &state, &err), err);
        frame.header.skip_enabled = false;
        for (unsigned i = 0; i < COLUMNS; i++) {
            frame.macroblocks[i].skip = false;
        }
        contradict(&frame, how);
        memcpy(before, frame.macroblocks, sizeof before);
        enum xc_status status = xc_frame_serialize(&bytes, &frame, &state, &err);
        CHECK_EQUAL(status, how < CONTRADICTIONS ? XC_ERR_ARGUMENT : XC_OK);
        for (unsigned i = 0; i < COLUMNS; i++) {
            check_same_macroblock(&before[i], &frame.macroblocks[i]);
        }
        xc_frame_clear(&frame);
    }
    struct xc_frame key_frame = make_frame(true, COLUMNS);
    key_frame.macroblocks[1] = (struct xc_macroblock){ .y_mode = XC_ZEROMV, .reference = XC_REF_LAST };
    CHECK_EQUAL(optimize_and_serialize(&bytes, &key_frame, &state), XC_ERR_ARGUMENT);
    CHECK_EQUAL(key_frame.macroblocks[1].reference, XC_REF_LAST);
    xc_frame_clear(&key_frame);
    xc_state_clear(&state);
    xc_bytes_clear(&bytes);
    unit_end("a frame that contradicts itself is refused and left alone");
}

/* Several threads may serialize one frame: its macroblocks may stand where nobody can write. */
static void test_serializing_only_reads(struct xc_workspace *workspace)
{
    enum { COLUMNS = 3 };
    struct xc_error err = { .text = "" };
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_state state = make_state(workspace, COLUMNS);
    struct xc_frame frame = make_frame(false, COLUMNS);
    contradict(&frame, CONTRADICTIONS);
    CHECK_OK(xc_frame_optimize(&frame, &state, &err), err);
    const size_t size = COLUMNS * sizeof *frame.macroblocks;
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    if (page != MAP_FAILED) {
        struct xc_frame guarded = frame;
        guarded.macroblocks = memcpy(page, frame.macroblocks, size);
        CHECK_EQUAL(mprotect(page, size, PROT_READ), 0);
        CHECK_OK(xc_frame_serialize(&bytes, &guarded, &state, &err), err);
        munmap(page, size);
    }
    xc_frame_clear(&frame);
    xc_state_clear(&state);
    xc_bytes_clear(&bytes);
    unit_end("serializing only reads the frame");
}

static int nearest_to(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* Codes vectors each as its difference from the one to the left, such that these differences add up to target, in
 * quarter samples. That is the last vector, unless the film is so narrow that predictions are clamped (section 16.3 of
 * RFC 6386): then they are short, and become long where the frame is taken for one of a wide film. */
static enum xc_status write_far(struct xc_bytes *bytes, const struct xc_state *state, unsigned column, int target,
                                bool split)
{
    const int mb_cols = state->width / 16;
    struct xc_frame frame = make_frame(false, state->width / 16);
    for (int at = (int)column, sum = 0, vector = 0; sum != target; at++) {
        const int difference = nearest_to(target - sum, -1020, 1020);
        sum += difference;
        vector = nearest_to(vector, -64 * (at + 1), 64 * (mb_cols - at)) + difference;
        struct xc_macroblock *mb = &frame.macroblocks[at];
        mb->y_mode = XC_NEWMV;
        mb->mv.column = (int16_t)vector;
        if (split && sum == target) {
            mb->y_mode = XC_SPLITMV;
            mb->partitioning = XC_SPLIT_16X8;
            for (int i = 0; i < 16; i++) {
                mb->b_mode[i] = XC_NEW4X4;
                mb->split[i] = mb->mv;
            }
        }
    }
    enum xc_status status = optimize_and_serialize(bytes, &frame, state);
    xc_frame_clear(&frame);
    return status;
}

/* Vectors end before 4096 samples, RFC 6386 section 18.1; only in a wide film is there room for them. */
static void test_far_vectors(struct xc_workspace *workspace)
{
    enum { LIMIT = 4 * 4096, WIDE = 600, NARROW = 20, RIGHT = 300 };
    struct xc_error err = { .text = "" };
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_frame frame = XC_FRAME_INIT;
    struct xc_state wide = make_state(workspace, WIDE), narrow = make_state(workspace, NARROW);
    for (int split = 0; split < 2; split++) {
        CHECK_EQUAL(write_far(&bytes, &wide, 0, LIMIT, split), XC_ERR_ARGUMENT);
        CHECK_EQUAL(write_far(&bytes, &wide, RIGHT, -LIMIT, split), XC_ERR_ARGUMENT);
        CHECK_EQUAL(write_far(&bytes, &wide, RIGHT, 1 - LIMIT, split), XC_OK);
        CHECK_OK(xc_frame_parse(&frame, &wide, bytes.data, bytes.size, &err), err);
        CHECK_EQUAL(frame.macroblocks[RIGHT + 16].mv.column, 1 - LIMIT);

        CHECK_EQUAL(write_far(&bytes, &narrow, 0, LIMIT - 1, split), XC_OK);
        CHECK_OK(xc_frame_open(&frame, &wide, bytes.data, bytes.size, &err), err);
        CHECK_EQUAL(frame.macroblocks[16].mv.column, LIMIT - 1);
        CHECK_EQUAL(write_far(&bytes, &narrow, 0, LIMIT, split), XC_OK);
        CHECK_EQUAL(xc_frame_open(&frame, &wide, bytes.data, bytes.size, &err), XC_ERR_FORMAT);
        CHECK(xc_decode(workspace, &wide, bytes.data, bytes.size, NULL, &err) == XC_ERR_FORMAT);
        CHECK(strstr(err.text, "4096"));
    }
    xc_frame_clear(&frame);
    xc_bytes_clear(&bytes);
    xc_state_clear(&wide);
    xc_state_clear(&narrow);
    unit_end("vectors of 4096 samples are neither written nor read");
}

/* What a probability of the segment tree costs must come in again; 255 stands for one that is not sent. */
static void test_segment_tree(void)
{
    struct xc_error err = { .text = "" };
    struct xc_state state = XC_STATE_INIT;
    struct xc_frame frame = make_frame(true, 100);
    frame.header.segmentation = frame.header.update_segment_map = true;
    for (unsigned i = 0; i < 100; i++) {
        frame.macroblocks[i].segment = i % 3 == 0; /* 66 of 100 in segment 0: 169 of 256 */
    }
    CHECK_OK(xc_frame_optimize(&frame, &state, &err), err);
    const uint8_t *tree = frame.header.segment_tree;
    CHECK(tree[0] == 255 && tree[1] == 169 && tree[2] == 255);
    xc_frame_clear(&frame);
    unit_end("segments that no macroblock is in cost nothing");
}

int main(int argc, char **argv)
{
    struct total total = { 0, 0 };
    struct xc_error err = { .text = "" };
    struct xc_workspace *workspace = NULL;
    CHECK(xc_workspace_new(&workspace, 0, 0, &err) == XC_ERR_ARGUMENT && !workspace);
    unit_end("a workspace has a thread");
    CHECK_OK(xc_workspace_new(&workspace, 2, XC_CPU_ALL, &err), err);
    test_contradictions(workspace);
    test_serializing_only_reads(workspace);
    test_far_vectors(workspace);
    test_segment_tree();
    xc_workspace_free(workspace);
    for (int i = 1; i < argc; i++) {
        test_file(argv[i], &total);
    }
    CHECK_COMPARE(total.optimized, <, total.plain);
    unit_end("optimizing saves bytes");
    return unit_finish();
}
