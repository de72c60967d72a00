/* SPDX-License-Identifier: BSD-2-Clause */
/* The encoder's frames do to a decoder's state what their params say, and move its own state on in the same way. */
#include "excamera/encode.h"
#include "unit.h"

enum { WIDTH = 70, HEIGHT = 50, SMALL = 32 /* bytes, for a frame that says nothing new */ };

static struct xc_workspace *workspace;
static struct xc_encoder *encoder;
static struct xc_state start; /* three references, and nothing as it is after a key frame */
static struct xc_error err;

/* A pattern of its own for each number. */
static struct xc_picture *make_source(unsigned number)
{
    struct xc_picture *picture;
    uint64_t seed = 1 + number;
    CHECK_OK(xc_picture_new(&picture, xc_workspace_pool(workspace), WIDTH, HEIGHT, &err), err);
    for (int i = 0; i < 3; i++) {
        for (unsigned y = 0; y < xc_plane_height(picture, i); y++) {
            uint8_t *row = picture->plane[i].data + (ptrdiff_t)y * picture->plane[i].stride;
            for (unsigned x = 0; x < xc_plane_width(picture, i); x++) {
                row[x] = (uint8_t)((x * (3 + number) + y * (7 - number)) * 2 + unit_below(&seed, 9));
            }
        }
    }
    xc_picture_pad(picture);
    return picture;
}

static struct xc_encode_params params_of(unsigned refresh, bool keep, bool ahead)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = xc_quantizer_of_level(25);
    params.refresh_last = refresh & 1;
    params.refresh_golden = refresh >> 1 & 1;
    params.refresh_altref = refresh >> 2 & 1;
    params.keep_probabilities = keep;
    params.altref_ahead = ahead;
    return params;
}

static void encode(unsigned number, const struct xc_encode_params *params, struct xc_bytes *bytes)
{
    struct xc_picture *source = make_source(number);
    CHECK_OK(xc_encode(encoder, source, params, bytes, &err), err);
    xc_picture_unref(source);
}

static void make_start(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = 0;
    params.key_frame = true;
    encode(0, &params, &bytes);
    for (unsigned reference = 1; reference < 3; reference++) {
        params = params_of(1u << reference, false, false);
        encode(reference, &params, &bytes);
    }
    CHECK_OK(xc_state_copy(&start, xc_encoder_state(encoder), &err), err);
    start.filter_deltas = (struct xc_filter_deltas){ .reference = { 1, 2, 3, 4 }, .mode = { 5, 6, 7, 8 } };
    xc_bytes_clear(&bytes);
}

/* Decodes what was encoded, given the state before, and compares: the state after it with the encoder's, references
 * and header with params. Returns the picture of the frame, shown or not. */
static struct xc_picture *check_frame(const struct xc_bytes *bytes, const struct xc_encode_params *params,
                                      const struct xc_state *before)
{
    struct xc_frame frame = XC_FRAME_INIT;
    struct xc_state state = XC_STATE_INIT;
    struct xc_picture *picture;
    const bool refreshed[XC_REFERENCES] = { params->refresh_last, params->refresh_golden, params->refresh_altref };
    CHECK_OK(xc_state_copy(&state, before, &err), err);
    CHECK_OK(xc_frame_parse(&frame, &state, bytes->data, bytes->size, &err), err);
    CHECK(frame.header.show == !params->hide && frame.header.refresh_probabilities == !params->keep_probabilities);
    CHECK(frame.header.sign_bias_altref == params->altref_ahead && !frame.header.sign_bias_golden);
    CHECK_EQUAL(frame.header.quantizer, params->quantizer);
    frame.header.show = true;
    CHECK_OK(xc_decode_frame(workspace, &state, &frame, &picture, &err), err);
    CHECK(xc_state_equal(&state, xc_encoder_state(encoder)));
    for (int i = 0; i < XC_REFERENCES; i++) {
        CHECK(xc_picture_equal(state.reference[i], refreshed[i] ? picture : before->reference[i]));
    }
    if (params->keep_probabilities) {
        CHECK(!memcmp(&state.probabilities, &before->probabilities, sizeof state.probabilities));
    }
    xc_frame_clear(&frame);
    xc_state_clear(&state);
    return picture;
}

static void test_repeat(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    for (unsigned i = 0; i < 3 * 64; i++) {
        const enum xc_reference which = (enum xc_reference)(i % 3);
        struct xc_encode_params params = params_of(i / 3, i / 3 & 8, i / 3 & 16);
        params.hide = i / 3 & 32;
        CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
        CHECK_OK(xc_encode_repeat(encoder, which, &params, &bytes, &err), err);
        CHECK_COMPARE(bytes.size, <, SMALL);
        struct xc_picture *picture = check_frame(&bytes, &params, &start);
        CHECK(xc_picture_equal(picture, start.reference[which]));
        xc_picture_unref(picture);
    }
    xc_bytes_clear(&bytes);
}

static void test_frames(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    for (unsigned i = 0; i < 16; i++) {
        struct xc_encode_params params = params_of(i, i & 8, false);
        params.hide = i % 3 == 0;
        CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
        encode(3, &params, &bytes);
        xc_picture_unref(check_frame(&bytes, &params, &start));
        const struct xc_probabilities *now = &xc_encoder_state(encoder)->probabilities;
        CHECK(params.keep_probabilities || memcmp(now, &start.probabilities, sizeof *now));
    }
    xc_bytes_clear(&bytes);
}

/* From frame to frame, whether alt-ref is ahead may change. */
static void test_altref_ahead(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_state before = XC_STATE_INIT;
    CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
    for (unsigned i = 0; i < 6; i++) {
        const struct xc_encode_params params = params_of(1, false, i / 2 % 2);
        CHECK_OK(xc_state_copy(&before, xc_encoder_state(encoder), &err), err);
        encode(3, &params, &bytes);
        xc_picture_unref(check_frame(&bytes, &params, &before));
    }
    xc_state_clear(&before);
    xc_bytes_clear(&bytes);
}

/* What a frame costs that refreshes last: its squared error, and lambda times its bits. */
static double cost_of_frame(const struct xc_bytes *bytes, const struct xc_picture *source, unsigned quantizer)
{
    const double step = xc_step_of_quantizer(quantizer), lambda = 0.028 * step * step; /* libvpx's */
    const struct xc_picture *picture = xc_encoder_state(encoder)->reference[XC_LAST];
    double error = 0;
    for (int i = 0; i < 3; i++) {
        for (unsigned y = 0; y < xc_plane_height(source, i); y++) {
            const uint8_t *a = source->plane[i].data + (ptrdiff_t)y * source->plane[i].stride;
            const uint8_t *b = picture->plane[i].data + (ptrdiff_t)y * picture->plane[i].stride;
            for (unsigned x = 0; x < xc_plane_width(source, i); x++) {
                error += (a[x] - b[x]) * (a[x] - b[x]);
            }
        }
    }
    return error + lambda * 8 * (double)bytes->size;
}

/* Refined frames are worth their bits more, and do to the state what others do, whatever kind comes before. */
static void test_refining(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_state before = XC_STATE_INIT;
    struct xc_encode_params params = params_of(1, false, false);
    double cost[2];
    for (int refine = 0; refine < 2; refine++) {
        struct xc_picture *source = make_source(3);
        params.refine = refine;
        CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
        CHECK_OK(xc_encode(encoder, source, &params, &bytes, &err), err);
        cost[refine] = cost_of_frame(&bytes, source, params.quantizer);
        xc_picture_unref(source);
    }
    CHECK(cost[1] < 0.98 * cost[0]);
    for (unsigned i = 0; i < 6; i++) {
        params.refine = i % 3;
        params.keep_probabilities = i & 1;
        CHECK_OK(xc_state_copy(&before, xc_encoder_state(encoder), &err), err);
        encode(i, &params, &bytes);
        xc_picture_unref(check_frame(&bytes, &params, &before));
    }
    xc_state_clear(&before);
    xc_bytes_clear(&bytes);
}

/* The picture that is repeated is what the next frame is searched in. */
static void test_search_behind_a_repeat(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_encode_params params = params_of(1, false, false);
    CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
    encode(3, &params, &bytes);
    CHECK_OK(xc_encode_repeat(encoder, XC_GOLDEN, &params, &bytes, &err), err);
    params.use_golden = params.use_altref = false;
    params.quantizer = 127;
    encode(1, &params, &bytes);
    CHECK_COMPARE(bytes.size, <, SMALL);
    xc_bytes_clear(&bytes);
}

static void test_refusals(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    const struct xc_encode_params params = params_of(7, false, false);
    struct xc_picture *source = make_source(0);
    CHECK_EQUAL(xc_encode_repeat(encoder, XC_LAST, &params, &bytes, &err), XC_ERR_ARGUMENT);
    CHECK_EQUAL(xc_encode(encoder, source, &params, &bytes, &err), XC_ERR_ARGUMENT);
    CHECK(bytes.size == 0 && xc_encoder_state(encoder)->width == 0);
    xc_picture_unref(source);
}

static void check_refused(enum xc_status status, enum xc_status expected, const char *words)
{
    CHECK(status == expected && strstr(err.text, words));
    CHECK(xc_state_equal(xc_encoder_state(encoder), &start));
}

/* Whatever was forgotten or is out of range is named, and the state is as it was. */
static void test_impossible_params(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_picture *source = make_source(3);
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
    check_refused(xc_encode(encoder, source, &params, &bytes, &err), XC_ERR_ARGUMENT, "quantizer is not set");
    check_refused(xc_encode_repeat(encoder, XC_LAST, &params, &bytes, &err), XC_ERR_ARGUMENT, "quantizer is not set");
    params.quantizer = 300;
    check_refused(xc_encode(encoder, source, &params, &bytes, &err), XC_ERR_ARGUMENT, "quantizer 300");
    check_refused(xc_encode_repeat(encoder, XC_LAST, &params, &bytes, &err), XC_ERR_ARGUMENT, "quantizer 300");
    params.quantizer = 30;
    check_refused(xc_encode_repeat(encoder, (enum xc_reference)7, &params, &bytes, &err), XC_ERR_ARGUMENT, "7");
    CHECK_EQUAL(bytes.size, 0);
    xc_picture_unref(source);
}

static void test_impossible_options(void)
{
    static const int speeds[] = { -1, XC_MAX_SPEED + 1, 99 };
    struct xc_encoder *another;
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        const struct xc_encoder_options options = { .width = WIDTH, .height = HEIGHT, .speed = speeds[i] };
        another = encoder;
        CHECK(xc_encoder_new(&another, workspace, &options, &err) == XC_ERR_ARGUMENT && !another);
        CHECK(strstr(err.text, "speed"));
    }
    const struct xc_encoder_options larger = { .width = WIDTH + 16, .height = HEIGHT };
    CHECK_OK(xc_encoder_new(&another, workspace, &larger, &err), err);
    CHECK_EQUAL(xc_encoder_set_state(another, &start, &err), XC_ERR_MISMATCH);
    CHECK_EQUAL(xc_encoder_state(another)->width, 0);
    xc_encoder_free(another);
}

/* The same displayed samples, with other samples around them, which nobody has vouched for. */
static struct xc_picture *without_padding(const struct xc_picture *picture)
{
    struct xc_picture *bare;
    CHECK_OK(xc_picture_new(&bare, NULL, WIDTH, HEIGHT, &err), err);
    for (int i = 0; i < 3; i++) {
        const struct xc_plane *from = &picture->plane[i], *to = &bare->plane[i];
        memset(to->data, 200, (size_t)to->stride * xc_plane_coded_height(bare, i));
        for (unsigned y = 0; y < xc_plane_height(bare, i); y++) {
            memcpy(to->data + (ptrdiff_t)y * to->stride, from->data + (ptrdiff_t)y * from->stride,
                   xc_plane_width(bare, i));
        }
    }
    return bare;
}

static void test_forgotten_padding(void)
{
    struct xc_bytes padded_bytes = XC_BYTES_INIT, bare_bytes = XC_BYTES_INIT, bytes = XC_BYTES_INIT;
    struct xc_picture *padded = make_source(3), *bare = without_padding(padded);
    const struct xc_encode_params params = params_of(1, false, false);
    struct xc_frame frame = XC_FRAME_INIT, rebased[2] = { XC_FRAME_INIT, XC_FRAME_INIT };
    struct xc_state state = XC_STATE_INIT;
    CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
    CHECK_OK(xc_encode(encoder, padded, &params, &padded_bytes, &err), err);
    CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
    CHECK_OK(xc_encode(encoder, bare, &params, &bare_bytes, &err), err);
    CHECK(padded_bytes.size == bare_bytes.size && !memcmp(padded_bytes.data, bare_bytes.data, bare_bytes.size));
    CHECK_EQUAL(bare->plane[XC_PLANE_Y].data[WIDTH], 200);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(xc_state_copy(&state, &start, &err), err);
        CHECK_OK(xc_frame_parse(&frame, &start, bare_bytes.data, bare_bytes.size, &err), err);
        CHECK_OK(xc_rebase(workspace, &state, &frame, &start, i ? bare : padded, 1, &rebased[i], &err), err);
        CHECK_OK(xc_frame_serialize(i ? &bare_bytes : &padded_bytes, &rebased[i], &start, &err), err);
        CHECK(xc_frame_serialize(&bytes, &frame, &start, &err) == XC_ERR_ARGUMENT); /* it is used up */
        if (i == 0) { /* the frame to be rebased the second time */
            CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
            CHECK_OK(xc_encode(encoder, bare, &params, &bare_bytes, &err), err);
        }
        xc_frame_clear(&rebased[i]);
    }
    CHECK(padded_bytes.size == bare_bytes.size && !memcmp(padded_bytes.data, bare_bytes.data, bare_bytes.size));
    xc_frame_clear(&frame);
    xc_state_clear(&state);
    xc_bytes_clear(&padded_bytes);
    xc_bytes_clear(&bare_bytes);
    xc_bytes_clear(&bytes);
    xc_picture_unref(padded);
    xc_picture_unref(bare);
}

/* What does not belong together is refused before anything is touched. */
static void test_rebasing_misfits(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_frame frame = XC_FRAME_INIT, rebased = XC_FRAME_INIT;
    struct xc_state state = XC_STATE_INIT;
    struct xc_picture *source = make_source(3), *larger;
    struct xc_encode_params params = params_of(1, false, false);
    CHECK_OK(xc_picture_new(&larger, NULL, WIDTH + 16, HEIGHT, &err), err);
    CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
    CHECK_OK(xc_encode(encoder, source, &params, &bytes, &err), err);
    CHECK_OK(xc_frame_open(&frame, &start, bytes.data, bytes.size, &err), err);
    CHECK_OK(xc_state_copy(&state, &start, &err), err);
    CHECK_EQUAL(xc_rebase(workspace, &state, &frame, &start, larger, 1, &rebased, &err), XC_ERR_MISMATCH);
    CHECK(xc_frame_optimize(&frame, &start, &err) == XC_ERR_ARGUMENT); /* it is opened only */
    CHECK(xc_decode_frame(workspace, &state, &frame, NULL, &err) == XC_ERR_ARGUMENT);
    CHECK_OK(xc_rebase(workspace, &state, &frame, &start, source, 1, &rebased, &err), err);

    params.key_frame = true;
    CHECK_OK(xc_encode(encoder, source, &params, &bytes, &err), err);
    CHECK_OK(xc_frame_parse(&frame, &start, bytes.data, bytes.size, &err), err);
    CHECK_EQUAL(xc_rebase(workspace, &state, &frame, &start, source, 1, &rebased, &err), XC_ERR_ARGUMENT);
    frame.header.key_frame = false;
    frame.mb_cols--;
    CHECK(xc_decode_frame(workspace, &state, &frame, NULL, &err) == XC_ERR_MISMATCH);
    CHECK_EQUAL(xc_state_follow_header(&state, &frame, &err), XC_ERR_MISMATCH);
    xc_frame_clear(&frame);
    xc_frame_clear(&rebased);
    xc_state_clear(&state);
    xc_bytes_clear(&bytes);
    xc_picture_unref(source);
    xc_picture_unref(larger);
}

/* A frame that predicts from last finds golden better, once the picture itself is there. */
static void test_rebasing_chooses(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT, rebased_bytes = XC_BYTES_INIT;
    struct xc_frame frame = XC_FRAME_INIT, rebased = XC_FRAME_INIT;
    struct xc_state state = XC_STATE_INIT;
    struct xc_picture *source = make_source(5);
    struct xc_encode_params params = params_of(1, false, false);
    params.use_golden = params.use_altref = false;
    CHECK_OK(xc_encoder_set_state(encoder, &start, &err), err);
    CHECK_OK(xc_encode(encoder, source, &params, &bytes, &err), err);
    CHECK_OK(xc_frame_parse(&frame, &start, bytes.data, bytes.size, &err), err);
    CHECK_OK(xc_state_copy(&state, &start, &err), err);
    xc_picture_unref(state.reference[XC_GOLDEN]);
    state.reference[XC_GOLDEN] = xc_picture_ref(source);
    CHECK_OK(xc_rebase(workspace, &state, &frame, &start, source, 1, &rebased, &err), err);
    for (unsigned i = 0; i < (unsigned)rebased.mb_cols * rebased.mb_rows; i++) {
        const struct xc_macroblock *mb = &rebased.macroblocks[i];
        CHECK(mb->reference == XC_REF_GOLDEN && mb->y_mode == XC_ZEROMV && mb->skip);
    }
    CHECK_OK(xc_frame_serialize(&rebased_bytes, &rebased, &start, &err), err);
    CHECK(rebased_bytes.size < SMALL && bytes.size > 10 * rebased_bytes.size);
    xc_frame_clear(&frame);
    xc_frame_clear(&rebased);
    xc_state_clear(&state);
    xc_bytes_clear(&bytes);
    xc_bytes_clear(&rebased_bytes);
    xc_picture_unref(source);
}

int main(void)
{
    const struct xc_encoder_options options = { .width = WIDTH, .height = HEIGHT, .speed = 3 };
    CHECK_OK(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), err);
    CHECK_OK(xc_encoder_new(&encoder, workspace, &options, &err), err);
    test_refusals();
    unit_end("before the first key frame");
    make_start();
    test_frames();
    unit_end("what a frame refreshes");
    test_repeat();
    unit_end("a reference shown once more");
    test_altref_ahead();
    unit_end("alt-ref ahead or not");
    test_refining();
    unit_end("refined frames");
    test_search_behind_a_repeat();
    unit_end("going on after a repeated picture");
    test_impossible_params();
    unit_end("impossible params are refused in words");
    test_impossible_options();
    unit_end("impossible options and states are refused in words");
    test_forgotten_padding();
    unit_end("a picture without padding is encoded as if it were padded");
    test_rebasing_chooses();
    unit_end("rebasing takes what predicts better");
    test_rebasing_misfits();
    unit_end("frames, states and pictures that do not fit are refused");
    xc_encoder_free(encoder);
    xc_state_clear(&start);
    xc_workspace_free(workspace);
    return unit_finish();
}
