/* SPDX-License-Identifier: BSD-2-Clause */
/* Encoding given a state: libvpx searches, and what it finds is coded for the state at hand, refined if asked for. */
#include <stdlib.h>
#include <string.h>

#include "bitstream/header_rewrite.h"
#include "encode/repeat.h"
#include "excamera/encode.h"
#include "recon/workspace.h"
#include "state/picture.h"
#include "vpx/search.h"

struct xc_encoder {
    struct xc_workspace *workspace;
    struct xc_encoder_options options;
    struct xc_search *search;
    struct xc_state state;
    struct xc_frame frame, refined;
    bool in_step;      /* libvpx's references are the state's */
    bool may_replace;  /* they may be replaced, if they are not */
    bool altref_ahead; /* as libvpx was told */
};

enum xc_status xc_encoder_new(struct xc_encoder **out, struct xc_workspace *workspace,
                              const struct xc_encoder_options *options, struct xc_error *err)
{
    *out = NULL;
    if (options->speed < 0 || options->speed > XC_MAX_SPEED) {
        return xc_fail(err, XC_ERR_ARGUMENT, "speed %d: from 0 to %d are possible", options->speed, XC_MAX_SPEED);
    }
    struct xc_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) {
        return xc_fail(err, XC_ERR_MEMORY, "out of memory for an encoder");
    }
    const struct xc_search_options search = {
        .width = options->width,
        .height = options->height,
        .cpu_used = options->speed,
        .tune_ssim = options->tune_ssim,
    };
    enum xc_status status = xc_search_new(&encoder->search, &search, err);
    if (status) {
        free(encoder);
        return status;
    }
    encoder->workspace = workspace;
    encoder->options = *options;
    *out = encoder;
    return XC_OK;
}

void xc_encoder_free(struct xc_encoder *encoder)
{
    if (encoder) {
        xc_search_free(encoder->search);
        xc_state_clear(&encoder->state);
        xc_frame_clear(&encoder->frame);
        xc_frame_clear(&encoder->refined);
        free(encoder);
    }
}

const struct xc_state *xc_encoder_state(const struct xc_encoder *encoder)
{
    return &encoder->state;
}

enum xc_status xc_encoder_set_state(struct xc_encoder *encoder, const struct xc_state *state, struct xc_error *err)
{
    const struct xc_encoder_options *options = &encoder->options;
    if (state->width && (state->width != options->width || state->height != options->height)) {
        return xc_fail(err, XC_ERR_MISMATCH, "a state of %ux%u samples, an encoder of pictures of %ux%u", state->width,
                       state->height, options->width, options->height);
    }
    encoder->in_step = encoder->may_replace = false;
    return xc_state_copy(&encoder->state, state, err);
}

enum xc_status xc_encoder_retry_from(struct xc_encoder *encoder, const struct xc_state *state, struct xc_error *err)
{
    enum xc_status status = xc_encoder_set_state(encoder, state, err);
    encoder->may_replace = true;
    return status;
}

static enum xc_status search(struct xc_encoder *encoder, const struct xc_picture *source,
                             const struct xc_encode_params *params, struct xc_error *err)
{
    const bool ready = encoder->in_step && encoder->altref_ahead == params->altref_ahead;
    if (!ready && !params->key_frame) {
        const bool replace = encoder->may_replace && encoder->altref_ahead == params->altref_ahead;
        encoder->altref_ahead = params->altref_ahead;
        enum xc_status status = (replace ? xc_search_replace_state : xc_search_set_state)(
            encoder->search, &encoder->state, params->altref_ahead, err);
        if (status) {
            return status;
        }
    }
    struct xc_search_request request = {
        .quantizer = params->quantizer,
        .key_frame = params->key_frame,
        .use_last = params->use_last,
        .use_golden = params->use_golden,
        .use_altref = params->use_altref,
        .refresh_last = params->refresh_last,
        .refresh_golden = params->refresh_golden,
        .refresh_altref = params->refresh_altref,
        .segment_map = params->segment_map,
    };
    memcpy(request.segment_quantizer, params->segment_quantizer, sizeof request.segment_quantizer);
    struct xc_picture *copy;
    enum xc_status status = xc_picture_copy_unless_complete(&copy, source, encoder->workspace->pool, err);
    if (!status) {
        status = xc_search_encode(encoder->search, &encoder->frame, copy ? copy : source, &request, err);
    }
    xc_picture_unref(copy);
    return status;
}

/* Gives encoder->frame the header that params ask for, and that takes the fewest bits in encoder->state. */
static enum xc_status complete(struct xc_encoder *encoder, const struct xc_encode_params *params, struct xc_error *err)
{
    struct xc_frame *frame = &encoder->frame;
    frame->header.refresh_probabilities = !params->keep_probabilities;
    frame->header.show = !params->hide;
    if (!frame->header.key_frame) {
        xc_frame_make_implicit(frame, &encoder->state);
    }
    return xc_frame_optimize(frame, &encoder->state, err);
}

/* Serializes encoder->frame against encoder->state, then advances the state. */
static enum xc_status code(struct xc_encoder *encoder, struct xc_bytes *out, struct xc_error *err)
{
    enum xc_status status = xc_frame_serialize(out, &encoder->frame, &encoder->state, err);
    if (!status) {
        status = xc_decode_frame(encoder->workspace, &encoder->state, &encoder->frame, NULL, err);
    }
    if (status) {
        out->size = 0;
    }
    return status;
}

/* The same for a frame that is refined before: it is rebased onto the very state that it was made for. libvpx has
 * decided with probabilities of its own; now those that the frame is about to send are known. */
static enum xc_status code_refined(struct xc_encoder *encoder, const struct xc_picture *source, struct xc_bytes *out,
                                   struct xc_error *err)
{
    struct xc_state after = XC_STATE_INIT;
    enum xc_status status = xc_state_copy(&after, &encoder->state, err);
    if (!status) {
        status =
            xc_rebase(encoder->workspace, &after, &encoder->frame, &encoder->state, source, 1, &encoder->refined, err);
    }
    if (!status) {
        status = xc_frame_serialize(out, &encoder->refined, &encoder->state, err);
    }
    if (status) {
        out->size = 0;
    } else {
        const struct xc_state before = encoder->state;
        encoder->state = after;
        after = before;
    }
    xc_state_clear(&after);
    return status;
}

static enum xc_status check_quantizer(const struct xc_encode_params *params, struct xc_error *err)
{
    if (params->quantizer == XC_QUANTIZER_UNSET) {
        return xc_fail(err, XC_ERR_ARGUMENT, "the quantizer is not set, which is from 0 to %d", XC_MAX_QUANTIZER);
    }
    if (params->quantizer > XC_MAX_QUANTIZER) {
        return xc_fail(err, XC_ERR_ARGUMENT, "quantizer %u: from 0 to %d are possible", params->quantizer,
                       XC_MAX_QUANTIZER);
    }
    return XC_OK;
}

static enum xc_status check_segments(const struct xc_encoder *encoder, const struct xc_encode_params *params,
                                     struct xc_error *err)
{
    static const int8_t nothing[XC_SEGMENTS];
    const size_t cols = (encoder->options.width + 15) / 16, rows = (encoder->options.height + 15) / 16;
    if (params->segment_map && !memcmp(params->segment_quantizer, nothing, sizeof nothing)) {
        return xc_fail(err, XC_ERR_ARGUMENT, "segments that all have the frame's quantizer");
    }
    for (size_t i = 0; params->segment_map && i < cols * rows; i++) {
        if (params->segment_map[i] >= XC_SEGMENTS) {
            return xc_fail(err, XC_ERR_ARGUMENT, "macroblock %zu is in segment %u: from 0 to %d are possible", i,
                           params->segment_map[i], XC_SEGMENTS - 1);
        }
    }
    return XC_OK;
}

enum xc_status xc_encode(struct xc_encoder *encoder, const struct xc_picture *source,
                         const struct xc_encode_params *params, struct xc_bytes *out, struct xc_error *err)
{
    out->size = 0;
    enum xc_status status = check_quantizer(params, err);
    if (status || (status = check_segments(encoder, params, err))) {
        return status;
    }
    if (encoder->state.width == 0 && !params->key_frame) {
        return xc_fail(err, XC_ERR_ARGUMENT, "the first frame without a state must be a key frame");
    }
    status = search(encoder, source, params, err);
    encoder->in_step = false;
    if (status || (status = complete(encoder, params, err))) {
        return status;
    }
    const bool refine = params->refine && !params->key_frame;
    status = refine ? code_refined(encoder, source, out, err) : code(encoder, out, err);
    encoder->in_step = !status && !refine;
    encoder->may_replace |= refine;
    return status;
}

enum xc_status xc_encode_repeat(struct xc_encoder *encoder, enum xc_reference which,
                                const struct xc_encode_params *params, struct xc_bytes *out, struct xc_error *err)
{
    out->size = 0;
    enum xc_status status = check_quantizer(params, err);
    if (status) {
        return status;
    }
    if ((unsigned)which >= XC_REFERENCES) {
        return xc_fail(err, XC_ERR_ARGUMENT, "there is no reference %d", (int)which);
    }
    if (encoder->state.width == 0) {
        return xc_fail(err, XC_ERR_ARGUMENT, "before the first key frame there is nothing to repeat");
    }
    encoder->in_step = false;
    status = xc_frame_make_repeat(&encoder->frame, &encoder->state, which, params, err);
    if (!status) {
        status = complete(encoder, params, err);
    }
    return status ? status : code(encoder, out, err);
}
