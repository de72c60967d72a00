/* SPDX-License-Identifier: BSD-2-Clause */
/* What the calls are given: pictures, streams, files and chunks, which are made once. */
#ifndef UNIT_ALLOC_INPUTS_H
#define UNIT_ALLOC_INPUTS_H

#include "excamera/excamera.h"
#include "../unit.h"

enum { WIDTH = 70, HEIGHT = 50, THREADS = 3, FILM = 3 /* pictures */ };

static struct {
    struct xc_picture *source[2];
    struct xc_bytes key, inter; /* the second predicts from the first */
    struct xc_state state;      /* between the two */
    struct xc_state other;      /* of the same size */
    FILE *state_file, *compressed_file, *ivf_file, *y4m_file;
    struct xc_ivf anchors; /* of a chunk that follows state */
    struct xc_ivf guess;   /* of the same anchors */
    struct xc_ivf alone;   /* a chunk that begins with a key frame */
    struct xc_ivf rebased; /* one that begins with an interframe from state */
} in;

static struct xc_picture *make_source(uint64_t seed)
{
    struct xc_picture *picture;
    uint8_t i420[WIDTH * HEIGHT * 3 / 2];
    for (size_t i = 0; i < sizeof i420; i++) {
        i420[i] = (uint8_t)(i % WIDTH * seed + i / WIDTH * 2 + unit_below(&seed, 9));
    }
    CHECK(xc_picture_new(&picture, NULL, WIDTH, HEIGHT, NULL) == XC_OK);
    CHECK(xc_picture_from_i420(picture, i420, sizeof i420, NULL) == XC_OK);
    return picture;
}

static struct xc_encode_params params_of(bool key_frame)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = 40;
    params.key_frame = key_frame;
    return params;
}

static void make_streams(void)
{
    struct xc_error err = { .text = "" };
    struct xc_workspace *workspace;
    struct xc_encoder *encoder;
    const struct xc_encoder_options options = { .width = WIDTH, .height = HEIGHT, .speed = 5 };
    const struct xc_encode_params key = params_of(true), inter = params_of(false);
    CHECK_OK(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), err);
    CHECK_OK(xc_encoder_new(&encoder, workspace, &options, &err), err);
    CHECK_OK(xc_encode(encoder, in.source[1], &key, &in.key, &err), err);
    CHECK_OK(xc_state_copy(&in.other, xc_encoder_state(encoder), &err), err);
    CHECK_OK(xc_encode(encoder, in.source[0], &key, &in.key, &err), err);
    CHECK_OK(xc_state_copy(&in.state, xc_encoder_state(encoder), &err), err);
    CHECK_OK(xc_encode(encoder, in.source[1], &inter, &in.inter, &err), err);
    xc_encoder_free(encoder);
    xc_workspace_free(workspace);
}

static void make_files(void)
{
    struct xc_error err = { .text = "" };
    const struct xc_ivf_header ivf = xc_ivf_header_after(&in.state, 30, 1, 100);
    const struct xc_y4m_header y4m = { .line = "YUV4MPEG2 W70 H50 F30:1" };
    static const uint8_t data[2000];
    in.state_file = tmpfile();
    CHECK_OK(xc_state_write(&in.state, in.state_file, &err), err);
    in.compressed_file = tmpfile();
    CHECK_OK(xc_state_write_compressed(&in.state, in.compressed_file, &err), err);
    in.ivf_file = tmpfile();
    CHECK_OK(xc_ivf_write_header(in.ivf_file, &ivf, &err), err);
    for (unsigned i = 0; i < 100; i++) { /* more than is read at once */
        CHECK_OK(xc_ivf_write_frame(in.ivf_file, i, data, sizeof data, &err), err);
    }
    in.y4m_file = tmpfile();
    CHECK_OK(xc_y4m_write_header(in.y4m_file, &y4m, &err), err);
    CHECK_OK(xc_y4m_write_frame(in.y4m_file, in.source[0], &err), err);
}

/* --- a film of three pictures, and chunks of it --- */

static enum xc_status next_picture(void *context, struct xc_picture **picture, struct xc_error *err)
{
    unsigned *number = context;
    (void)err;
    *picture = *number < FILM ? xc_picture_ref(in.source[*number % 2]) : NULL;
    ++*number;
    return XC_OK;
}

static struct xc_picture_source film(unsigned *number)
{
    *number = 0;
    return (struct xc_picture_source){
        .width = WIDTH,
        .height = HEIGHT,
        .rate_num = 30,
        .rate_den = 1,
        .next = next_picture,
        .context = number,
    };
}

typedef enum xc_status make_chunk(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err);

static enum xc_status make_anchors(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    return xc_chunk_encode_anchors(out, job, &xc_anchored_defaults, err);
}

static enum xc_status ignore_picture(void *context, const struct xc_picture *picture, struct xc_error *err)
{
    (void)context, (void)picture, (void)err;
    return XC_OK;
}

static enum xc_status make_guess(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_anchor_guess guess = { in.source[0], in.source[1], { ignore_picture, NULL } };
    return xc_chunk_guess_anchors(out, job, &xc_anchored_defaults, &guess, err);
}

/* As many pictures of the film as the guess has frames are its targets. */
static enum xc_status make_rebased_anchors(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_chunk_input guess = { .ivf = &in.guess };
    unsigned number;
    const struct xc_picture_source targets = film(&number);
    struct xc_chunk_job with_targets = *job;
    number = FILM - in.guess.header.frame_count;
    with_targets.source = &targets;
    return xc_chunk_rebase_anchors(out, &with_targets, &guess, &xc_anchored_defaults, err);
}

static enum xc_status make_followers(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_chunk_input anchors = { .ivf = &in.anchors };
    return xc_chunk_encode_followers(out, job, &anchors, &xc_anchored_defaults, err);
}

static enum xc_status make_primary(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_primary_options options = { .quantizer = 60 };
    return xc_chunk_encode_primary(out, job, &options, err);
}

static enum xc_status make_primary_of_size(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const size_t sizes[] = { 300, 200 };
    const struct xc_primary_options options = { .quantizer = -1, .frame_sizes = sizes, .frame_size_count = 2 };
    return xc_chunk_encode_primary(out, job, &options, err);
}

static enum xc_status make_reencoded(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_chunk_input alone = { .ivf = &in.alone };
    return xc_chunk_reencode(out, job, &alone, &xc_reencode_defaults, err);
}

static enum xc_status make_rebased(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_chunk_input prediction = { .ivf = &in.rebased, .state = &in.state };
    return xc_chunk_rebase(out, job, &prediction, err);
}

static enum xc_status make_terminated(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_chunk_input alone = { .ivf = &in.alone };
    return xc_chunk_terminate(out, job->state, &alone, job->workspace, err);
}

static enum xc_status make_without_residues(struct xc_chunk *out, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_chunk_input input = { .ivf = &in.rebased, .state = job->state };
    return xc_chunk_zero_residues(out, &input, err);
}

/* Makes a chunk that follows a state, and reads it back as a file. */
static struct xc_ivf chunk_as_ivf(make_chunk *make, const struct xc_state *before)
{
    struct xc_error err = { .text = "" };
    struct xc_workspace *workspace;
    struct xc_state state = XC_STATE_INIT;
    struct xc_chunk chunk;
    struct xc_ivf ivf;
    unsigned number;
    const struct xc_picture_source source = film(&number);
    FILE *file = tmpfile();
    CHECK_OK(xc_workspace_new(&workspace, 1, XC_CPU_ALL, &err), err);
    CHECK_OK(xc_state_copy(&state, before, &err), err);
    const struct xc_chunk_job job = {
        .workspace = workspace, .source = &source, .state = &state, .speed = XC_MAX_SPEED
    };
    CHECK_OK(make(&chunk, &job, &err), err);
    CHECK_OK(xc_chunk_write(&chunk, file, &err), err);
    rewind(file);
    CHECK_OK(xc_ivf_read(&ivf, file, &err), err);
    fclose(file);
    xc_chunk_clear(&chunk);
    xc_state_clear(&state);
    xc_workspace_free(workspace);
    return ivf;
}

static void make_chunks(void)
{
    const struct xc_state none = XC_STATE_INIT;
    in.alone = chunk_as_ivf(make_primary, &none);
    in.anchors = chunk_as_ivf(make_anchors, &in.state);
    in.guess = chunk_as_ivf(make_guess, &in.state);
    in.rebased = chunk_as_ivf(make_reencoded, &in.state);
}

static void make_inputs(void)
{
    in.source[0] = make_source(3);
    in.source[1] = make_source(5);
    make_streams();
    make_files();
    make_chunks();
}

static void clear_inputs(void)
{
    for (int i = 0; i < 2; i++) {
        xc_picture_unref(in.source[i]);
    }
    xc_bytes_clear(&in.key);
    xc_bytes_clear(&in.inter);
    xc_state_clear(&in.state);
    xc_state_clear(&in.other);
    fclose(in.state_file);
    fclose(in.compressed_file);
    fclose(in.ivf_file);
    fclose(in.y4m_file);
    xc_ivf_clear(&in.alone);
    xc_ivf_clear(&in.anchors);
    xc_ivf_clear(&in.guess);
    xc_ivf_clear(&in.rebased);
}

#endif
