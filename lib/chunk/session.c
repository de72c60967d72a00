/* SPDX-License-Identifier: BSD-2-Clause */
#include "chunk/session.h"

#include <stdlib.h>

#include "analysis/activity.h"

/* The encoder refuses what is out of range. */
static int speed_of(const struct xc_chunk_job *job, int thorough)
{
    return job->speed < XC_MAX_SPEED ? job->speed + thorough : job->speed;
}

enum xc_status xc_session_begin_chunk(struct xc_chunk *chunk, const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_picture_source *source = job->source;
    const struct xc_state *state = job->state;
    *chunk = (struct xc_chunk){ 0 };
    if (state->width && (state->width != source->width || state->height != source->height)) {
        return xc_fail_about(err, source->name, XC_ERR_MISMATCH, "is of %ux%u, but the state %s is of %ux%u",
                             source->width, source->height, xc_name_or(job->state_name, "before it"), state->width,
                             state->height);
    }
    xc_chunk_init(chunk, state, source->rate_num, source->rate_den);
    chunk->header.width = (uint16_t)source->width;
    chunk->header.height = (uint16_t)source->height;
    return XC_OK;
}

static enum xc_status check_after(const struct xc_chunk_job *job, struct xc_error *err)
{
    const struct xc_picture_source *source = job->source, *after = job->after;
    if (after && (after->width != source->width || after->height != source->height)) {
        return xc_fail_about(err, after->name, XC_ERR_MISMATCH, "is of %ux%u, but %s is of %ux%u", after->width,
                             after->height, xc_name_or(source->name, "the chunk before it"), source->width,
                             source->height);
    }
    return XC_OK;
}

struct xc_encoder_options xc_session_encoder_options(const struct xc_chunk_job *job, int thorough)
{
    return (struct xc_encoder_options){
        .width = job->source->width,
        .height = job->source->height,
        .speed = speed_of(job, thorough),
        .tune_ssim = true,
    };
}

static size_t macroblocks_of(const struct xc_picture_source *source)
{
    return (size_t)((source->width + 15) / 16) * ((source->height + 15) / 16);
}

enum xc_status xc_session_begin(struct xc_session *s, struct xc_chunk *chunk, const struct xc_chunk_job *job,
                                int thorough, struct xc_error *err)
{
    const struct xc_encoder_options options = xc_session_encoder_options(job, thorough);
    *s = (struct xc_session){ .job = job, .chunk = chunk };
    s->source.source = job->source;
    s->after.source = job->after;
    enum xc_status status = xc_session_begin_chunk(chunk, job, err);
    if (!status) {
        status = check_after(job, err);
    }
    if (status) {
        return status;
    }
    status = xc_blame(err, job->source->name, xc_encoder_new(&s->encoder, job->workspace, &options, err));
    if (!status && job->state->width) {
        status = xc_blame(err, job->state_name, xc_encoder_set_state(s->encoder, job->state, err));
    }
    if (!status && !(s->segment_map = malloc(macroblocks_of(job->source)))) {
        status = xc_fail(err, XC_ERR_MEMORY, "out of memory for a segment map");
    }
    if (status) {
        xc_encoder_free(s->encoder);
    }
    return status;
}

enum xc_status xc_session_end(struct xc_session *s, enum xc_status status, struct xc_error *err)
{
    if (!status) {
        status = xc_state_copy(s->job->state, xc_encoder_state(s->encoder), err);
    }
    if (status) {
        xc_chunk_clear(s->chunk);
    }
    xc_encoder_free(s->encoder);
    free(s->segment_map);
    xc_lookahead_clear(&s->source);
    xc_lookahead_clear(&s->after);
    return status;
}

static enum xc_status append(struct xc_session *s, enum xc_status status, struct xc_bytes *bytes, uint64_t timestamp,
                             struct xc_error *err)
{
    if (!status) {
        status = xc_chunk_append(s->chunk, bytes, timestamp, err);
    }
    xc_bytes_clear(bytes);
    return xc_blame(err, s->job->source->name, status);
}

enum xc_status xc_session_encode(struct xc_session *s, const struct xc_picture *picture, uint64_t timestamp,
                                 const struct xc_encode_params *params, struct xc_error *err)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    return append(s, xc_encode(s->encoder, picture, params, &bytes, err), &bytes, timestamp, err);
}

enum xc_status xc_session_encode_anchor(struct xc_session *s, const struct xc_picture *picture, uint64_t timestamp,
                                        struct xc_encode_params params, struct xc_error *err)
{
    xc_activity_segments(s->segment_map, picture, s->job->workspace);
    params.segment_map = s->segment_map;
    enum xc_status status = xc_session_encode(s, picture, timestamp, &params, err);
    return status || !s->targets ? status : s->targets->put(s->targets->context, picture, err);
}

enum xc_status xc_session_encode_follower(struct xc_session *s, const struct xc_picture *picture, uint64_t timestamp,
                                          struct xc_encode_params params, struct xc_error *err)
{
    params.segment_map = xc_encoder_state(s->encoder)->segment_map;
    return xc_session_encode(s, picture, timestamp, &params, err);
}

enum xc_status xc_session_show_anchor(struct xc_session *s, const struct xc_encode_params *params, struct xc_error *err)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    return append(s, xc_encode_repeat(s->encoder, XC_ALTREF, params, &bytes, err), &bytes, s->chunk->shown, err);
}
