/* Chunks that are encoded picture by picture, each as good or as large as asked for. */
#include <stdlib.h>

#include <libyuv/compare.h>

#include "chunk/session.h"

static double ssim_of(const struct xc_picture *a, const struct xc_picture *b)
{
    return CalcFrameSsim(a->plane[XC_PLANE_Y].data, (int)a->plane[XC_PLANE_Y].stride, b->plane[XC_PLANE_Y].data,
                         (int)b->plane[XC_PLANE_Y].stride, a->width, a->height);
}

/* A picture, and what a quantizer is looked for. */
struct attempt {
    struct xc_session *session;
    const struct xc_picture *picture;
    struct xc_encode_params params;
    double ssim;
    size_t size; /* if not 0, in place of ssim */
    struct xc_bytes bytes;
};

static enum xc_status encode_at(struct attempt *a, unsigned quantizer, struct xc_error *err)
{
    a->params.quantizer = quantizer;
    return xc_encode(a->session->encoder, a->picture, &a->params, &a->bytes, err);
}

static bool reaches_goal(const struct attempt *a)
{
    return a->size ? a->bytes.size <= a->size
                   : ssim_of(a->picture, xc_encoder_state(a->session->encoder)->reference[XC_LAST]) >= a->ssim;
}

/* Bisects for the quantizer that reaches the goal at the least cost: the coarsest for a quality, the finest for a size.
 * Where none does, takes the one that comes nearest. */
static enum xc_status search_quantizer(struct attempt *a, struct xc_error *err)
{
    struct xc_state before = XC_STATE_INIT;
    enum xc_status status = xc_state_copy(&before, xc_encoder_state(a->session->encoder), err);
    int good = a->size ? XC_MAX_QUANTIZER : 0, bad = a->size ? -1 : XC_MAX_QUANTIZER + 1; /* assumed, not tried */
    while (!status && abs(good - bad) > 1) {
        const int tried = (good + bad) / 2;
        status = encode_at(a, (unsigned)tried, err);
        if (!status) {
            *(reaches_goal(a) ? &good : &bad) = tried;
            status = xc_encoder_set_state(a->session->encoder, &before, err);
        }
    }
    xc_state_clear(&before);
    return status ? status : encode_at(a, (unsigned)good, err);
}

static size_t size_for(const struct xc_primary_options *options, uint32_t picture)
{
    const size_t last = options->frame_size_count - 1;
    return options->frame_sizes[picture < last ? picture : last];
}

static enum xc_status encode_picture(struct xc_session *s, const struct xc_picture *picture,
                                     const struct xc_primary_options *options, struct xc_error *err)
{
    struct attempt a = { .session = s, .picture = picture, .params = XC_ENCODE_PARAMS_INIT, .ssim = options->ssim };
    a.params.key_frame = xc_encoder_state(s->encoder)->width == 0;
    a.params.refresh_golden = a.params.refresh_altref = false;
    if (options->frame_sizes) {
        a.size = size_for(options, s->source.count - 1);
    }
    enum xc_status status =
        options->quantizer >= 0 ? encode_at(&a, (unsigned)options->quantizer, err) : search_quantizer(&a, err);
    if (!status) {
        status = xc_chunk_append(s->chunk, &a.bytes, s->chunk->shown, err);
    }
    xc_bytes_clear(&a.bytes);
    return xc_blame(err, s->job->source->name, status);
}

/* libyuv's windows of 8x8 samples end before the last sample of a row and of a column. */
static enum xc_status check_goal(const struct xc_picture_source *source, const struct xc_primary_options *options,
                                 struct xc_error *err)
{
    if (options->quantizer > XC_MAX_QUANTIZER || (options->frame_sizes && !options->frame_size_count)) {
        return xc_fail(err, XC_ERR_ARGUMENT, "neither a quantizer index of 0 to %d nor a list of sizes",
                       XC_MAX_QUANTIZER);
    }
    if (options->quantizer < 0 && !options->frame_sizes && (source->width <= 8 || source->height <= 8)) {
        return xc_fail_about(err, source->name, XC_ERR_UNSUPPORTED,
                             "is of %ux%u, too small for SSIM; choose a quantizer or sizes instead", source->width,
                             source->height);
    }
    return XC_OK;
}

static enum xc_status encode_pictures(struct xc_session *s, const struct xc_primary_options *options,
                                      struct xc_error *err)
{
    struct xc_picture *picture;
    enum xc_status status;
    while (!(status = xc_lookahead_next(&s->source, &picture, err)) && picture) {
        status = encode_picture(s, picture, options, err);
        xc_picture_unref(picture);
        if (status) {
            return status;
        }
    }
    if (!status && s->source.count == 0) {
        status = xc_fail_about(err, s->job->source->name, XC_ERR_FORMAT, "has no frame");
    }
    return status;
}

enum xc_status xc_chunk_encode_primary(struct xc_chunk *out, const struct xc_chunk_job *job,
                                       const struct xc_primary_options *options, struct xc_error *err)
{
    struct xc_session session;
    *out = (struct xc_chunk){ 0 };
    enum xc_status status = check_goal(job->source, options, err);
    if (status || (status = xc_session_begin(&session, out, job, 0, err))) {
        return status;
    }
    return xc_session_end(&session, encode_pictures(&session, options, err), err);
}
