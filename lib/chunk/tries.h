/* SPDX-License-Identifier: BSD-2-Clause */
/* One picture encoded in several ways from one state, of which one is kept. That a state is a value makes it cheap: no
 * try knows of the others, and they may run in threads. */
#ifndef XC_CHUNK_TRIES_H
#define XC_CHUNK_TRIES_H

#include "chunk/goal.h"
#include "chunk/session.h"

struct xc_try {
    struct xc_workspace *workspace; /* of one thread, for this try alone */
    struct xc_encoder *encoder;
    struct xc_encode_params params;
    struct xc_bytes bytes; /* the frame; the encoder is in the state after it */
    enum xc_status status;
    struct xc_error err;
};

struct xc_tries {
    struct xc_session *session;
    struct xc_try tries[XC_TRIES];
    const struct xc_picture *picture; /* that is encoded */
    struct xc_bytes kept;             /* the frame that is best so far */
    struct xc_state kept_state;       /* the state after it */
};

/* On failure there is nothing to end. */
enum xc_status xc_tries_begin(struct xc_tries *tries, struct xc_session *session, int thorough, struct xc_error *err);
void xc_tries_end(struct xc_tries *tries);

/* Encodes a picture at each of the levels, from the session's state, which stays. */
enum xc_status xc_tries_run(struct xc_tries *tries, const struct xc_picture *picture,
                            const struct xc_encode_params *params, const unsigned levels[XC_TRIES],
                            struct xc_error *err);
/* Keeps what one of them made, instead of what was kept before. */
enum xc_status xc_tries_keep(struct xc_tries *tries, int which, struct xc_error *err);
/* Appends the frame that is kept, and moves the session to the state after it. */
enum xc_status xc_tries_commit(struct xc_tries *tries, uint64_t timestamp, struct xc_error *err);

#endif
