/* SPDX-License-Identifier: BSD-2-Clause */
/* Encoding a chunk: a few pictures of a film, given the state that the chunk before leaves. docs/architecture.md tells
 * about the structures that chunks are encoded in: classic, anchored and prepared. */
#ifndef EXCAMERA_CHUNK_H
#define EXCAMERA_CHUNK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "excamera/error.h"
#include "excamera/frame.h"
#include "excamera/ivf.h"
#include "excamera/source.h"
#include "excamera/state.h"
#include "excamera/workspace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The chunk that is made ---- */

struct xc_chunk_frame {
    uint64_t timestamp; /* how many pictures are shown before it (docs/ivf.md) */
    struct xc_bytes bytes;
};

struct xc_chunk {
    struct xc_ivf_header header; /* frame_count frames; duration is set when it is written */
    struct xc_chunk_frame *frames;
    uint32_t shown;    /* how many of them are not hidden */
    uint32_t capacity; /* private */
};

/* An empty chunk that follows this state, at frames of state's size; the state before a key frame has none: then set
 * header.width and .height. */
void xc_chunk_init(struct xc_chunk *chunk, const struct xc_state *state, uint32_t rate_num, uint32_t rate_den);
/* Takes over the bytes of the next frame and leaves none; on failure they stay the caller's. */
enum xc_status xc_chunk_append(struct xc_chunk *chunk, struct xc_bytes *bytes, uint64_t timestamp,
                               struct xc_error *err);
/* Writes it as an IVF file. */
enum xc_status xc_chunk_write(const struct xc_chunk *chunk, FILE *stream, struct xc_error *err);
void xc_chunk_clear(struct xc_chunk *chunk);

/* ---- What chunks are made of ---- */

/* What every way to encode a chunk works on. */
struct xc_chunk_job {
    struct xc_workspace *workspace;
    const struct xc_picture_source *source; /* read to its end; not closed */
    /* What comes after the chunk. The chunk's last anchor is averaged with the first pictures of it, too; only what
     * makes anchors reads them. May be NULL; not closed. */
    const struct xc_picture_source *after;
    /* The state before the chunk: that before any key frame if the chunk is to begin with one. On success it becomes
     * the state after the chunk; on failure it is as it was. */
    struct xc_state *state;
    const char *state_name; /* for messages; may be NULL */
    /* libvpx's cpu-used: 0, the most thorough search, to XC_MAX_SPEED (encode.h). Below that, it is one more where a
     * chunk is encoded again. */
    int speed;
};

/* A chunk that exists already, and that another one is made after. */
struct xc_chunk_input {
    const struct xc_ivf *ivf;
    const struct xc_state *state;  /* that its first frame predicts from; NULL if it begins with a key frame */
    const char *name, *state_name; /* for messages; may be NULL */
};

/* Whether xc_chunk_rebase is what makes a chunk after it, and not xc_chunk_reencode. */
bool xc_chunk_begins_with_interframe(const struct xc_chunk_input *input);

/* All of these make *out the chunk. On failure *out is empty, and err->about names the input that the failure is about,
 * if it is about one. The results are the same with any number of threads. */

/* ---- The anchored structure ---- */

/* An anchor predicts from alt-ref, which is the anchor before it, and from golden, the batch's key frame. The followers
 * leave both, and the probabilities, as they are. So the state that the next chunk starts from is known before any
 * follower is encoded. Where a new scene begins, even within a chunk, there is a key frame. */
struct xc_anchored_options {
    unsigned cq_level; /* libvpx's scale of quality, 0 to XC_MAX_CQ_LEVEL */
    /* What the quantizer index of that level is multiplied with, for key frames and for anchors. Below level 35, a
     * weight below 1 is the part of the quantizer's step that it is at level 35 instead, which is finer. A key frame's
     * weight is multiplied by the root of how much changes from picture to picture. If a scene cut comes n pictures
     * later, neither weight is below 1/n. */
    double key_weight, anchor_weight;
    /* The chunk's place in its batch, from 0 on; -1: it is not known. If chunks have six pictures or less, the anchors
     * that are a dozen pictures apart become finer for it, and those between them coarser. */
    int place;
    /* What the chunk is to come to, about, if one of these is not 0: its bytes as an IVF file, or else the mean SSIM of
     * the luma of its pictures. The followers' quantizers then leave that of the level, by up to 2.5 times the step;
     * those of key frames and anchors do not. */
    size_t fit_bytes;
    double fit_ssim;
};
extern const struct xc_anchored_options xc_anchored_defaults;

/* Encodes the chunk's key frames and anchors. The state becomes that after the whole chunk. */
enum xc_status xc_chunk_encode_anchors(struct xc_chunk *out, const struct xc_chunk_job *job,
                                       const struct xc_anchored_options *options, struct xc_error *err);

/* The same in two steps, of which only the second waits for the state: the first does all that takes time. It predicts
 * from raw pictures in the place of the state's, and so makes a guess. */
struct xc_anchor_guess {
    struct xc_picture *before, *key; /* the picture before the chunk; that of the batch's key frame */
    /* Gets what each frame of the guess is to look like: the pictures that xc_chunk_rebase_anchors takes. */
    struct xc_picture_sink targets;
};
/* The expected state of a guess: the letters GUES, in the order of the file. */
#define XC_GUESSED_STATE_ID 0x53455547u
/* job->state is not looked at. */
enum xc_status xc_chunk_guess_anchors(struct xc_chunk *out, const struct xc_chunk_job *job,
                                      const struct xc_anchored_options *options, const struct xc_anchor_guess *guess,
                                      struct xc_error *err);
/* Rebases a guess onto the job's state, which becomes that after the whole chunk. job->source has the targets. guess's
 * state is not looked at; the options must be those that it was made with. */
enum xc_status xc_chunk_rebase_anchors(struct xc_chunk *out, const struct xc_chunk_job *job,
                                       const struct xc_chunk_input *guess, const struct xc_anchored_options *options,
                                       struct xc_error *err);

/* Encodes all other pictures, from the state that the anchors started from, and puts the anchors in their places.
 * anchors->state is not looked at. */
enum xc_status xc_chunk_encode_followers(struct xc_chunk *out, const struct xc_chunk_job *job,
                                         const struct xc_chunk_input *anchors,
                                         const struct xc_anchored_options *options, struct xc_error *err);

/* ---- The classic structure ---- */

struct xc_reencode_options {
    /* The anchor that replaces the key frame gets a quantizer between the key frame's (1) and its own (0). */
    double key_weight;
    bool extra_frame; /* prediction and pictures begin with one frame, a key frame, that is no part of the chunk */
};
extern const struct xc_reencode_options xc_reencode_defaults;

/* Encodes all pictures as interframes, in mini-GOPs, with the quantizers of a prediction that begins with a key frame.
 * Key frames within it stay what they are. */
enum xc_status xc_chunk_reencode(struct xc_chunk *out, const struct xc_chunk_job *job,
                                 const struct xc_chunk_input *prediction, const struct xc_reencode_options *options,
                                 struct xc_error *err);

/* Rebases a prediction that begins with an interframe from its state onto the job's, frame by frame as xc_rebase does.
 * Nothing is searched, so job->speed changes nothing. */
enum xc_status xc_chunk_rebase(struct xc_chunk *out, const struct xc_chunk_job *job,
                               const struct xc_chunk_input *prediction, struct xc_error *err);

/* Copies a chunk that begins with a key frame, and makes its last interframe refresh last, golden and alt-ref, so that
 * the state after it holds one picture. state: becomes the state after the chunk; NULL if that is not needed. */
enum xc_status xc_chunk_terminate(struct xc_chunk *out, struct xc_state *state, const struct xc_chunk_input *input,
                                  struct xc_workspace *workspace, struct xc_error *err);

/* Copies a chunk without the coefficients of its interframes: to see what prediction alone does, and what it costs. */
enum xc_status xc_chunk_zero_residues(struct xc_chunk *out, const struct xc_chunk_input *input, struct xc_error *err);

/* ---- Without another chunk ---- */

struct xc_primary_options {
    int quantizer; /* index of all frames, 0 to XC_MAX_QUANTIZER; below 0: find one for each by what follows */
    /* The least SSIM of the luma, as FFmpeg's ssim filter measures it. */
    double ssim;
    /* Or, if not NULL, the greatest size of each frame in bytes. The last one goes on. */
    const size_t *frame_sizes;
    size_t frame_size_count;
};
extern const struct xc_primary_options xc_primary_defaults;

/* Encodes all pictures in their order, the first as a key frame if there is no state before it. For a limit, each
 * picture is tried with two quantizers at a time, in threads if the workspace has some, until one keeps the limit and
 * is not much finer (or coarser, for a size) than it has to be. Where none keeps it, the nearest is taken. */
enum xc_status xc_chunk_encode_primary(struct xc_chunk *out, const struct xc_chunk_job *job,
                                       const struct xc_primary_options *options, struct xc_error *err);

/* ---- Playing ---- */

/* Decodes the first frames of a chunk, hidden ones counted, from *state, which becomes the state after them. On failure
 * it is the state after the frames that could be decoded. */
enum xc_status xc_chunk_play(struct xc_state *state, const struct xc_chunk_input *input, uint32_t frames,
                             struct xc_workspace *workspace, struct xc_error *err);
/* The same with the anchors of a whole chunk: *state becomes that after the chunk, followers included. Of the options,
 * only cq_level is used. */
enum xc_status xc_chunk_play_anchors(struct xc_state *state, const struct xc_chunk_input *anchors,
                                     const struct xc_anchored_options *options, struct xc_workspace *workspace,
                                     struct xc_error *err);

#ifdef __cplusplus
}
#endif

#endif
