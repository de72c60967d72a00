#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "excamera/lookahead.h"

#include "enc_modes.h"

/* libvpx's quantizers, from its scale of 64 (vp8/encoder/onyx_if.c). */
static const uint8_t index_of_level[64] = {
    0,  1,  2,  3,  4,  5,  7,  8,  9,  10, 12, 13, 15, 17,  18,  19,  20,  21,  23,  24,  25,  26,
    27, 28, 29, 30, 31, 33, 35, 37, 39, 41, 43, 45, 47, 49,  51,  53,  55,  57,  59,  61,  64,  67,
    70, 73, 76, 79, 82, 85, 88, 91, 94, 97, 100, 103, 106, 109, 112, 115, 118, 121, 124, 127,
};

static unsigned quantizer_for(const struct anchored_options *options, double weight)
{
    double index = index_of_level[options->cq_level] * weight;
    return (unsigned)lrint(index > 127 ? 127 : index);
}

/* The step of a quantizer index is close to linear in it. */
static unsigned quantizer_for_worth(const struct anchored_options *options, uint32_t worth)
{
    extern const uint16_t xc_ac_quantizer[128];
    double step = xc_ac_quantizer[index_of_level[options->cq_level]] * pow(1 + worth / 16.0, -options->strength) * options->scale;
    unsigned best = 0;
    for (unsigned i = 1; i < 128; i++) {
        if (fabs(xc_ac_quantizer[i] - step) < fabs(xc_ac_quantizer[best] - step)) {
            best = i;
        }
    }
    return best;
}

static void encode(struct xc_encoder *encoder, struct xc_picture *picture, const struct xc_encode_params *params,
                   struct xc_tool_chunk *chunk, const char *name)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_error err;
    xc_tool_check(xc_encode(encoder, picture, params, &bytes, &err), name, &err);
    xc_tool_chunk_append(chunk, &bytes);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Look ahead over the whole chunk. */
static void plan(struct xc_encode_params *params, const struct xc_picture *first, struct xc_tool_source *source,
                 const struct anchored_options *options)
{
    struct xc_lookahead *lookahead;
    struct xc_error err;
    xc_tool_check(xc_lookahead_new(&lookahead, source->width, source->height, &err), NULL, &err);
    xc_tool_check(xc_lookahead_add(lookahead, first, &err), source->name, &err);
    struct xc_picture *picture;
    while ((picture = xc_tool_source_next(source))) {
        xc_tool_check(xc_lookahead_add(lookahead, picture, &err), source->name, &err);
        xc_picture_unref(picture);
    }
    size_t count = (size_t)first->mb_cols * first->mb_rows;
    uint32_t *worth = malloc(count * sizeof *worth), *sorted = malloc(count * sizeof *worth);
    uint32_t total = xc_lookahead_worth(lookahead, worth, (unsigned)options->ahead);
    params->quantizer = quantizer_for_worth(options, total);
    if (options->segments) {
        memcpy(sorted, worth, count * sizeof *worth);
        qsort(sorted, count, sizeof *sorted, compare);
        uint8_t *map = malloc(count);
        for (size_t i = 0; i < count; i++) {
            map[i] = (uint8_t)((worth[i] > sorted[count / 4]) + (worth[i] > sorted[count / 2]) + (worth[i] > sorted[count * 3 / 4]));
        }
        double mean = 0;
        int q[4];
        for (int s = 0; s < 4; s++) {
            q[s] = (int)quantizer_for_worth(options, sorted[count * (unsigned)(2 * s + 1) / 8]);
            mean += q[s] / 4.0;
        }
        params->quantizer = (unsigned)lrint(mean);
        for (int s = 0; s < 4; s++) {
            params->segment_quantizer[s] = (int8_t)(q[s] - (int)params->quantizer);
        }
        params->segment_map = map;
        if (getenv("XC_DEBUG")) fprintf(stderr, "segments %d %d %d %d\n", q[0], q[1], q[2], q[3]);
    }
    if (getenv("XC_DEBUG")) fprintf(stderr, "worth %u q %u\n", total, params->quantizer);
    free(worth);
    free(sorted);
    xc_lookahead_free(lookahead);
}

void encode_anchor(struct xc_encoder *encoder, struct xc_tool_source *source, struct xc_tool_chunk *chunk,
                   const struct anchored_options *options)
{
    struct xc_picture *picture = xc_tool_source_next(source);
    if (!picture) {
        xc_tool_fail(source->name, "has no frame");
    }
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.key_frame = xc_encoder_state(encoder)->width == 0;
    params.use_last = params.refresh_altref = false;
    params.quantizer = quantizer_for(options, params.key_frame ? options->key_weight : options->anchor_weight);
    if (options->strength > 0) {
        plan(&params, picture, source, options);
    }
    encode(encoder, picture, &params, chunk, source->name);
    xc_picture_unref(picture);
}

void encode_followers(struct xc_encoder *encoder, struct xc_tool_source *source, struct xc_tool_chunk *chunk,
                      const struct anchored_options *options)
{
    struct xc_picture *picture = xc_tool_source_next(source);
    xc_picture_unref(picture);
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.refresh_golden = params.refresh_altref = false;
    params.keep_probabilities = true;
    params.quantizer = quantizer_for(options, options->rest_weight);
    while ((picture = xc_tool_source_next(source))) {
        encode(encoder, picture, &params, chunk, source->name);
        xc_picture_unref(picture);
    }
}
