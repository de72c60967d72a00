/* SPDX-License-Identifier: BSD-2-Clause */
/* A chunk while it is encoded: the pictures that come in, the encoder, and the frames that go out. */
#ifndef XC_CHUNK_SESSION_H
#define XC_CHUNK_SESSION_H

#include "chunk/lookahead.h"
#include "excamera/chunk.h"
#include "excamera/encode.h"

struct xc_session {
    const struct xc_chunk_job *job;
    struct xc_lookahead source, after;
    struct xc_encoder *encoder; /* in the state before the next frame */
    struct xc_chunk *chunk;
    uint8_t *segment_map;                  /* of the anchor at hand */
    const struct xc_picture_sink *targets; /* of what key frames and anchors are to look like, or NULL */
};

/* Begins an empty chunk that follows the job's state. Refuses a state of another size than the pictures'. */
enum xc_status xc_session_begin_chunk(struct xc_chunk *chunk, const struct xc_chunk_job *job, struct xc_error *err);

/* How the job's pictures are encoded. thorough: added to the cpu-used that the job asks for. */
struct xc_encoder_options xc_session_encoder_options(const struct xc_chunk_job *job, int thorough);

/* thorough: added to the cpu-used that the job asks for. On failure there is nothing to end. */
enum xc_status xc_session_begin(struct xc_session *session, struct xc_chunk *chunk, const struct xc_chunk_job *job,
                                int thorough, struct xc_error *err);
/* If status is XC_OK, the job's state becomes the encoder's; otherwise the chunk is emptied. Returns the status, or
 * that of the end's own failure. */
enum xc_status xc_session_end(struct xc_session *session, enum xc_status status, struct xc_error *err);

/* Encodes a picture and appends the frame. */
enum xc_status xc_session_encode(struct xc_session *session, const struct xc_picture *picture, uint64_t timestamp,
                                 const struct xc_encode_params *params, struct xc_error *err);
/* The same in segments. A key frame or an anchor sends a map of its own; its followers inherit that. */
enum xc_status xc_session_encode_anchor(struct xc_session *session, const struct xc_picture *picture,
                                        uint64_t timestamp, struct xc_encode_params params, struct xc_error *err);
enum xc_status xc_session_encode_follower(struct xc_session *session, const struct xc_picture *picture,
                                          uint64_t timestamp, struct xc_encode_params params, struct xc_error *err);
/* Appends a frame that shows alt-ref, the anchor, once more. params: as xc_encode_repeat takes them. */
enum xc_status xc_session_show_anchor(struct xc_session *session, const struct xc_encode_params *params,
                                      struct xc_error *err);

/* What messages call an input that may have no name. */
static inline const char *xc_name_or(const char *name, const char *otherwise)
{
    return name ? name : otherwise;
}

#endif
