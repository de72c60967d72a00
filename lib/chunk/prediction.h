/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a chunk that tell how another one is to be encoded. */
#ifndef XC_CHUNK_PREDICTION_H
#define XC_CHUNK_PREDICTION_H

#include "chunk/hidden.h"

struct xc_prediction {
    const struct xc_chunk_input *input;
    struct xc_state state; /* for which the next frame was made; it has pictures only while workspace is not NULL */
    uint32_t next;         /* index of the next frame */
    bool exact;            /* after a key frame: then the states are the same, whatever came before it */
    struct xc_frame frame; /* for those who read one frame at a time */
    uint32_t *pictures;    /* that hidden frames stand for (xc_hidden_find); owned */
    /* Decodes the frames up to the first key frame, if hidden ones are among them whose pictures exist only in decoded
     * form; NULL otherwise. It is the prediction's own, so that frames can be read beside other work. */
    struct xc_workspace *workspace;
};

/* like: the workspace that the other chunk is encoded with. On failure there is nothing to close. */
enum xc_status xc_prediction_open(struct xc_prediction *p, const struct xc_chunk_input *input,
                                  const struct xc_picture_source *source, const struct xc_workspace *like,
                                  struct xc_error *err);
void xc_prediction_close(struct xc_prediction *p);

static inline bool xc_prediction_at_end(const struct xc_prediction *p)
{
    return p->next == p->input->ivf->header.frame_count;
}

/* Opens the frame that is next (xc_frame_open), but does not count it as read. *target: what the frame is to look like
 * if that exists only in decoded form, that is, if the frame is hidden, stands for no raw picture and is not exact;
 * NULL otherwise. */
enum xc_status xc_prediction_read(struct xc_prediction *p, struct xc_frame *frame, struct xc_picture **target,
                                  struct xc_error *err);

/* The number of the picture that the frame that is next stands for while it is hidden, or XC_NO_PICTURE. */
static inline uint32_t xc_prediction_picture(const struct xc_prediction *p)
{
    return p->pictures ? p->pictures[p->next] : XC_NO_PICTURE;
}

/* Opens the next frame, as p->frame, and counts it as read. There must be one. */
enum xc_status xc_prediction_next(struct xc_prediction *p, struct xc_error *err);

#endif
