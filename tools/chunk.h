/* What xc-enc and xc-rebase share: raw pictures in, predicted frames in, a chunk out. */
#ifndef XC_TOOLS_CHUNK_H
#define XC_TOOLS_CHUNK_H

#include "excamera/encode.h"
#include "tool.h"

/* How many pictures may lie between a hidden frame and the one that it stands for, both counted. Also how far apart
 * anchors are at the most: 24 pictures apart, [24,4] was 2 points behind this. */
enum { XC_TOOL_SPAN = 12 };

/* Raw pictures, from Y4M or from whatever an IVF decodes to. */
struct xc_tool_source {
    struct xc_workspace *workspace;
    unsigned width, height;
    uint32_t rate_num, rate_den;
    const char *name;
    uint32_t count;                         /* pictures taken so far */
    struct xc_picture *ahead[XC_TOOL_SPAN]; /* read, and not yet taken */
    unsigned ahead_count;
    bool is_ivf;
    struct xc_tool_y4m y4m;
    struct xc_tool_ivf ivf;
    uint32_t next_frame;
    struct xc_state state;
};

/* format: "y4m" or "ivf". */
void xc_tool_source_open(struct xc_tool_source *source, const char *name, const char *format,
                         struct xc_workspace *workspace);
/* The next picture, which the caller owns; NULL: there is none. */
struct xc_picture *xc_tool_source_next(struct xc_tool_source *source);
/* The same in two steps: reading, which leaves it to the caller to complain (but where an IVF must be decoded, which
 * only the main thread can do), and complaining. */
enum xc_status xc_tool_source_read(struct xc_tool_source *source, struct xc_picture **picture, struct xc_error *err);
/* The picture with this number, less than XC_TOOL_SPAN ahead, without taking it; NULL: there is none. */
enum xc_status xc_tool_source_peek(struct xc_tool_source *source, uint64_t number, struct xc_picture **picture,
                                   struct xc_error *err);
void xc_tool_source_check(const struct xc_tool_source *source, enum xc_status status, const struct xc_error *err);
/* The next picture, where the frames of another file (predictor) say that there must be one; and the end, where they
 * say so. */
struct xc_picture *xc_tool_source_expect(struct xc_tool_source *source, const char *predictor);
void xc_tool_source_expect_end(struct xc_tool_source *source, const char *predictor);
/* Fails unless a file has frames, of the pictures' size. */
void xc_tool_source_check_file(const struct xc_tool_source *source, const struct xc_tool_ivf *file);
void xc_tool_source_close(struct xc_tool_source *source);

/* The chunk that is being made: kept in memory, since its header tells how many frames there are. */
struct xc_tool_chunk {
    struct xc_ivf_header header;
    struct xc_tool_chunk_frame {
        uint64_t timestamp;
        struct xc_bytes bytes;
    } *frames;
    uint64_t shown; /* pictures that it shows so far */
};

/* Starts a chunk of the source's size and rate that expects this state. */
void xc_tool_chunk_start(struct xc_tool_chunk *chunk, const struct xc_tool_source *source,
                         const struct xc_state *state);
/* Takes over the bytes of the next frame and leaves none. number: that of the picture which it shows or, hidden, stands
 * for (docs/ivf.md). */
void xc_tool_chunk_append(struct xc_tool_chunk *chunk, struct xc_bytes *bytes, uint64_t number);
/* Encodes a picture and appends the frame. name: of the file that the picture is from. */
void xc_tool_chunk_encode(struct xc_tool_chunk *chunk, struct xc_encoder *encoder, const struct xc_picture *picture,
                          uint64_t number, const struct xc_encode_params *params, const char *name);
/* Appends a copy of another file's frame. */
void xc_tool_chunk_copy(struct xc_tool_chunk *chunk, const struct xc_tool_ivf *file, uint32_t frame);
/* Writes the chunk and, unless its name is NULL, the state behind it, and gives back the memory. */
void xc_tool_chunk_write(struct xc_tool_chunk *chunk, const char *name, const struct xc_state *state,
                         const char *state_name);

/* The frames that tell how: parsed one after the other in the states that they were made for. */
struct xc_tool_prediction {
    struct xc_tool_ivf file;
    struct xc_state state; /* before the next frame; without its pictures, unless they are needed */
    uint32_t next;         /* index of the next frame */
    bool decodes;          /* since there are hidden frames whose pictures exist only in decoded form */
    struct xc_frame frame; /* the one that xc_tool_prediction_next has read */
};

/* state_name: what the first frame predicts from, or NULL if that is a key frame. source: the pictures that it
 * predicts. */
void xc_tool_prediction_open(struct xc_tool_prediction *p, const char *name, const char *state_name,
                             const struct xc_tool_source *source);
/* Opens the frame that is next (xc_frame_open), but does not count it as read. *hidden becomes what it decodes to if it
 * is not to be shown, or NULL if it is, or stands for a raw picture. */
enum xc_status xc_tool_prediction_read(struct xc_tool_prediction *p, struct xc_frame *frame, struct xc_picture **hidden,
                                       struct xc_workspace *workspace, struct xc_error *err);
/* Reads the next frame into p->frame; false: there is none. */
bool xc_tool_prediction_next(struct xc_tool_prediction *p, struct xc_workspace *workspace);
bool xc_tool_prediction_begins_with_key(const struct xc_tool_prediction *p);
bool xc_tool_prediction_at_end(const struct xc_tool_prediction *p);
void xc_tool_prediction_close(struct xc_tool_prediction *p);

/* Copies the frame that was read last, a key frame or one that follows one: what it was made for is what *state holds.
 * The last frame of the chunk is terminated. */
void xc_tool_copy_frame(struct xc_tool_prediction *p, struct xc_state *state, struct xc_tool_chunk *chunk,
                        struct xc_workspace *workspace);

/* Rebases all frames that are left onto the state, which is moved on (rebase.c). */
void xc_tool_rebase(struct xc_tool_prediction *p, struct xc_state *state, struct xc_tool_source *source,
                    struct xc_tool_chunk *chunk, struct xc_workspace *workspace);

#endif
