/* SPDX-License-Identifier: BSD-2-Clause */
/* Encoding given a state: a raw picture and a state give an interframe. Rebasing: an interframe, another state
 * and the raw picture give a new interframe, without a search. Both reconstruct what they code with the decoder's own
 * functions and move the state on with it, so that encoder and decoder cannot drift apart. */
#ifndef EXCAMERA_ENCODE_H
#define EXCAMERA_ENCODE_H

#include "excamera/decode.h"
#include "excamera/quantizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one frame may do. */
struct xc_encode_params {
    unsigned quantizer; /* index, 0 to XC_MAX_QUANTIZER; the nearest that libvpx can be asked for is taken */
    bool key_frame;     /* the references below are ignored */
    bool use_last, use_golden, use_altref; /* references to predict from */
    bool refresh_last, refresh_golden, refresh_altref;
    bool keep_probabilities; /* leave those of the state as they are after this frame */
    bool hide;               /* not to be shown */
    bool altref_ahead;       /* alt-ref is a later picture than this one: what moves comes from there */
    bool refine;             /* what libvpx has found competes with other choices, as by xc_rebase; interframes only */
    /* The segment of each macroblock, row by row, 0 to XC_SEGMENTS - 1; NULL: the frame has no segments. */
    const uint8_t *segment_map;
    /* What each segment adds to the quantizer index, as xc_offset_of_libvpx has it; one or more are not 0. */
    int8_t segment_quantizer[XC_SEGMENTS];
};

/* An interframe that predicts from, and refreshes, everything. Its quantizer must still be set: no frame is encoded
 * with this one. */
enum { XC_QUANTIZER_UNSET = XC_MAX_QUANTIZER + 1 };
#define XC_ENCODE_PARAMS_INIT                                                                                          \
    {                                                                                                                  \
        XC_QUANTIZER_UNSET, false, true, true, true, true, true, true, false, false, false, false, NULL,               \
        {                                                                                                              \
            0, 0, 0, 0                                                                                                 \
        }                                                                                                              \
    }

/* Encodes pictures of one size, one after the other, from a state that it moves on. Motion search and mode decision are
 * libvpx's. */
struct xc_encoder;

struct xc_encoder_options {
    unsigned width, height; /* display size of the pictures to come */
    int speed;              /* libvpx's cpu-used in its "good quality" mode: 0 best, XC_MAX_SPEED fastest */
    bool tune_ssim;         /* libvpx's activity masking */
};
enum { XC_MAX_SPEED = 5 };

/* The encoder uses the workspace, which must outlive it. XC_ERR_ARGUMENT: there is no such speed; XC_ERR_UNSUPPORTED:
 * libvpx has no pictures of this size. */
enum xc_status xc_encoder_new(struct xc_encoder **out, struct xc_workspace *workspace,
                              const struct xc_encoder_options *options, struct xc_error *err);
void xc_encoder_free(struct xc_encoder *encoder);

/* The state after the last frame; before the first, that before any key frame. Owned by the encoder, whose next call
 * may change it. */
const struct xc_state *xc_encoder_state(const struct xc_encoder *encoder);
/* Goes on from this state, which is copied. XC_ERR_MISMATCH: it is of another size than the encoder's pictures. */
enum xc_status xc_encoder_set_state(struct xc_encoder *encoder, const struct xc_state *state, struct xc_error *err);

/* The same for one of several tries of a picture: the search keeps what it has learnt from the try before, which takes
 * less time than to start anew. */
enum xc_status xc_encoder_retry_from(struct xc_encoder *encoder, const struct xc_state *state, struct xc_error *err);

/* Encodes source into *out, whose memory is reused, and moves the state on. XC_ERR_ARGUMENT: params has no quantizer,
 * or wants an interframe before the first key frame; XC_ERR_MISMATCH: source is of another size. */
enum xc_status xc_encode(struct xc_encoder *encoder, const struct xc_picture *source,
                         const struct xc_encode_params *params, struct xc_bytes *out, struct xc_error *err);

/* Encodes a frame of a few bytes that shows a reference's picture once more, to the last sample. Only the refresh_*
 * fields, keep_probabilities, hide, altref_ahead and the quantizer of *params are used; the quantizer by whoever
 * rebases the frame. */
enum xc_status xc_encode_repeat(struct xc_encoder *encoder, enum xc_reference which,
                                const struct xc_encode_params *params, struct xc_bytes *out, struct xc_error *err);

/* Rebases an interframe, parsed or only opened in the state origin, onto *state: the residue is that of source against
 * what this state predicts. Its modes, vectors and levels are kept where others that take little time to find are no
 * better, by squared error and bits; all pictures are of one size (XC_ERR_MISMATCH). lambda, above 0: what a bit is
 * worth, as a part of what it is worth to libvpx. *rebased, whose memory is reused,
 * becomes the new frame, to be serialized in the state as it was; *frame becomes empty, to be parsed into again. *state
 * moves on. After a failure *rebased is empty; *frame is as it was where memory has run out or something does not fit,
 * and empty where its data makes no sense. */
enum xc_status xc_rebase(struct xc_workspace *workspace, struct xc_state *state, struct xc_frame *frame,
                         const struct xc_state *origin, const struct xc_picture *source, double lambda,
                         struct xc_frame *rebased, struct xc_error *err);

/* Makes an interframe refresh all three references with its own picture, so that the state after it holds one picture.
 * A key frame does so anyway. */
void xc_frame_terminate(struct xc_frame *frame);

/* Takes all coefficients out of a complete frame: what is left is its prediction. */
void xc_frame_zero_residues(struct xc_frame *frame);

#ifdef __cplusplus
}
#endif

#endif
