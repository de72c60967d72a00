/* SPDX-License-Identifier: BSD-2-Clause */
/* libvpx given a state: its frames, optimized and serialized against the true state, decode to the very pictures that
 * libvpx goes on from; whatever it did before leaves no trace. libvpx's pictures are seen by nobody but the encoder,
 * hence the include. */
#include "../lib/vpx/search.c" /* NOLINT */

#include "excamera/decode.h"
#include "unit.h"

enum { FRAMES = 8 };

static struct xc_workspace *workspace;
static struct xc_picture *source[FRAMES];
static struct xc_frame frame; /* the one that was encoded last */
static struct xc_error err;

/* A texture that moves by two samples a frame, over a still one, and some noise. */
static void make_sources(unsigned width, unsigned height)
{
    uint64_t seed = 7;
    for (int t = 0; t < FRAMES; t++) {
        CHECK_OK(xc_picture_new(&source[t], NULL, width, height, &err), err);
        for (int i = 0; i < 3; i++) {
            for (unsigned y = 0; y < xc_plane_height(source[t], i); y++) {
                uint8_t *row = source[t]->plane[i].data + (ptrdiff_t)y * source[t]->plane[i].stride;
                for (unsigned x = 0; x < xc_plane_width(source[t], i); x++) {
                    unsigned moving = y < height / 3 ? 0 : 2 * (unsigned)t;
                    row[x] = (uint8_t)(60 + ((x + moving) * (y | 7) >> 2) % 120 + unit_below(&seed, 6));
                }
            }
        }
        xc_picture_pad(source[t]);
    }
}

static void free_sources(void)
{
    for (int t = 0; t < FRAMES; t++) {
        xc_picture_unref(source[t]);
    }
}

static bool same_samples(const vpx_image_t *image, const struct xc_picture *picture)
{
    bool same = true;
    for (int i = 0; i < 3; i++) {
        for (unsigned y = 0; y < xc_plane_coded_height(picture, i); y++) {
            same &= !memcmp(image->planes[i] + (ptrdiff_t)y * image->stride[i],
                            picture->plane[i].data + (ptrdiff_t)y * picture->plane[i].stride,
                            xc_plane_coded_width(picture, i));
        }
    }
    return same;
}

/* Encodes, and decodes in the true state, which advances. Returns a hash of the bytes. */
static unsigned step(struct xc_search *search, struct xc_state *state, int t, const struct xc_search_request *what)
{
    static struct xc_bytes bytes;
    struct xc_picture *picture = NULL;
    unsigned hash = 0;
    CHECK_OK(xc_search_encode(search, &frame, source[t], what, &err), err);
    CHECK_OK(xc_frame_optimize(&frame, state, &err), err);
    CHECK_OK(xc_frame_serialize(&bytes, &frame, state, &err), err);
    CHECK_OK(xc_decode(workspace, state, bytes.data, bytes.size, &picture, &err), err);
    /* libvpx leaves out the loop filter where no reference is refreshed. */
    if (picture && (what->key_frame || what->refresh_last || what->refresh_golden || what->refresh_altref)) {
        CHECK(same_samples(vpx_codec_get_preview_frame(&search->codec), picture));
    }
    for (size_t i = 0; i < bytes.size; i++) {
        hash = hash * 31 + bytes.data[i];
    }
    xc_picture_unref(picture);
    return hash;
}

/* Long enough for libvpx to think of a golden frame of its own, with a key frame and golden frames of ours between. */
static void test_long_run(void)
{
    const struct xc_search_options options = { .width = 64, .height = 48, .cpu_used = 3 };
    struct xc_search *search;
    struct xc_state state = XC_STATE_INIT;
    make_sources(64, 48);
    CHECK_OK(xc_search_new(&search, &options, &err), err);
    for (int t = 0; t < 100; t++) {
        const struct xc_search_request what = {
            .quantizer = 20 + (unsigned)t % 60,
            .key_frame = t == 0 || t == 70,
            .use_last = true,
            .use_golden = true,
            .use_altref = true,
            .refresh_last = true,
            .refresh_golden = t == 40 || t == 47,
            .refresh_altref = t == 55,
        };
        if (t == 20) {
            CHECK_OK(xc_search_set_state(search, &state, false, &err), err);
        }
        step(search, &state, t % FRAMES, &what);
    }
    xc_search_free(search);
    xc_state_clear(&state);
    free_sources();
}

/* What a decoder can know that libvpx does not: segment map and data, filter deltas, probabilities, three
 * references. */
static void make_state(struct xc_state *state, struct xc_search *search)
{
    const struct xc_search_request frames[] = {
        { .quantizer = 50, .key_frame = true },
        { .quantizer = 30, .use_last = true, .refresh_last = true },
        { .quantizer = 33, .use_last = true, .use_golden = true, .refresh_golden = true },
    };
    for (int t = 0; t < 3; t++) {
        step(search, state, t, &frames[t]);
    }
    state->filter_deltas = (struct xc_filter_deltas){ .reference = { 1, 2, 3, 4 }, .mode = { 5, 6, 7, 8 } };
    state->segment_data = (struct xc_segment_data){ .absolute = 1, .quantizer = { 1, 2, 3, 4 } };
    const size_t macroblocks = (size_t)source[0]->mb_cols * source[0]->mb_rows;
    for (size_t i = 0; i < macroblocks; i++) {
        state->segment_map[i] = i % XC_SEGMENTS;
    }
}

static void test_size(unsigned width, unsigned height, const struct xc_search_options *extra)
{
    make_sources(width, height);
    const struct xc_search_request frames[FRAMES] = {
        { .quantizer = 10, .use_golden = true, .use_altref = true, .refresh_last = true, .refresh_golden = true },
        { .quantizer = 30, .use_last = true, .use_golden = true, .use_altref = true, .refresh_last = true },
        { .quantizer = 30, .use_last = true, .refresh_last = true, .refresh_altref = true },
        { .quantizer = 127, .use_last = true, .use_golden = true, .refresh_golden = true, .refresh_altref = true },
        { .quantizer = 64, .use_last = true, .use_golden = true, .use_altref = true },
        { .quantizer = 1, .use_altref = true, .refresh_last = true, .refresh_golden = true, .refresh_altref = true },
        { .quantizer = 66, .key_frame = true },
        { .quantizer = 66, .use_last = true, .use_golden = true, .use_altref = true, .refresh_last = true },
    };
    struct xc_search_options options = *extra;
    options.width = width;
    options.height = height;
    struct xc_search *search[2];
    struct xc_state start = XC_STATE_INIT, state = XC_STATE_INIT;
    unsigned hashes[2][FRAMES];
    for (int i = 0; i < 2; i++) {
        CHECK_OK(xc_search_new(&search[i], &options, &err), err);
    }
    make_state(&start, search[0]);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(xc_state_copy(&state, &start, &err), err);
        CHECK_OK(xc_search_set_state(search[i], &state, false, &err), err);
        for (int t = 0; t < FRAMES; t++) {
            hashes[i][t] = step(search[i], &state, t, &frames[t]);
            CHECK(!frame.header.sign_bias_altref);
        }
        xc_search_free(search[i]);
    }
    CHECK(!memcmp(hashes[0], hashes[1], sizeof hashes[0]));
    xc_state_clear(&start);
    xc_state_clear(&state);
    free_sources();
}

/* end: what puts an end to it. */
static void test_altref_ahead(const struct xc_search_request *end)
{
    const struct xc_search_options options = { .width = 96, .height = 80, .tune_ssim = true };
    const struct xc_search_request follower = {
        .quantizer = 30, .use_last = true, .use_golden = true, .use_altref = true, .refresh_last = true
    };
    struct xc_search *search;
    struct xc_state state = XC_STATE_INIT;
    make_sources(96, 80);
    CHECK_OK(xc_search_new(&search, &options, &err), err);
    make_state(&state, search);
    for (int again = 0; again < 2; again++) {
        CHECK_OK(xc_search_set_state(search, &state, true, &err), err);
        for (int t = 0; t < 4; t++) {
            step(search, &state, t, &follower);
            CHECK(frame.header.sign_bias_altref);
        }
        step(search, &state, 4, end);
        for (int t = 5; t < FRAMES; t++) {
            step(search, &state, t, &follower);
            CHECK(!frame.header.sign_bias_altref);
        }
    }
    CHECK_OK(xc_search_set_state(search, &state, false, &err), err);
    step(search, &state, 0, &follower);
    CHECK(!frame.header.sign_bias_altref);
    xc_search_free(search);
    xc_state_clear(&state);
    free_sources();
}

static void test_refusals(void)
{
    struct xc_search *search;
    struct xc_state state = XC_STATE_INIT;
    struct xc_search_options options = { .width = XC_MAX_DIMENSION, .height = 1 };
    const struct xc_search_request interframe = { .use_last = true, .refresh_last = true };
    CHECK_EQUAL(xc_search_new(&search, &options, &err), XC_ERR_UNSUPPORTED);
    options.width = 16;
    make_sources(32, 1);
    CHECK_OK(xc_search_new(&search, &options, &err), err);
    CHECK_EQUAL(xc_search_encode(search, &frame, source[0], &interframe, &err), XC_ERR_MISMATCH);
    CHECK_EQUAL(xc_search_set_state(search, &state, false, &err), XC_ERR_MISMATCH);
    xc_search_free(search);
    options.width = 32;
    CHECK_OK(xc_search_new(&search, &options, &err), err);
    CHECK_EQUAL(xc_search_encode(search, &frame, source[0], &interframe, &err), XC_ERR_ARGUMENT);
    xc_search_free(search);
}

int main(void)
{
    CHECK_OK(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), err);
    test_size(96, 80, &(struct xc_search_options){ .tune_ssim = true });
    unit_end("given a state");
    test_size(97, 33, &(struct xc_search_options){ .cpu_used = 4 });
    unit_end("odd size, fast");
    test_size(1, 1, &(struct xc_search_options){ .width = 1 });
    unit_end("one sample");
    test_long_run();
    unit_end("a long run");
    test_altref_ahead(&(struct xc_search_request){ .quantizer = 30, .use_last = true, .refresh_golden = true });
    unit_end("alt-ref ahead, until golden is refreshed");
    test_altref_ahead(&(struct xc_search_request){ .quantizer = 30, .key_frame = true });
    unit_end("alt-ref ahead, until a key frame");
    test_refusals();
    unit_end("refusals");
    return unit_finish();
}
