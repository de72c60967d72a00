#include <math.h>

#include "enc_span.h"

/* How large a quantizer's step is, measured by the noise that it is to leave uncoded (docs/compression.md). */
#define NOISE_STEPS 5.0

void span_add(struct span *span, struct xc_picture *picture)
{
    span->pictures[span->count++] = picture;
}

void span_clear(struct span *span)
{
    while (span->count) {
        xc_picture_unref(span->pictures[--span->count]);
    }
}

static double filter(struct xc_picture **average, const struct span *span, unsigned at, int step, unsigned most,
                     struct xc_workspace *workspace)
{
    const struct xc_picture *pictures[XC_FILTER_PICTURES];
    struct xc_error err;
    double noise;
    unsigned count = 0;
    for (unsigned i = at; i < span->count && count < most; i += (unsigned)step) {
        pictures[count++] = span->pictures[i];
    }
    xc_tool_check(xc_temporal_filter(workspace, average, &noise, pictures, count, &err), NULL, &err);
    return noise;
}

struct xc_picture *span_average(const struct span *span, unsigned at, int step, double *noise,
                                struct xc_workspace *workspace)
{
    struct xc_picture *average;
    *noise = filter(&average, span, at, step, XC_FILTER_PICTURES, workspace);
    return average;
}

double span_noise(const struct span *span, unsigned at, int step, struct xc_workspace *workspace)
{
    return filter(NULL, span, at, step, 2, workspace);
}

unsigned quantizer_above_noise(unsigned quantizer, unsigned most, double noise)
{
    return (unsigned)fmin(most, fmax(quantizer, xc_quantizer_of_step(NOISE_STEPS * noise)));
}

struct xc_encode_params anchor_params(unsigned quantizer, bool alone)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = quantizer;
    params.hide = !alone;
    params.refresh_last = alone;
    params.refresh_golden = false;
    return params;
}

struct xc_encode_params follower_params(unsigned quantizer)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.quantizer = quantizer;
    params.altref_ahead = true;
    params.refresh_golden = params.refresh_altref = false;
    return params;
}

void show_anchor(struct xc_encoder *encoder, struct xc_tool_chunk *chunk, const struct xc_encode_params *params,
                 const char *name)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_error err;
    xc_tool_check(xc_encode_repeat(encoder, XC_ALTREF, params, &bytes, &err), name, &err);
    xc_tool_chunk_append(chunk, &bytes, chunk->shown);
}
