/* The raw pictures that a chunk is made from: Y4M, or whatever an IVF decodes to. */
#ifndef XC_TOOLS_SOURCE_H
#define XC_TOOLS_SOURCE_H

#include "tool.h"

/* How many pictures may lie between a hidden frame and the one that it stands for, both counted. Also how far apart
 * anchors are at the most: 24 pictures apart, [24,4] was 2 points behind this. */
enum { XC_TOOL_SPAN = 12 };

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
/* Fails unless a file has frames, of the pictures' size; unless a state, if it has pictures, has pictures of that
 * size. */
void xc_tool_source_check_file(const struct xc_tool_source *source, const struct xc_tool_ivf *file);
void xc_tool_source_check_state(const struct xc_tool_source *source, const struct xc_state *state, const char *name);
void xc_tool_source_close(struct xc_tool_source *source);

#endif
