/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunks that are encoded picture by picture, each as good or as large as asked for. */
#include "base/log2.h"
#include "chunk/tries.h"
#include "excamera/ssim.h"

/* What all pictures of a chunk are encoded for. */
struct primary {
    struct xc_session session;
    const struct xc_primary_options *options;
    struct xc_tries tries;
    struct xc_goal goal;
};

static struct xc_encode_params params_for(const struct xc_session *s)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.key_frame = xc_encoder_state(s->encoder)->width == 0;
    params.refresh_golden = params.refresh_altref = false;
    return params;
}

/* An SSIM, or what it lacks to 1, to the last digit that FFmpeg prints. */
enum { SSIM_ONE = 1000000 };

/* The logarithm of the error that an SSIM stands for. */
static int log_of_error(double ssim)
{
    const double error = (1 - ssim) * SSIM_ONE;
    return xc_log2(error < 1 ? 1 : (uint32_t)(error + 0.5));
}

static size_t size_for(const struct xc_primary_options *options, uint32_t picture)
{
    const size_t last = options->frame_size_count - 1, size = options->frame_sizes[picture < last ? picture : last];
    return size < UINT32_MAX ? size : UINT32_MAX;
}

/* How far a try is from the goal. What the logarithms round away must not make a goal look reached. */
static xc_margin margin_of(const struct primary *p, const struct xc_try *try)
{
    const struct xc_primary_options *options = p->options;
    xc_margin margin;
    bool reached;
    if (options->frame_sizes) {
        const size_t size = size_for(options, p->session.source.count - 1);
        reached = try->bytes.size <= size;
        margin = xc_log2((uint32_t)size) - xc_log2((uint32_t)try->bytes.size);
    } else {
        const double ssim = xc_picture_ssim(p->session.job->workspace, p->tries.picture,
                                            xc_encoder_state(try->encoder)->reference[XC_LAST], XC_PLANE_Y);
        reached = ssim * SSIM_ONE >= options->ssim * SSIM_ONE + 1;
        margin = log_of_error(options->ssim) - log_of_error(ssim);
    }
    return reached ? (margin > 0 ? margin : 0) : (margin < -1 ? margin : -1);
}

/* By how much a limit on size is larger than that for the picture before. */
static xc_margin change_of_goal(const struct primary *p)
{
    const uint32_t picture = p->session.source.count - 1;
    if (!p->options->frame_sizes || picture == 0) {
        return 0;
    }
    return xc_log2((uint32_t)size_for(p->options, picture)) - xc_log2((uint32_t)size_for(p->options, picture - 1));
}

/* Tries levels until the goal is reached at little more than the least cost. */
static enum xc_status encode_for_goal(struct primary *p, const struct xc_picture *picture, struct xc_error *err)
{
    const struct xc_encode_params params = params_for(&p->session);
    unsigned levels[XC_TRIES];
    enum xc_status status = XC_OK;
    xc_goal_begin(&p->goal, change_of_goal(p));
    while (!status && xc_goal_next(&p->goal, levels)) {
        status = xc_tries_run(&p->tries, picture, &params, levels, err);
        if (!status) {
            const xc_margin margins[] = { margin_of(p, &p->tries.tries[0]), margin_of(p, &p->tries.tries[1]) };
            const int best = xc_goal_report(&p->goal, margins);
            status = best < 0 ? XC_OK : xc_tries_keep(&p->tries, best, err);
        }
    }
    return status ? status : xc_tries_commit(&p->tries, p->session.chunk->shown, err);
}

static enum xc_status encode_picture(struct primary *p, const struct xc_picture *picture, struct xc_error *err)
{
    struct xc_session *s = &p->session;
    if (p->options->quantizer < 0) {
        return xc_blame(err, s->job->source->name, encode_for_goal(p, picture, err));
    }
    struct xc_encode_params params = params_for(s);
    params.quantizer = (unsigned)p->options->quantizer;
    return xc_session_encode(s, picture, s->chunk->shown, &params, err);
}

static enum xc_status check_goal(const struct xc_picture_source *source, const struct xc_primary_options *options,
                                 struct xc_error *err)
{
    if (options->quantizer > XC_MAX_QUANTIZER || (options->frame_sizes && !options->frame_size_count)) {
        return xc_fail(err, XC_ERR_ARGUMENT, "neither a quantizer index of 0 to %d nor a list of sizes",
                       XC_MAX_QUANTIZER);
    }
    if (options->quantizer < 0 && !options->frame_sizes &&
        (source->width < XC_SSIM_WINDOW || source->height < XC_SSIM_WINDOW)) {
        return xc_fail_about(err, source->name, XC_ERR_UNSUPPORTED,
                             "is of %ux%u, too small for SSIM; choose a quantizer or sizes instead", source->width,
                             source->height);
    }
    return XC_OK;
}

static enum xc_status encode_pictures(struct primary *p, struct xc_error *err)
{
    struct xc_session *s = &p->session;
    struct xc_picture *picture;
    enum xc_status status = xc_lookahead_next(&s->source, &picture, err);
    if (!status && !picture) {
        return xc_fail_about(err, s->job->source->name, XC_ERR_FORMAT, "has no frame");
    }
    while (!status && picture) {
        status = encode_picture(p, picture, err);
        xc_picture_unref(picture);
        picture = NULL;
        if (!status) {
            status = xc_lookahead_next(&s->source, &picture, err);
        }
    }
    return status;
}

enum xc_status xc_chunk_encode_primary(struct xc_chunk *out, const struct xc_chunk_job *job,
                                       const struct xc_primary_options *options, struct xc_error *err)
{
    struct primary p = { .options = options };
    *out = (struct xc_chunk){ 0 };
    enum xc_status status = check_goal(job->source, options, err);
    if (status || (status = xc_session_begin(&p.session, out, job, 0, err))) {
        return status;
    }
    xc_goal_init(&p.goal, !options->frame_sizes);
    status = xc_tries_begin(&p.tries, &p.session, 0, err);
    if (status) {
        return xc_session_end(&p.session, status, err);
    }
    status = xc_session_end(&p.session, encode_pictures(&p, err), err);
    xc_tries_end(&p.tries);
    return status;
}
