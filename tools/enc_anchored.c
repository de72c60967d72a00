#include <math.h>

#include "enc_modes.h"
#include "enc_span.h"
#include "analysis/scene.h"

/* What is read of the pictures while their anchors are still to be encoded. */
struct section {
    struct span span;
    uint64_t index; /* of its first picture in the chunk */
    bool key;       /* which is a key frame, and no part of what the anchor is for */
    bool cut;       /* nothing behind the section is predicted from it */
    double novelty; /* of those behind the first one with which a key frame is averaged, summed up */
};

static unsigned quantizer_for(const struct anchored_options *options, double weight)
{
    return (unsigned)fmin(127, lrint(xc_quantizer_of_level((unsigned)options->cq_level) * weight));
}

/* With this weight, but above the noise. */
static unsigned quantizer_above(double noise, const struct anchored_options *options, double weight)
{
    return quantizer_above_noise(quantizer_for(options, weight), quantizer_for(options, fmax(weight, 1)), noise);
}

/* Whatever is worth a fine quantizer because many pictures live on it: if there are few, it is not that fine. */
static double weight_for(const struct section *section, double weight, unsigned pictures)
{
    return section->cut ? fmax(weight, 1. / pictures) : weight;
}

/* The less changes from picture to picture, the longer the quality of a key frame lasts: if a part n of each picture
 * is new, about 1/n pictures live on it, and by the rule of x264's macroblock tree the quantizer follows a root of
 * that. */
static double key_weight_for(const struct section *section, const struct anchored_options *options)
{
    const unsigned behind = (unsigned)fmin(section->span.count, XC_FILTER_PICTURES) - 1;
    const double part = behind ? fmin(1, section->novelty / behind) : 1;
    return weight_for(section, options->key_weight * sqrt(part), section->span.count);
}

static void encode_key(const struct section *section, struct xc_encoder *encoder, const struct xc_tool_source *source,
                       struct xc_tool_chunk *chunk, const struct anchored_options *options)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.key_frame = true;
    double noise;
    struct xc_picture *picture = span_average(&section->span, 0, 1, &noise, source->workspace);
    params.quantizer = quantizer_above(noise, options, key_weight_for(section, options));
    xc_tool_chunk_encode(chunk, encoder, picture, section->index, &params, source->name);
    xc_picture_unref(picture);
}

/* The state behind a span, without the span: its last picture is the anchor. */
static void pass_followers(struct xc_encoder *encoder)
{
    struct xc_state state = xc_tool_encoder_state(encoder);
    xc_picture_unref(state.reference[XC_LAST]);
    state.reference[XC_LAST] = xc_picture_ref(state.reference[XC_ALTREF]);
    xc_tool_encoder_move(encoder, &state);
}

/* Encodes the key frame and the anchor of a section, as far as it has them, and lets its pictures go. */
static void finish_section(struct section *section, struct xc_encoder *encoder, const struct xc_tool_source *source,
                           struct xc_tool_chunk *chunk, const struct anchored_options *options)
{
    struct span *span = &section->span;
    if (section->key) {
        encode_key(section, encoder, source, chunk, options);
    }
    if (span->count > section->key) {
        const bool alone = span->count == 1u + section->key;
        double noise;
        struct xc_picture *picture = span_average(span, span->count - 1, -1, &noise, source->workspace);
        const double weight = weight_for(section, options->anchor_weight, span->count - section->key);
        const unsigned quantizer = quantizer_above(noise, options, weight);
        const struct xc_encode_params params = anchor_params(quantizer, alone);
        xc_tool_chunk_encode(chunk, encoder, picture, section->index + span->count - 1, &params, source->name);
        xc_picture_unref(picture);
        pass_followers(encoder);
    }
    span_clear(span);
}

void encode_anchors(struct xc_encoder *encoder, struct xc_tool_source *source, struct xc_tool_chunk *chunk,
                    const struct anchored_options *options)
{
    struct section section = { .index = 0 };
    struct xc_scene *scene;
    struct xc_error err;
    struct xc_picture *picture;
    const struct xc_state *state = xc_encoder_state(encoder);
    xc_tool_check(xc_scene_new(&scene, source->width, source->height, &err), NULL, &err);
    if (state->width) {
        xc_scene_begins(scene, state->reference[XC_LAST]);
    }
    section.key = !state->width;
    while ((picture = xc_tool_source_next(source))) {
        const bool cut = xc_scene_begins(scene, picture);
        if (cut || span_is_full(&section.span)) {
            section.cut = cut;
            finish_section(&section, encoder, source, chunk, options);
            section = (struct section){ .index = source->count - 1, .key = cut || !state->width };
        }
        if (section.span.count && section.span.count < XC_FILTER_PICTURES) {
            section.novelty += xc_scene_novelty(scene);
        }
        span_add(&section.span, picture);
    }
    if (source->count == 0) {
        xc_tool_fail(source->name, "has no frame");
    }
    finish_section(&section, encoder, source, chunk, options);
    xc_scene_free(scene);
}

/* Whether alt-ref is a picture that the state before did not hold. */
static bool has_new_altref(const struct xc_state *state, const struct xc_state *before)
{
    const struct xc_picture *altref = state->reference[XC_ALTREF];
    return altref != before->reference[XC_LAST] && altref != before->reference[XC_GOLDEN] &&
           altref != before->reference[XC_ALTREF];
}

/* Puts the key frame or anchor that is next into the chunk, and decodes it, so that the encoder goes on from the state
 * behind it. hidden: it is shown later, as alt-ref. */
static void pass_anchor(struct xc_encoder *encoder, const struct xc_tool_ivf *anchors, uint32_t index, bool hidden,
                        struct xc_tool_chunk *chunk, struct xc_workspace *workspace)
{
    struct xc_state state = xc_tool_encoder_state(encoder);
    xc_picture_unref(xc_tool_ivf_decode(anchors, index, &state, workspace));
    if (hidden && !has_new_altref(&state, xc_encoder_state(encoder))) {
        xc_tool_fail(anchors->name, "frame %u is hidden, but no anchor: alt-ref is no new picture behind it", index);
    }
    xc_tool_encoder_move(encoder, &state);
    xc_tool_chunk_copy(chunk, anchors, index);
}

/* The followers of a hidden anchor, and the anchor shown. */
static void encode_span(struct xc_encoder *encoder, struct xc_tool_source *source, uint64_t anchor,
                        const char *anchors_name, struct xc_tool_chunk *chunk, const struct xc_encode_params *params)
{
    while (source->count < anchor) {
        struct xc_picture *picture = xc_tool_source_expect(source, anchors_name);
        xc_tool_chunk_encode(chunk, encoder, picture, source->count - 1, params, source->name);
        xc_picture_unref(picture);
    }
    xc_picture_unref(xc_tool_source_expect(source, anchors_name));
    show_anchor(encoder, chunk, params, anchors_name);
}

void encode_followers(struct xc_encoder *encoder, struct xc_tool_source *source, const struct xc_tool_ivf *anchors,
                      struct xc_tool_chunk *chunk, const struct anchored_options *options)
{
    const struct xc_ivf *ivf = &anchors->ivf;
    struct xc_encode_params params = follower_params(quantizer_for(options, 1));
    params.keep_probabilities = true;
    chunk->header.expected_state = ivf->header.expected_state;
    for (uint32_t i = 0; i < ivf->header.frame_count; i++) {
        const struct xc_ivf_frame *frame = &ivf->frames[i];
        const bool shown = xc_data_is_shown(frame->data, frame->size);
        if (frame->timestamp < source->count || (shown && frame->timestamp > source->count)) {
            xc_tool_fail(anchors->name, "frame %u is for picture %llu, where picture %u is due", i,
                         (unsigned long long)frame->timestamp, source->count);
        }
        pass_anchor(encoder, anchors, i, !shown, chunk, source->workspace);
        if (shown) {
            xc_picture_unref(xc_tool_source_expect(source, anchors->name));
        } else {
            encode_span(encoder, source, frame->timestamp, anchors->name, chunk, &params);
        }
    }
    xc_tool_source_expect_end(source, anchors->name);
}
