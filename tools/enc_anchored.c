#include <math.h>

#include "enc_modes.h"
#include "excamera/scene.h"
#include "excamera/temporal_filter.h"

/* A chunk that is longer than this has further anchors. Without, [24,4] was 4 points behind [12,8]. */
enum { ANCHOR_DISTANCE = 12 };

/* An anchor that is waiting for the pictures behind it, with which it is averaged. */
struct anchor {
    struct xc_picture *pictures[XC_FILTER_PICTURES];
    unsigned count;
    double novelty; /* of the pictures behind the first one, summed up */
    uint64_t index; /* of its picture in the chunk */
    bool key;
};

static unsigned quantizer_for(const struct anchored_options *options, double weight)
{
    return (unsigned)fmin(127, lrint(xc_quantizer_of_level((unsigned)options->cq_level) * weight));
}

/* The less changes from picture to picture, the longer the quality of a key frame lasts: if a part n of each picture
 * is new, about 1/n pictures live on it, and by the rule of x264's macroblock tree the quantizer follows a root of
 * that. */
static double key_weight_for(const struct anchor *anchor, const struct anchored_options *options)
{
    return anchor->count > 1 ? options->key_weight * sqrt(fmin(1, anchor->novelty / (anchor->count - 1)))
                             : options->key_weight;
}

/* Encodes the anchor that waits, if one does, and lets its pictures go. */
static void finish_anchor(struct anchor *anchor, struct xc_encoder *encoder, struct xc_tool_source *source,
                          struct xc_tool_chunk *chunk, const struct anchored_options *options)
{
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    struct xc_picture *filtered;
    struct xc_error err;
    if (!anchor->count) {
        return;
    }
    params.key_frame = anchor->key;
    params.use_last = params.refresh_altref = false;
    params.quantizer = quantizer_for(options, anchor->key ? key_weight_for(anchor, options) : options->anchor_weight);
    const struct xc_picture *pictures[XC_FILTER_PICTURES];
    for (unsigned i = 0; i < anchor->count; i++) {
        pictures[i] = anchor->pictures[i];
    }
    xc_tool_check(xc_temporal_filter(source->workspace, &filtered, pictures, anchor->count, &err), NULL, &err);
    chunk->next_timestamp = anchor->index;
    xc_tool_chunk_encode(chunk, encoder, filtered, &params, source->name);
    xc_picture_unref(filtered);
    while (anchor->count) {
        xc_picture_unref(anchor->pictures[--anchor->count]);
    }
}

void encode_anchors(struct xc_encoder *encoder, struct xc_tool_source *source, struct xc_tool_chunk *chunk,
                    const struct anchored_options *options)
{
    struct anchor anchor = { .count = 0 };
    struct xc_scene *scene;
    struct xc_error err;
    struct xc_picture *picture;
    const struct xc_state *state = xc_encoder_state(encoder);
    xc_tool_check(xc_scene_new(&scene, source->width, source->height, &err), NULL, &err);
    if (state->width) {
        xc_scene_begins(scene, state->reference[XC_GOLDEN]);
    }
    bool open = false; /* more pictures may join the anchor */
    while ((picture = xc_tool_source_next(source))) {
        const uint64_t index = source->count - 1;
        const bool cut = xc_scene_begins(scene, picture);
        if (cut || index == 0 || index - anchor.index == ANCHOR_DISTANCE) {
            finish_anchor(&anchor, encoder, source, chunk, options);
            anchor = (struct anchor){ .index = index, .key = cut || !state->width };
            open = true;
        }
        if (open) {
            anchor.novelty += anchor.count ? xc_scene_novelty(scene) : 0;
            anchor.pictures[anchor.count++] = picture;
            open = anchor.count < XC_FILTER_PICTURES;
        } else {
            xc_picture_unref(picture);
        }
        if (!open) {
            finish_anchor(&anchor, encoder, source, chunk, options);
        }
    }
    if (source->count == 0) {
        xc_tool_fail(source->name, "has no frame");
    }
    finish_anchor(&anchor, encoder, source, chunk, options);
    xc_scene_free(scene);
}

/* Decodes an anchor on the way, so that the encoder goes on from the state behind it. */
static void pass_anchor(struct xc_encoder *encoder, const struct xc_tool_ivf *anchors, uint32_t index,
                        struct xc_tool_chunk *chunk, struct xc_workspace *workspace)
{
    struct xc_state state = XC_STATE_INIT;
    struct xc_error err;
    xc_tool_check(xc_state_copy(&state, xc_encoder_state(encoder), &err), NULL, &err);
    xc_picture_unref(xc_tool_ivf_decode(anchors, index, &state, workspace));
    xc_tool_check(xc_encoder_set_state(encoder, &state, &err), NULL, &err);
    xc_state_clear(&state);
    xc_tool_chunk_copy(chunk, anchors, index);
}

void encode_followers(struct xc_encoder *encoder, struct xc_tool_source *source, const struct xc_tool_ivf *anchors,
                      struct xc_tool_chunk *chunk, const struct anchored_options *options)
{
    const struct xc_ivf *ivf = &anchors->ivf;
    uint32_t passed = 0;
    struct xc_picture *picture;
    struct xc_encode_params params = XC_ENCODE_PARAMS_INIT;
    params.refresh_golden = params.refresh_altref = false;
    params.keep_probabilities = true;
    params.quantizer = quantizer_for(options, 1);
    chunk->header.expected_state = ivf->header.expected_state;
    while ((picture = xc_tool_source_next(source))) {
        if (passed < ivf->header.frame_count && ivf->frames[passed].timestamp == source->count - 1) {
            pass_anchor(encoder, anchors, passed++, chunk, source->workspace);
        } else {
            xc_tool_chunk_encode(chunk, encoder, picture, &params, source->name);
        }
        xc_picture_unref(picture);
    }
    if (passed < ivf->header.frame_count) {
        xc_tool_fail(anchors->name, "has an anchor for picture %llu; %s ends before it",
                     (unsigned long long)ivf->frames[passed].timestamp, source->name);
    }
}
