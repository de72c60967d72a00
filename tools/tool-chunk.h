/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tools share that make a chunk: the files that go in, and those that come out. */
#ifndef XC_TOOLS_TOOL_CHUNK_H
#define XC_TOOLS_TOOL_CHUNK_H

#include "excamera/chunk.h"
#include "tool.h"

/* The raw pictures: Y4M, or whatever an IVF decodes to. */
struct xc_tool_source {
    struct xc_picture_source pictures;
    /* private */
    struct xc_tool_input y4m;
    struct xc_tool_ivf ivf;
};

/* format: "y4m" or "ivf". */
void xc_tool_source_open(struct xc_tool_source *source, const char *name, const char *format,
                         struct xc_workspace *workspace);
void xc_tool_source_close(struct xc_tool_source *source);

/* Reads a chunk, and the state that its first frame predicts from; state_name may be NULL. */
struct xc_tool_chunk_input {
    struct xc_chunk_input input;
    struct xc_tool_ivf file;
    struct xc_state state;
};
/* option: the one that names the state's file, for those who have forgotten it. */
void xc_tool_chunk_input_read(struct xc_tool_chunk_input *input, const char *name, const char *state_name,
                              const char *option, struct xc_workspace *workspace);
void xc_tool_chunk_input_clear(struct xc_tool_chunk_input *input);

/* Moves the state on past the anchors of one more chunk, which the file has (xc-enc --anchors). before: what the state
 * is called in messages; option: the one that names its file. cq_level: as given to xc-enc. */
void xc_tool_replay_anchors(struct xc_state *state, const char *name, const char *before, const char *option,
                            int64_t cq_level, struct xc_workspace *workspace);

/* As xc_tool_check, with the name that *err gives, if it gives one. */
void xc_tool_check_about(enum xc_status status, const char *otherwise, const struct xc_error *err);

/* Writes a chunk and, unless its name is NULL, the state after it, and lets the chunk go. */
void xc_tool_chunk_write(struct xc_chunk *chunk, const char *name, const struct xc_state *state,
                         const char *state_name);
/* Writes a chunk, lets it go, and gives it and an output that is complete their names. */
void xc_tool_chunk_write_beside(struct xc_chunk *chunk, const char *name, const struct xc_tool_output *complete);

#endif
