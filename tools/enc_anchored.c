#include <math.h>

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

static void encode(struct xc_encoder *encoder, struct xc_picture *picture, const struct xc_encode_params *params,
                   struct xc_tool_chunk *chunk, const char *name)
{
    struct xc_bytes bytes = XC_BYTES_INIT;
    struct xc_error err;
    xc_tool_check(xc_encode(encoder, picture, params, &bytes, &err), name, &err);
    xc_tool_chunk_append(chunk, &bytes);
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
