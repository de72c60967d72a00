/* Encoding given a state: a raw picture and a state give an interframe. Rebasing: an interframe's modes and vectors,
 * another state and the raw picture give a new interframe. Both reconstruct what they code with the decoder's own
 * functions and move the state on with it, so that encoder and decoder cannot drift apart. */
#ifndef EXCAMERA_ENCODE_H
#define EXCAMERA_ENCODE_H

#include "excamera/decode.h"
#include "excamera/quantizer.h"

/* What one frame may do. */
struct xc_encode_params {
    unsigned quantizer;                    /* index, 0 to 127; the nearest that libvpx can be asked for is taken */
    bool key_frame;                        /* the references below are ignored */
    bool use_last, use_golden, use_altref; /* references to predict from */
    bool refresh_last, refresh_golden, refresh_altref;
    bool keep_probabilities; /* leave those of the state as they are behind this frame */
    bool hide;               /* not to be shown */
    bool altref_ahead;       /* alt-ref is a later picture than this one: what moves comes from there */
};

/* An interframe that predicts from, and refreshes, everything. */
#define XC_ENCODE_PARAMS_INIT                                                                                          \
    ((struct xc_encode_params){ .use_last = true,                                                                      \
                                .use_golden = true,                                                                    \
                                .use_altref = true,                                                                    \
                                .refresh_last = true,                                                                  \
                                .refresh_golden = true,                                                                \
                                .refresh_altref = true })

/* Encodes pictures of one size, one after the other, from a state that it moves on. Motion search and mode decision are
 * libvpx's. */
struct xc_encoder;

struct xc_encoder_options {
    unsigned width, height; /* display size of the pictures to come */
    int speed;              /* libvpx's cpu-used: 0 best, 5 fastest */
    bool tune_ssim;         /* libvpx's activity masking */
};

/* workspace outlives the encoder. */
enum xc_status xc_encoder_new(struct xc_encoder **out, struct xc_workspace *workspace,
                              const struct xc_encoder_options *options, struct xc_error *err);
void xc_encoder_free(struct xc_encoder *encoder);

/* The state behind the last frame; before the first, that before any key frame. Owned by the encoder. */
const struct xc_state *xc_encoder_state(const struct xc_encoder *encoder);
/* Goes on from this state, which is copied. */
enum xc_status xc_encoder_set_state(struct xc_encoder *encoder, const struct xc_state *state, struct xc_error *err);

/* The same for one of several tries of a picture: the search keeps what it has learnt from the try before, which takes
 * less time than to start anew. */
enum xc_status xc_encoder_retry_from(struct xc_encoder *encoder, const struct xc_state *state, struct xc_error *err);

/* Encodes source, which is padded (xc_picture_pad), into *out, and moves the state on. On failure the state is as it
 * was. */
enum xc_status xc_encode(struct xc_encoder *encoder, const struct xc_picture *source,
                         const struct xc_encode_params *params, struct xc_bytes *out, struct xc_error *err);

/* Encodes a frame of a few bytes that shows a reference's picture once more, to the last sample. Of *params counts what
 * is refreshed, altref_ahead, and the quantizer, for whoever rebases the frame. */
enum xc_status xc_encode_repeat(struct xc_encoder *encoder, enum xc_reference which,
                                const struct xc_encode_params *params, struct xc_bytes *out, struct xc_error *err);

/* Rebases an interframe, parsed or only opened in the state origin, onto *state: its modes and vectors are kept, and
 * its levels where they are as good as any, but the residue is that of source (padded) against what this state
 * predicts; all of them are of one size. *rebased, whose memory is reused, becomes the new frame, to be serialized in
 * the state as it was; *frame is used up and left to be parsed into again. *state moves on; on failure it is as it was.
 */
enum xc_status xc_rebase(struct xc_workspace *workspace, struct xc_state *state, struct xc_frame *frame,
                         const struct xc_state *origin, const struct xc_picture *source, struct xc_frame *rebased,
                         struct xc_error *err);

/* Makes an interframe refresh all three references with its own picture, so that the state behind it holds one picture.
 * A key frame does so anyway. */
void xc_frame_terminate(struct xc_frame *frame);

#endif
