/* The frames that tell how a chunk is to be encoded. */
#ifndef XC_TOOLS_PREDICTION_H
#define XC_TOOLS_PREDICTION_H

#include "chunk.h"

struct xc_tool_prediction {
    struct xc_tool_ivf file;
    struct xc_state state; /* for which the next frame was made; without its pictures, unless they are needed */
    uint32_t next;         /* index of the next frame */
    bool exact;            /* behind a key frame: the states are the same, whatever came before it */
    bool decodes;          /* until then, since there are hidden frames whose pictures exist only in decoded form */
    struct xc_frame frame; /* the one that xc_tool_prediction_next has opened */
};

/* state_name: what the first frame predicts from, or NULL if that is a key frame. source: the pictures that it
 * predicts. */
void xc_tool_prediction_open(struct xc_tool_prediction *p, const char *name, const char *state_name,
                             const struct xc_tool_source *source);
/* Opens the frame that is next (xc_frame_open), but does not count it as read. *target becomes what it is to look like
 * if that exists only in decoded form: the frame is hidden, stands for no raw picture, and is not exact. shown: how
 * many pictures the frames before it show. */
enum xc_status xc_tool_prediction_read(struct xc_tool_prediction *p, struct xc_frame *frame, uint64_t shown,
                                       struct xc_picture **target, struct xc_workspace *workspace,
                                       struct xc_error *err);
/* Opens the next frame, in p->frame, and counts it as read; false: there is none. */
bool xc_tool_prediction_next(struct xc_tool_prediction *p);
bool xc_tool_prediction_begins_with_key(const struct xc_tool_prediction *p);
bool xc_tool_prediction_at_end(const struct xc_tool_prediction *p);
void xc_tool_prediction_close(struct xc_tool_prediction *p);

/* Copies the frame in p->frame, which is exact, and moves the state on. The last frame of the chunk is terminated. */
void xc_tool_copy_frame(struct xc_tool_prediction *p, struct xc_state *state, struct xc_tool_chunk *chunk,
                        struct xc_workspace *workspace);

/* Rebases all frames that are left onto the state, which is moved on (rebase.c). */
void xc_tool_rebase(struct xc_tool_prediction *p, struct xc_state *state, struct xc_tool_source *source,
                    struct xc_tool_chunk *chunk, struct xc_workspace *workspace);

#endif
