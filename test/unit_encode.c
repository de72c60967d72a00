/* The encoder's frames do to a decoder's state what their params say, and move its own state on in the same way. */
#include "excamera/encode.h"
#include "unit.h"

enum { WIDTH = 70, HEIGHT = 50, SMALL = 32 /* bytes, for a frame that says nothing new */ };

static struct xc_workspace *workspace;
static struct xc_encoder *encoder;
static struct xc_state start; /* three references, and nothing as it is behind a key frame */
static struct xc_error err;

/* A pattern of its own for each number. */
static struct xc_picture *make_source(unsigned number)
{
    struct xc_picture *picture;
    uint64_t seed = 1 + number;
    CHECK_OK(xc_picture_new(&picture, NULL, WIDTH, HEIGHT, &err), err);
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

/* Decodes what was encoded, given the state before, and compares: the state behind it with the encoder's, references
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
    CHECK(frame.header.quantizer == params->quantizer);
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
        CHECK(bytes.size < SMALL);
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
    CHECK(bytes.size < SMALL);
    xc_bytes_clear(&bytes);
}

static void test_refusals(void)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    const struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    struct xc_picture *source = make_source(0);
    CHECK(xc_encode_repeat(encoder, XC_LAST, &params, &bytes, &err) == XC_ERR_ARGUMENT);
    CHECK(xc_encode(encoder, source, &params, &bytes, &err) == XC_ERR_ARGUMENT);
    CHECK(bytes.size == 0 && xc_encoder_state(encoder)->width == 0);
    xc_picture_unref(source);
}

int main(void)
{
    const struct xc_encoder_options options = { .width = WIDTH, .height = HEIGHT, .speed = 3 };
    CHECK_OK(xc_workspace_new(&workspace, 1, xc_cpu_features(), &err), err);
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
    test_search_behind_a_repeat();
    unit_end("going on behind a repeated picture");
    xc_encoder_free(encoder);
    xc_state_clear(&start);
    xc_workspace_free(workspace);
    return unit_finish();
}
