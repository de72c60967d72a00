/* The two ways in which xc-enc makes a chunk from raw pictures; the third, rebasing, it shares with xc-rebase
 * (rebase.c). */
#ifndef XC_TOOLS_ENC_MODES_H
#define XC_TOOLS_ENC_MODES_H

#include "prediction.h"

/* How the quantizer of each picture is found. */
struct primary_options {
    int64_t quantizer;       /* -1: find one by what follows */
    double ssim;             /* the coarsest that reaches this SSIM of the luma */
    const char *frame_sizes; /* or, if not NULL: a file of sizes in bytes, one a line; the finest that stays within */
};

/* Encodes all pictures, the first one as a key frame unless the encoder has a state. */
void encode_primary(struct xc_encoder *encoder, struct xc_tool_source *source, struct xc_tool_chunk *chunk,
                    const struct primary_options *options);

/* Encodes all pictures as interframes from the encoder's state, in spans, with the quantizers of the predicted chunk.
 * The anchor takes the place of the key frame that the chunk began with: its quantizer is between the key frame's and
 * its own. Key frames within stay what they are. extra: the prediction, and the pictures, begin with one frame that is
 * not part of the chunk; the prediction's is a key frame. */
void reencode(struct xc_encoder *encoder, struct xc_tool_prediction *prediction, struct xc_tool_source *source,
              struct xc_tool_chunk *chunk, double key_weight, bool extra, struct xc_workspace *workspace);

/* The anchored structure (docs/architecture.md): an anchor predicts from alt-ref, which is the anchor before it, and
 * from golden, the key frame; the followers leave both of them, and the probabilities, as they are. So the state that
 * the next chunk starts from is known before any of them is encoded. Where a new scene begins, be it within a chunk,
 * there is a key frame. */
struct anchored_options {
    int64_t cq_level;                 /* libvpx's scale of quality, 0 to 63 */
    double key_weight, anchor_weight; /* of the quantizer index of that level, for key frames and anchors */
};

/* Encodes the chunk's key frames and anchors, and moves the encoder to the state behind the chunk. */
void encode_anchors(struct xc_encoder *encoder, struct xc_tool_source *source, struct xc_tool_chunk *chunk,
                    const struct anchored_options *options);
/* Encodes all other pictures and puts those frames where they belong, from the state that they began with. */
void encode_followers(struct xc_encoder *encoder, struct xc_tool_source *source, const struct xc_tool_ivf *anchors,
                      struct xc_tool_chunk *chunk, const struct anchored_options *options);

#endif
