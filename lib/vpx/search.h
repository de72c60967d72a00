/* SPDX-License-Identifier: BSD-2-Clause */
/* libvpx's motion search and mode decision, started from a state of ours.
 *
 * libvpx has no notion of a state that is handed in, but it can be given one: after a few frames that only start it,
 * its three references are replaced (VP8_SET_REFERENCE), and from then on its interframes predict from our pictures.
 * Its entropy coder knows nothing of our probabilities; so the frames that come out are parsed, in a state that is
 * kept beside the encoder and follows its stream, and are for serializing anew against the true state. Prediction and
 * residue stay as they are.
 *
 * The same calls give the same bytes: libvpx runs in its "good quality" mode, which looks at no clock, and in one
 * thread, since what its threads learn from the macroblocks they happen to get changes their decisions. */
#ifndef XC_VPX_SEARCH_H
#define XC_VPX_SEARCH_H

#include "excamera/error.h"
#include "excamera/frame.h"
#include "excamera/picture.h"
#include "excamera/state.h"

struct xc_search;

/* What a frame is to be. */
struct xc_search_request {
    unsigned quantizer; /* index, 0 to 127; the nearest that libvpx can be asked for is taken */
    bool key_frame;     /* the other fields are ignored */
    bool use_last, use_golden, use_altref;
    bool refresh_last, refresh_golden, refresh_altref;
    /* The segment of each macroblock, row by row; NULL: the frame has no segments. The offsets of their quantizers, of
     * which one or more are not 0, are taken as xc_offset_of_libvpx has them. */
    const uint8_t *segment_map;
    int8_t segment_quantizer[XC_SEGMENTS];
};

struct xc_search_options {
    unsigned width, height; /* display size of the pictures to come */
    int cpu_used;           /* libvpx's speed setting: 0 best, 5 fastest */
    bool tune_ssim;
};

enum xc_status xc_search_new(struct xc_search **out, const struct xc_search_options *options, struct xc_error *err);
void xc_search_free(struct xc_search *search);

/* Starts over from this state, whatever came before: its references, whose size must be that of the options, become
 * libvpx's. Nothing else of the state is looked at. altref_ahead: until a frame refreshes golden or all, alt-ref is a
 * later picture, so vectors into it point the other way (the frames have its sign bias), and libvpx reckons with its
 * being used much. */
enum xc_status xc_search_set_state(struct xc_search *search, const struct xc_state *state, bool altref_ahead,
                                   struct xc_error *err);

/* The same for a state of the same kind as the one that libvpx has, without starting it over: what it has learnt from
 * the frames before stays, and so does altref_ahead. Where its references cannot be replaced one by one, or there are
 * none, this is xc_search_set_state. */
enum xc_status xc_search_replace_state(struct xc_search *search, const struct xc_state *state, bool altref_ahead,
                                       struct xc_error *err);

/* The quantizer index that a frame gets when it asks for this one. libvpx's interface reaches every index up to 5 and
 * about every other one from there: the nearest of those is taken, the finer one of two that are equally near. */
unsigned xc_search_quantizer(unsigned quantizer);

/* Encodes source (padded, xc_picture_pad) and parses the result into *frame. libvpx's own references advance as the
 * frame says. Only a key frame may come without a state to start from.
 *
 * The frame's header carries what libvpx chose, loop filter included. It decodes from any state that has the same
 * references: filter deltas and
 * segments are all in it, whether or not the state has them already. The
 * probabilities are as libvpx's coder had them, so before serializing comes xc_frame_optimize against the true state.
 * Frames are shown, and never copy a reference to another; whether they refresh the probabilities is what libvpx did,
 * and nothing to keep.
 *
 * After a failure the next call must be xc_search_set_state, or ask for a key frame. */
enum xc_status xc_search_encode(struct xc_search *search, struct xc_frame *frame, const struct xc_picture *source,
                                const struct xc_search_request *request, struct xc_error *err);

#endif
